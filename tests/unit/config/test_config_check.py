"""`overread config check`: what it prints and how it ends."""

from __future__ import annotations

from click.testing import CliRunner
from tests.unit.config.conftest import VALID, Write, changed

from overread_cli.config_check import config


def test_a_valid_file_is_summed_up_and_ends_with_0(write: Write) -> None:
    file = write(VALID)
    result = CliRunner().invoke(config, ["check", str(file)])
    assert result.exit_code == 0
    assert result.stdout.startswith(
        f"OK {file}: overread-test, use cases loans; reviews by a2i; workforce adopt"
    )


def test_every_fault_is_printed_and_it_ends_with_2(write: Write) -> None:
    file = write(changed("threshold: 0.9", "threshold: 9").replace("team: readers", "team: writers"))
    result = CliRunner().invoke(config, ["check", str(file)])
    assert result.exit_code == 2
    assert result.stdout == ""
    first, second, last = result.stderr.splitlines()
    assert first.startswith(f"{file}:12: use_cases.loans.routing.threshold: ")
    assert second.startswith(f"{file}:14: use_cases.loans.review.team: ")
    assert last == f"{file}: 2 faults"


def test_a_fault_of_the_whole_file_names_no_line(write: Write) -> None:
    file = write(VALID).with_name("none.yaml")
    result = CliRunner().invoke(config, ["check", str(file)])
    assert result.exit_code == 2
    first, last = result.stderr.splitlines()
    assert first.startswith(f"{file}: (file): there is no such file; got {file}; ")
    assert last == f"{file}: 1 fault"
