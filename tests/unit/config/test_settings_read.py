"""What a valid file becomes."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.config.conftest import VALID, Write, changed

from overread_config import Settings, load_settings
from overread_config.rules import output_name

REPOSITORY = Path(__file__).parents[3]


def test_a_valid_file_becomes_frozen_settings_with_defaults(write: Write, tmp_path: Path) -> None:
    settings = load_settings(write(VALID))
    assert settings.prefix == "overread-test"
    (loans,) = settings.use_cases
    assert (loans.name, loans.labels, loans.routing.threshold) == ("loans", ("approve", "decline"), 0.9)
    assert loans.prediction.model == tmp_path / "models" / "loans.tar.gz"
    assert loans.input.withheld == ("sex",)
    assert loans.review.answer.label == "decision.label"
    assert loans.data.data_class == "personal"
    assert settings.teams[0].name == "readers"
    assert settings.retention.audit_lock.mode == "off"
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.environment = "other"  # type: ignore[misc]


def test_paths_begin_at_the_folder_above_config_wherever_the_caller_stands(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(VALID)
    monkeypatch.chdir("/")
    assert load_settings(file).use_cases[0].review.template == tmp_path / "pages" / "loans.html"


def test_paths_of_a_file_outside_of_config_begin_at_its_own_folder(write: Write, tmp_path: Path) -> None:
    file = write(VALID).rename(tmp_path / "deployment.yaml")
    assert load_settings(file).use_cases[0].review.template == tmp_path / "pages" / "loans.html"


def test_unquoted_off_is_the_word_off(write: Write) -> None:
    text = VALID + "retention:\n  audit_lock:\n    mode: off\n"
    assert load_settings(write(text)).retention.audit_lock.mode == "off"


def test_a_caller_predicts_without_a_model(write: Write) -> None:
    text = changed("source: sagemaker-endpoint\n      model: models/loans.tar.gz", "source: caller")
    assert load_settings(write(text)).use_cases[0].prediction.model is None


def test_a_public_team_is_taken_with_both_declarations_a_price_and_data_free_of_personal_data(
    write: Write,
) -> None:
    text = changed(
        "    groups: [readers]",
        "    kind: public\n    data_free_of_personal_information: true\n    acknowledge_closure: true",
    )
    text = text.replace("class: personal", "class: free-of-personal-data")
    text = text.replace(
        "      title: Loan", "      title: Loan\n      price_usd: 0.036\n      availability_s: 43200"
    )
    assert load_settings(write(text)).use_cases[0].review.price_usd == Decimal("0.036")


def test_a_workforce_with_cognito_is_created_when_asked(write: Write) -> None:
    text = changed("mode: adopt\n  identity: oidc", "mode: create")
    assert load_settings(write(text)).workforce.mode == "create"


def test_a_vendor_team_needs_no_workforce_settings(write: Write) -> None:
    arn = "arn:aws:sagemaker:eu-central-1:111122223333:workteam/vendor-crowd/acme"
    text = changed("    groups: [readers]", f"    kind: vendor\n    arn: {arn}")
    text = text.replace("workforce:\n  mode: adopt\n  identity: oidc\n", "")
    assert load_settings(write(text)).teams[0].arn == arn


@pytest.mark.parametrize("environment", ["demo", "dev", "prod"])
def test_every_committed_configuration_is_valid_once_the_models_are_trained(
    environment: str, tmp_path: Path
) -> None:
    for name in ("digit-reading", "loan-approval", "tumor-screening"):
        archive = tmp_path / "build" / "models" / f"{name}.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(b"stand-in")
    (tmp_path / "templates").symlink_to(REPOSITORY / "templates")
    (tmp_path / "config").mkdir()
    file = tmp_path / "config" / f"{environment}.yaml"
    file.write_bytes((REPOSITORY / "config" / f"{environment}.yaml").read_bytes())
    settings = load_settings(file)
    assert settings.environment == environment
    assert [use_case.name for use_case in settings.use_cases] == [
        "digit-reading",
        "loan-approval",
        "tumor-screening",
    ]


def test_only_the_demo_creates_a_workforce_and_only_production_cannot_lift_its_lock() -> None:
    modes = {}
    for environment in ("demo", "dev", "prod"):
        text = (REPOSITORY / "config" / f"{environment}.yaml").read_text(encoding="utf-8")
        modes[environment] = ("mode: create" in text, "mode: compliance" in text)
    assert modes == {"demo": (True, False), "dev": (False, False), "prod": (False, True)}


def test_the_longest_names_fit_into_every_derived_name() -> None:
    # overread- (9) + environment (12) + - (1) + use case (30) + - (1) + hash (8) = 61 <= 63
    longest = f"overread-{'e' * 12}-{'u' * 30}-{'0' * 8}"
    assert len(longest) == 61


def test_output_names_hold_letters_and_digits_only() -> None:
    assert output_name("loan-approval2") == "LoanApproval2"


def test_settings_know_the_file_they_come_from(write: Write) -> None:
    file = write(VALID)
    settings: Settings = load_settings(file)
    assert settings.file == file.resolve()
