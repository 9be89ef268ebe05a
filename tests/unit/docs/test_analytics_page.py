"""docs/analytics.md lists every column of every table in the program's words."""

from pathlib import Path

import pytest

from overread.analytics import TABLES

PAGE = (Path(__file__).parents[3] / "docs/analytics.md").read_text()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_page_has_every_column_with_type_and_meaning(name: str) -> None:
    table = TABLES[name]
    _, _, after = PAGE.partition(f"### {name}\n")
    section, _, _ = after.partition("\n#")
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{one.name}` | {one.kind} | {one.tells} |" for one in table.columns]
    assert f"{table.tells} `dt`: {table.day}." in section


def test_the_page_has_no_other_table() -> None:
    _, _, tables = PAGE.partition("\n## Tables\n")
    titles = [line.removeprefix("### ") for line in tables.splitlines() if line.startswith("### ")]
    assert titles == list(TABLES)
