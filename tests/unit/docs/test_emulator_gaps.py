"""docs/emulator-gaps.md names, in every row, a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/emulator-gaps.md"
NAMED = re.compile(r"`(tests/[\w/.-]+\.py)::(test_\w+)`")


def rows() -> list[str]:
    """The table rows that describe a gap."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [line for line in lines if not line.startswith(("| AWS |", "|---"))]


def faults_of(row: str) -> list[str]:
    """What is wrong with a row: it names no test, or one that does not exist."""
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    if len(cells) != 3 or not all(cells):
        return [f"a row has three cells, got {len(cells)}: {row}"]
    named = NAMED.findall(cells[2])
    if not named:
        return [f"no test is named: {row}"]
    return [f"{path}::{name} does not exist" for path, name in named if name not in names_in(ROOT / path)]


def names_in(path: Path) -> set[str]:
    """The names of a file's test functions."""
    if not path.is_file():
        return set()
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return {function.name for function in functions}


def test_there_are_gaps_to_tell() -> None:
    assert len(rows()) >= 20


@pytest.mark.parametrize("row", rows())
def test_a_gap_names_a_test_that_exists(row: str) -> None:
    assert faults_of(row) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("| AWS does | we do not | nothing |", "no test is named"),
        ("| AWS does | we do not |", "three cells"),
        ("| a | b | `tests/unit/docs/test_emulator_gaps.py::test_nothing` |", "does not exist"),
        ("| a | b | `tests/unit/docs/no_such_file.py::test_there_are_gaps_to_tell` |", "does not exist"),
    ],
)
def test_a_row_without_a_real_test_is_a_fault(row: str, fault: str) -> None:
    assert fault in faults_of(row)[0]
