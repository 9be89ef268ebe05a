"""What every report's page and plots have in common."""

from __future__ import annotations

import pytest

from overread_cli.statistics import plots
from overread_cli.statistics.page import facts, figure, heat_table, page, paragraph, promise, table, whisker
from overread_testing.report_pages import ReportPage

NASTY = '<script>alert("1")</script> & $x^2$'


def _page(*parts: str) -> ReportPage:
    return ReportPage(page(title=NASTY, lead=NASTY, parts=[promise(NASTY), *parts]))


def _plots(name: str) -> dict[str, str]:
    line = plots.Line(name, [0.0, 0.5, 1.0], [0.0, 0.01, 0.1])
    point = plots.Point(name, 0.5, 0.01)
    bins = [(0.55, 0.5, 0.4, 0.6, 10), (0.95, 0.9, 0.85, 0.94, 90)]
    return {
        "coverage-risk": plots.coverage_risk([line], points=[point], alpha=0.05, alt=name),
        "reliability": plots.reliability(bins, after=bins, alt=name),
        "confidence": plots.histogram(
            [("right", [1.0, 2.0]), (name, [0.0, 1.0])], edges=[0.8, 0.9, 1.0], alt=name
        ),
        "costs": plots.costs(line, points=[point], alt=name),
    }


def test_a_page_with_every_plot_is_whole_and_needs_nothing_else() -> None:
    drawn = _plots(NASTY)
    read = _page(*(figure(svg, caption=NASTY) for svg in drawn.values()))
    assert read.faults == []
    assert read.alts == [NASTY] * len(drawn)
    assert read.captions == [NASTY] * len(drawn)


def test_what_users_call_things_is_text_and_never_markup() -> None:
    read = _page(
        paragraph(NASTY),
        facts([(NASTY, NASTY)], caption=NASTY),
        table((NASTY, "n"), [(NASTY, 1)], caption=NASTY, numbers=(1,)),
        heat_table([[3.0, 1.0], [0.0, 2.0]], (NASTY, "b"), caption=NASTY),
    )
    assert read.faults == []
    assert [NASTY, "1"] in read.rows
    assert [NASTY, "3", "1"] in read.rows


def test_the_same_figures_give_the_same_bytes() -> None:
    assert _plots("x") == _plots("x")


def test_a_users_own_matplotlib_settings_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    expected = _plots("x")
    monkeypatch.setitem(matplotlib.rcParams, "axes.facecolor", "#ff0000")
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30)
    assert _plots("x") == expected
    assert matplotlib.rcParams["font.size"] == 30


def test_plots_have_the_pages_colours_so_that_dark_pages_can_be_read() -> None:
    for svg in _plots("x").values():
        assert "#" not in svg.replace('href="#', "").replace("url(#", "")
        assert "var(--ink)" in svg
        assert "xlink" not in svg


def test_a_confusion_table_of_shares_is_in_per_cent_of_the_row() -> None:
    read = _page(heat_table([[0.75, 0.25], [0.1, 0.9]], ("a", "b"), caption="shares"))
    assert ["a", "75 %", "25 %"] in read.rows


def test_a_whisker_stays_within_its_scale() -> None:
    for low, value, high in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.2, 0.5, 1.0)):
        drawn = whisker(low, value, high, mark=0.5)
        assert 'x="100' not in drawn
        assert "-" not in drawn.replace("preserveAspectRatio", "").replace("aria-hidden", "").replace(
            "var(--", ""
        )
