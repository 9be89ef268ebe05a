"""The promise of a certified threshold, draw after draw: `make guarantee` in short, and its tables."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import statistics_table
from benchmarks.guarantee import (
    DELTA,
    Population,
    family_violations,
    imdb,
    labelled_imdb,
    measure,
    missed_violations,
    mnist,
    overconfident,
    synthetic,
    table,
)
from benchmarks.marked import replace_between

DRAWS = 250


@pytest.fixture(scope="module")
def _imdb() -> Population:
    return imdb()


def test_the_promise_is_kept_at_a_good_coverage_where_the_naive_rule_fails(_imdb: Population) -> None:  # noqa: PT019
    row = measure(_imdb, alpha=0.05, draws=DRAWS, seed=1)
    assert row.keeps_its_promise
    assert row.guaranteed.violations > 0  # else it would be needlessly strict
    assert row.guaranteed.coverage >= 0.9 * row.oracle
    assert row.oracle == pytest.approx(0.80, abs=0.01)  # the figure known for this set
    assert row.naive.violations > 0.25


@pytest.mark.parametrize("population", [mnist, synthetic])
def test_the_promise_on_other_sets(population: type) -> None:
    row = measure(population(), alpha=0.05, draws=DRAWS, seed=2)
    assert row.keeps_its_promise
    assert row.guaranteed.coverage >= 0.9 * row.oracle


def test_the_promise_where_the_most_confident_are_wrong_more_often() -> None:
    assert measure(overconfident(), alpha=0.05, draws=DRAWS, seed=3).keeps_its_promise


def test_a_smaller_bound_is_kept_too(_imdb: Population) -> None:  # noqa: PT019
    assert measure(_imdb, alpha=0.02, draws=DRAWS, seed=4).keeps_its_promise


def test_thresholds_for_labels_keep_their_promises_together() -> None:
    scores = labelled_imdb()
    allowed = DELTA + 2 * (DELTA * (1 - DELTA) / 100) ** 0.5
    assert family_violations(scores, alpha=0.05, draws=100, seed=5) <= allowed
    assert missed_violations(scores, alpha=0.05, draws=100, seed=6) <= allowed


def test_the_table_says_when_a_promise_is_broken(_imdb: Population) -> None:  # noqa: PT019
    row = measure(_imdb, alpha=0.05, draws=20, seed=7)
    kept = table([row], by_label=0.01, missed=0.02)
    assert "| kept |" in kept
    naive_as_if_certified = type(row)(row.population, row.alpha, row.draws, row.oracle, row.naive, row.naive)
    assert "| BROKEN |" in table([naive_as_if_certified], by_label=0.01, missed=0.02)


def test_a_table_is_written_between_its_markers_only(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("a\n<!-- one:begin -->\nold\n<!-- one:end -->\nb\n")
    replace_between(document, name="one", text="new")
    replace_between(document, name="one", text="newer")
    assert document.read_text() == "a\n<!-- one:begin -->\nnewer\n<!-- one:end -->\nb\n"
    with pytest.raises(ValueError, match="two:begin"):
        replace_between(document, name="two", text="new")


def test_the_benchmark_table_takes_the_statistics_only() -> None:
    rows = [
        {"name": "routing core", "value": 1.0, "unit": "s", "baseline": None, "ratio": None},
        {"name": "threshold: of 1M points", "value": 0.05, "unit": "s", "baseline": 2.5, "ratio": 0.02},
        {
            "name": "monitor: false alarms",
            "value": 12_345.0,
            "unit": "looks",
            "baseline": None,
            "ratio": None,
        },
    ]
    text = statistics_table.table(rows)
    assert "routing" not in text
    assert "| threshold: of 1M points | 0.05 | s | 2.5 | 0.02 |" in text
    assert "| monitor: false alarms | 12,345 | looks | – | – |" in text
    assert statistics_table.table(rows[:1]) == "(none measured yet: `make bench`)"


def test_the_benchmark_table_leaves_out_no_figure_of_the_monitors() -> None:
    source = (statistics_table.ROOT / "benchmarks/monitor.py").read_text()
    names = re.findall(r'_beside\(\s*f?"([^"]+)"', source)
    assert len(names) > 10
    assert [name for name in names if not name.startswith(statistics_table.AREAS)] == []


def test_the_document_has_the_markers_of_both_tables() -> None:
    text = (Path(__file__).parents[3] / "docs/statistics.md").read_text()
    for name in ("guarantee", "bench"):
        assert text.count(f"<!-- {name}:begin -->") == text.count(f"<!-- {name}:end -->") == 1


def test_the_core_of_the_statistics_is_imported_in_half_a_second_and_without_scipy() -> None:
    modules = [
        f"overread.risk.{name}" for name in ("thresholds", "calibration", "curves", "costs", "reference")
    ]
    code = (
        "import sys, numpy, time\n"
        "started = time.process_time()\n"
        f"import {', '.join(modules)}\n"
        "print(time.process_time() - started, 'scipy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    seconds, has_scipy = run.stdout.split()
    assert has_scipy == "False"
    assert float(seconds) <= 0.5
