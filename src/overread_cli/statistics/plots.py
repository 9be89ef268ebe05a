"""Plots as SVG that stands in an HTML page: no fonts, scripts or addresses of its own, the page's colours.

The same figures give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any, TypeVar

_COLOURS = {
    "ink": "#1b1f24",
    "soft": "#5b6570",
    "line": "#d9dee4",
    "bar": "#3b6ea5",
    "wrong": "#b3261e",
    "right": "#1e7b34",
    "paper": "#fefefe",
}
_INK, _SOFT, _LINE, _BAR, _WRONG, _RIGHT, _PAPER = _COLOURS.values()
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "overread",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
Plot = TypeVar("Plot", bound=Callable[..., str])
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def _styled(plot: Plot) -> Plot:
    """Draws with these settings, whatever the user's own are."""

    @wraps(plot)
    def styled(*args: Any, **options: Any) -> str:
        import matplotlib  # noqa: PLC0415 - half a second that only reports need

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_SETTINGS)
            return plot(*args, **options)

    return styled  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Point:
    """A named point, and how high it may truly be."""

    name: str
    x: float
    y: float
    high: float | None = None


@_styled
def coverage_risk(lines: Sequence[Line], *, points: Sequence[Point], alpha: float, alt: str) -> str:
    """Error among automatic cases against the share of automatic cases, with the promised limit.

    The points are the certified ones, each with its upper bound.
    """
    figure, axes = _axes()
    for line, colour in zip(lines, (_BAR, _RIGHT, _SOFT), strict=False):
        axes.plot(_percents(line.x), _percents(line.y), color=colour, label=line.name)
    axes.axhline(
        100 * alpha, color=_WRONG, linewidth=1.1, linestyle=":", label=f"promised limit {100 * alpha:g} %"
    )
    for point, colour in zip(points, (_BAR, _RIGHT, _SOFT), strict=False):
        axes.errorbar(
            [100 * point.x],
            [100 * point.y],
            yerr=None if point.high is None else [[0.0], [100 * max(0.0, point.high - point.y)]],
            marker="o",
            markersize=8,
            capsize=4,
            color=colour,
            linestyle="none",
            markeredgecolor=_PAPER,
            label=point.name,
            zorder=5,
        )
    highest = max([alpha, *(value for line in lines for value in line.y), *(point.y for point in points)])
    axes.set(
        xlabel="decided automatically, % of cases",
        ylabel="wrong among them, %",
        xlim=(0, 101),
        ylim=(0, min(100.0, 100 * max(1.6 * alpha, 1.12 * min(highest, 4 * alpha)))),
    )
    axes.legend(loc="upper left", fontsize=9)
    return _svg(figure, name="coverage-risk", alt=alt)


@_styled
def reliability(
    before: Sequence[tuple[float, float, float, float, int]],
    *,
    after: Sequence[tuple[float, float, float, float, int]] = (),
    alt: str,
) -> str:
    """Share of right ones against the stated confidence; a bin is (confidence, right, low, high, count)."""
    figure, axes = _axes(height=3.6)
    axes.plot([0, 100], [0, 100], color=_SOFT, linewidth=1, linestyle=":", label="as good as stated")
    shown = [("as stated", before, _BAR, "o")] + ([("calibrated", after, _RIGHT, "s")] if after else [])
    for name, bins, colour, marker in shown:
        x = [100 * one[0] for one in bins]
        y = [100 * one[1] for one in bins]
        low = [max(0.0, 100 * (one[1] - one[2])) for one in bins]
        high = [max(0.0, 100 * (one[3] - one[1])) for one in bins]
        axes.errorbar(
            x,
            y,
            yerr=[low, high],
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=1.2,
            elinewidth=1,
            label=name,
        )
    lowest = min([100.0, *(100 * min(one[0], one[2]) for _, bins, _, _ in shown for one in bins)])
    begin = max(0.0, 10 * (lowest // 10))
    axes.set(xlabel="stated confidence, %", ylabel="right, %", xlim=(begin, 101), ylim=(begin, 101))
    axes.legend(loc="upper left", fontsize=9)
    return _svg(figure, name="reliability", alt=alt)


@_styled
def histogram(groups: Sequence[tuple[str, Sequence[float]]], *, edges: Sequence[float], alt: str) -> str:
    """How many cases have which confidence; the groups' counts are stacked."""
    figure, axes = _axes(height=2.8)
    width = edges[1] - edges[0]
    base = [0.0] * (len(edges) - 1)
    for (name, counts), colour in zip(groups, (_BAR, _WRONG, _LINE), strict=False):
        axes.bar(
            [100 * edge for edge in edges[:-1]],
            counts,
            width=100 * width * 0.94,
            bottom=base,
            align="edge",
            color=colour,
            label=name,
        )
        base = [below + count for below, count in zip(base, counts, strict=True)]
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="confidence, %", ylabel="items", xlim=(100 * edges[0], 100 * edges[-1]))
    if len(groups) > 1:
        axes.legend(loc="upper left", fontsize=9)
    return _svg(figure, name="confidence", alt=alt)


@_styled
def costs(line: Line, *, points: Sequence[Point], alt: str) -> str:
    """What a case costs on average against the share of automatic cases."""
    figure, axes = _axes(height=3.2)
    axes.plot(_percents(line.x), list(line.y), color=_BAR, label=line.name)
    for point, colour in zip(points, (_RIGHT, _INK), strict=False):
        axes.plot(
            [100 * point.x],
            [point.y],
            marker="o",
            markersize=8,
            color=colour,
            linestyle="none",
            markeredgecolor=_PAPER,
            label=point.name,
            zorder=5,
        )
    axes.set(xlabel="decided automatically, % of cases", ylabel="mean cost a case", xlim=(0, 101))
    axes.set_ylim(bottom=0)
    axes.legend(loc="best", fontsize=9)
    return _svg(figure, name="costs", alt=alt)


def _percents(shares: Sequence[float]) -> list[float]:
    return [100 * share for share in shares]


def _axes(*, height: float = 3.8) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - here already

    figure = Figure(figsize=(7.6, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def _svg(figure: Any, *, name: str, alt: str) -> str:
    """The figure as an `svg` element whose ids begin with `name`, in the page's colours and fonts."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=_METADATA, transparent=True)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r" xmlns(:\w+)?=\"[^\"]*\"", "", svg)
    svg = svg.replace("xlink:href=", "href=")
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg))
    svg = re.sub(
        r" id=\"([^\"]*)\"", lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg
    )
    svg = re.sub(r"(href=\"#|url\(#)", rf"\g<1>{name}-", svg)
    for colour, code in _COLOURS.items():
        svg = svg.replace(code, f"var(--{colour})")
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)
    svg = re.sub(r"<svg [^>]*viewBox=\"([^\"]*)\"[^>]*>", r'<svg viewBox="\1" role="img">', svg, count=1)
    return svg.replace(">", f"><title>{escape(alt)}</title>", 1).strip()
