"""`python -m benchmarks.statistics_table`: build/bench.json on statistics, in docs/statistics.md."""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.marked import replace_between

ROOT = Path(__file__).parents[1]
AREAS = ("consensus", "agreement", "threshold", "monitor")


def table(measurements: Iterable[Mapping[str, Any]]) -> str:
    """A Markdown row for each measurement of the statistics; "none measured" where there are none."""
    chosen = [each for each in measurements if str(each["name"]).startswith(AREAS)]
    if not chosen:
        return "(none measured yet: `make bench`)"
    lines = ["| what | figure | unit | baseline | figure / baseline |", "|---|---|---|---|---|"]
    for each in chosen:
        lines.append(
            f"| {each['name']} | {_number(each['value'])} | {each['unit']} "
            f"| {_number(each['baseline'])} | {_number(each['ratio'])} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Rewrite the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, default=ROOT / "build/bench.json")
    measurements = json.loads(parser.parse_args().input.read_text())
    replace_between(ROOT / "docs/statistics.md", name="bench", text=table(measurements))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
