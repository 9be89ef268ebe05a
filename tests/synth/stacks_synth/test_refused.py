"""What synthesis refuses although the settings are valid: it depends on other files or on where it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App
from tests.synth.stacks_synth.conftest import ACCOUNT

from overread_config import ConfigError, load_settings
from overread_constructs import PropsError
from overread_stacks.app_factory import build_app


def test_a_template_with_a_liquid_error_is_refused_with_file_and_line(project: Path, tmp_path: Path) -> None:
    page = tmp_path / "broken.liquid.html"
    page.write_text(
        "<crowd-form>\n{% if task.input.label %}\n<crowd-input name='note'></crowd-input></crowd-form>\n"
    )
    text = (project / "config" / "demo.yaml").read_text()
    file = project / "config" / "broken.yaml"
    file.write_text(text.replace("templates/loan-approval/template.liquid.html", str(page)))
    with pytest.raises(PropsError, match=rf"{page}:2:") as error:
        build_app(load_settings(file), environ=ACCOUNT, app=App())
    assert "LoanApprovalPage" in str(error.value)


@pytest.mark.parametrize(
    ("region", "value"),
    [("eu-north-1", "'eu-north-1' from CDK_DEFAULT_REGION"), ("", "no CDK_DEFAULT_REGION")],
)
def test_a_region_without_a2i_is_refused_wherever_it_comes_from(
    region: str, value: str, project: Path
) -> None:
    settings = load_settings(project / "config" / "demo.yaml")
    with pytest.raises(ConfigError) as error:
        build_app(settings, environ=ACCOUNT | {"CDK_DEFAULT_REGION": region}, app=App())
    (fault,) = error.value.faults
    assert (fault.field, fault.file) == ("region", settings.file)
    assert value in fault.value
    assert "eu-central-1" in fault.allowed


def test_the_review_service_needs_a_region_but_not_one_with_a2i(project: Path) -> None:
    settings = load_settings(project / "config" / "review-service.yaml")
    build_app(settings, environ=ACCOUNT | {"CDK_DEFAULT_REGION": "eu-north-1"}, app=App())
    with pytest.raises(ConfigError) as error:
        build_app(settings, environ=ACCOUNT | {"CDK_DEFAULT_REGION": ""}, app=App())
    (fault,) = error.value.faults
    assert (fault.field, fault.problem, fault.allowed) == ("region", "is missing", "an AWS region")
