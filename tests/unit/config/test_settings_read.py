"""What a valid file becomes."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.config.broken import OIDC, own, review, vendor
from tests.unit.config.broken_guarantees import guaranteed
from tests.unit.config.conftest import VALID, Write, changed

from overread_config import OidcSettings, Settings, load_settings
from overread_config.rules import output_name
from overread_config.settings import ChaosSettings, ReviewSettings, StartRateSettings

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


def test_a_guarantee_at_its_limits_is_taken(write: Write) -> None:
    envelope = "{lowest_threshold: 0.93, highest_alpha: 0.02, highest_delta: 0.05}"
    stated = "label_thresholds: {decline: 0.97, approve: 0.93}"
    use_case = load_settings(write(guaranteed(envelope=envelope, more=stated))).use_cases[0]
    assert use_case.routing.threshold is None
    assert use_case.routing.guarantee is not None
    assert use_case.routing.guarantee.threshold == 0.93
    assert use_case.monitor is None


def test_a_monitor_beside_a_guarantee_may_say_one_figure_only(write: Write) -> None:
    text = guaranteed().replace("    labels: [", "    monitor: {alpha: 0.01}\n    labels: [")
    monitor = load_settings(write(text)).use_cases[0].monitor
    assert monitor is not None
    assert (monitor.alpha, monitor.delta, monitor.outcomes) == (0.01, None, False)


def committed(name: str, *, project: Path) -> Settings:
    """The settings of a committed configuration, with stand-ins for the models that it names."""
    for use_case in ("digit-reading", "loan-approval", "tumor-screening"):
        archive = project / "build" / "models" / f"{use_case}.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(b"stand-in")
    (project / "templates").symlink_to(REPOSITORY / "templates")
    (project / "config").mkdir()
    (project / "config" / "guarantees").symlink_to(REPOSITORY / "config" / "guarantees")
    file = project / "config" / f"{name}.yaml"
    file.write_bytes((REPOSITORY / "config" / f"{name}.yaml").read_bytes())
    return load_settings(file)


@pytest.mark.parametrize(
    ("name", "environment"),
    [("demo", "demo"), ("dev", "dev"), ("prod", "prod"), ("review-service", "desk")],
)
def test_every_committed_configuration_is_valid_once_the_models_are_trained(
    name: str, environment: str, tmp_path: Path
) -> None:
    settings = committed(name, project=tmp_path)
    assert settings.environment == environment
    assert [use_case.name for use_case in settings.use_cases] == [
        "digit-reading",
        "loan-approval",
        *(["loan-renewal"] if name == "prod" else []),
        "tumor-screening",
    ]


def test_the_committed_review_service_is_private_and_keeps_figures_under_pseudonyms(tmp_path: Path) -> None:
    settings = committed("review-service", project=tmp_path)
    assert settings.review == ReviewSettings(
        backend="overread",
        start_rate=StartRateSettings(per_second=2.0, burst=10),
        access="private",
        leads=("leads",),
        statistics="pseudonymous",
        sandbox=False,
        chaos=ChaosSettings(duplicate=0.0, delay=0.0),
    )
    assert (settings.workforce.mode, settings.workforce.identity) == ("create", "cognito")
    assert [(team.kind, team.groups, team.oidc) for team in settings.teams] == [
        ("private", ("reviewers",), None),
        ("private", ("seniors",), None),
    ]


def test_the_review_service_is_private_and_keeps_no_figures_unless_told(write: Write) -> None:
    review = load_settings(write(own())).review
    assert (review.backend, review.access, review.leads) == ("overread", "private", ("leads",))
    assert (review.statistics, review.sandbox) == ("off", False)
    assert review.chaos == ChaosSettings(duplicate=0.0, delay=0.0)


def test_everything_that_the_review_service_can_be_told_is_read(write: Write) -> None:
    more = "review:\n  access: public\n  leads: [heads, night-heads]\n  statistics: named\n  sandbox: true\n"
    more += "  chaos: {duplicate: 0.5, delay: 0.25}\n"
    terms = review("guideline_version: 2026-11 rev. 2\n      qualification: loans")
    settings = load_settings(write(own(terms).replace("review:\n  backend", more + "  backend")))
    assert settings.review == ReviewSettings(
        backend="overread",
        start_rate=StartRateSettings(per_second=2.0, burst=10),
        access="public",
        leads=("heads", "night-heads"),
        statistics="named",
        sandbox=True,
        chaos=ChaosSettings(duplicate=0.5, delay=0.25),
    )
    (loans,) = settings.use_cases
    assert (loans.review.guideline_version, loans.review.qualification) == ("2026-11 rev. 2", "loans")


def test_a_vendor_of_the_review_service_signs_in_with_its_own_provider(write: Write) -> None:
    (team,) = load_settings(write(vendor())).teams
    assert (team.kind, team.title, team.groups, team.arn) == ("vendor", "Acme", (), None)
    assert team.oidc == OidcSettings(**OIDC)


def test_the_review_service_runs_where_a2i_does_not(write: Write) -> None:
    assert load_settings(write(own().replace("eu-central-1", "eu-north-1"))).region == "eu-north-1"


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
