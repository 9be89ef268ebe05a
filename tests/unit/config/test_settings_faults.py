"""Every rule of the configuration, broken once: file, line, field, value and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.config.broken import LOANS, oidc, own
from tests.unit.config.broken_accounts import ACCOUNTS
from tests.unit.config.broken_adoption import ADOPTION
from tests.unit.config.broken_analytics import ANALYTICS
from tests.unit.config.broken_decisions import DECISIONS
from tests.unit.config.broken_deployments import DEPLOYMENTS
from tests.unit.config.broken_guarantees import GUARANTEES
from tests.unit.config.broken_operations import OPERATIONS
from tests.unit.config.broken_organization import ORGANIZATION
from tests.unit.config.broken_people import PEOPLE
from tests.unit.config.broken_reviews import REVIEWS
from tests.unit.config.broken_services import SERVICES
from tests.unit.config.broken_studio import STUDIO
from tests.unit.config.broken_use_cases import USE_CASES
from tests.unit.config.broken_values import VALUES
from tests.unit.config.conftest import VALID, Write, changed

from overread_config import ConfigError, Fault, load_settings
from overread_config.reference import every_setting

BROKEN = (
    ACCOUNTS
    | ADOPTION
    | ORGANIZATION
    | OPERATIONS
    | ANALYTICS
    | STUDIO
    | VALUES
    | DEPLOYMENTS
    | USE_CASES
    | REVIEWS
    | DECISIONS
    | PEOPLE
    | SERVICES
    | GUARANTEES
)


def faults_of(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    return error.value.faults


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_reports_file_line_field_value_and_what_is_allowed(name: str, write: Write) -> None:
    broken = BROKEN[name]
    file = write(broken.text)
    found = [fault for fault in faults_of(file) if fault.field == broken.field]
    assert len(found) == 1, faults_of(file)
    (fault,) = found
    assert fault.file == file
    assert fault.line == broken.line, str(fault)
    assert broken.value in fault.value
    assert broken.allowed in fault.allowed + fault.problem
    assert broken.problem in fault.problem
    assert str(fault).startswith(f"{file}:{fault.line}: {fault.field}: ")


def test_every_setting_is_broken_once() -> None:
    paths = {re.sub(r"\[[0-9]\]", "[]", case.field) for case in BROKEN.values()}
    paths = {re.sub(r"^(use_cases|teams)\.[a-z]+", r"\1.<name>", path) for path in paths}
    paths |= {path.partition("[]")[0] for path in paths}
    assert [path for path, _ in every_setting() if path not in paths] == []


def test_all_faults_are_reported_together_in_the_order_of_the_file(write: Write) -> None:
    text = changed("threshold: 0.9", "threshold: .nan").replace("team: readers", "team: writers")
    text = text.replace("environment: test", "environment: TEST") + "budget: 7\n"
    faults = faults_of(write(text))
    assert [fault.field for fault in faults] == [
        "environment",
        f"{LOANS}.routing.threshold",
        f"{LOANS}.review.team",
        "budget",
    ]


@pytest.mark.parametrize(
    "workforce",
    [
        "",
        "workforce:\n  mode: adopt\n  cognito: {domain_prefix: readers}\n",
        "workforce:\n  identity: oidc\n" + oidc().partition("identity: oidc\n")[2].partition("teams:")[0],
    ],
)
def test_an_adopted_workforce_of_the_review_service_is_one_fault_without_what_follows_from_it(
    workforce: str, write: Write
) -> None:
    text = own().replace("workforce:\n  mode: create\n", workforce)
    (fault,) = faults_of(write(text))
    assert (fault.field, fault.allowed) == ("workforce.mode", "`create`")


def test_two_use_cases_with_the_same_output_name_are_refused(write: Write) -> None:
    block = VALID[VALID.index("  loans:") : VALID.index("workforce:")]
    text = VALID.replace(block, block.replace("loans:", "a-1:", 1) + block.replace("loans:", "a1:", 1))
    (fault,) = faults_of(write(text))
    assert (fault.field, fault.line) == ("use_cases.a1", text.splitlines().index("  a1:") + 1)
    assert "`a-1`" in fault.problem


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("environment: [", 2, "is not YAML"),
        ("a: 1\n  b: 2\n", 2, "is not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "is not YAML"),
        ("a: \x01\n", 0, "is not YAML"),
        ("", 1, "must hold settings"),
        ("- a\n", 1, "must hold settings"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_fault(text: str, line: int, problem: str, write: Write) -> None:
    (fault,) = faults_of(write(text))
    assert (fault.line, fault.field, fault.problem) == (line, "(file)", problem)


def test_a_file_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    (fault,) = faults_of(file)
    assert fault.problem == "there is no such file"
    assert str(fault).startswith(f"{file}: (file): there is no such file; got {file}; allowed: ")


def test_a_file_that_is_not_utf8_is_one_fault(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("environment: café\n".encode("latin-1"))
    (fault,) = faults_of(file)
    assert fault.problem == "cannot be read as UTF-8 text"
