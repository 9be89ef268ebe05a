"""One HTML page that needs nothing else: no scripts, no addresses; readable in print, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import isnan

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d9dee4;--bar:#3b6ea5;--wrong:#b3261e;
--right:#1e7b34;--paper:#fff;--band:#eef2f6}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#363d45;--bar:#6ea3dc;
--wrong:#ff8a80;--right:#7fd492;--paper:#15181c;--band:#1f242a}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:56rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}
h2{margin:2.5rem 0 .5rem;border-bottom:2px solid var(--line);padding-bottom:.2rem;font-size:1.25rem}
h3{margin:1.5rem 0 .3rem;font-size:1rem}p{margin:.4rem 0}li{margin:.2rem 0}
.promise{font-size:1.2rem;line-height:1.45;margin:1rem 0;padding:.8rem 1rem;background:var(--band);
border-left:.3rem solid var(--bar)}
.promise.refused{border-left-color:var(--wrong)}.promise.kept{border-left-color:var(--right)}
.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin:.5rem 0 1rem}
caption{text-align:left;color:var(--soft);padding:.2rem 0}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;
overflow-wrap:break-word}table.facts td{overflow-wrap:anywhere}
th{font-weight:600;color:var(--soft)}td.n,th.n{text-align:right;white-space:nowrap}
td.h{text-align:right;padding-right:.4rem}
td.w{min-width:9rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:1rem;margin:1rem 0}
.figures div{overflow-wrap:anywhere}
.figures b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:0 2rem}
figure{margin:1rem 0;break-inside:avoid}
figcaption{color:var(--soft)}
figure svg{display:block;width:100%;height:auto}
figure svg *{stroke-linejoin:round;stroke-linecap:butt}
svg.whisker{display:block;width:100%;height:1.3rem}
code{font-size:.85em;overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none}h2,h3{break-after:avoid}tr,.promise,.figures{break-inside:avoid}
.promise,td{print-color-adjust:exact}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(*, title: str, lead: str, parts: Iterable[str]) -> str:
    """The page; `lead` is text under its title, `parts` are HTML made by the functions below."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="soft">{escape(lead)}</p>\n'
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def promise(text: str, *, state: str = "") -> str:
    """What the page says, in one sentence; `state` is kept, refused or empty."""
    return f'<p class="promise {escape(state)}">{escape(text)}</p>'


def heading(text: str) -> str:
    """Begins a section."""
    return f"<h2>{escape(text)}</h2>"


def subheading(text: str) -> str:
    """Begins a part of a section."""
    return f"<h3>{escape(text)}</h3>"


def paragraph(text: str) -> str:
    """Plain text."""
    return f"<p>{escape(text)}</p>"


def bullets(texts: Iterable[str]) -> str:
    """Plain texts, one under the other."""
    listed = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{listed}</ul>" if listed else ""


def figures(shown: Iterable[tuple[str, str]]) -> str:
    """Large figures, each with the words that say what it is."""
    cells = "".join(f"<div><b>{escape(value)}</b>{escape(words)}</div>" for value, words in shown)
    return f'<div class="figures">{cells}</div>'


def side_by_side(parts: Iterable[str]) -> str:
    """Parts beside each other where there is room."""
    return f'<div class="side">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def figure(svg: str, *, caption: str) -> str:
    """A plot with its caption."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    numbers: Iterable[int] = (),
) -> str:
    """A table; columns in `numbers` stand right. A `Drawn` cell is put in as it is."""
    right = frozenset(numbers)
    head = "".join(
        f'<th scope="col"{_right(place in right)}>{escape(text)}</th>' for place, text in enumerate(heads)
    )
    body = "\n".join(
        f"<tr>{''.join(_cell(value, is_number=place in right) for place, value in enumerate(row))}</tr>"
        for row in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table>"
    )


def facts(rows: Iterable[tuple[str, str]], *, caption: str) -> str:
    """Names and what they are, in two columns without heads."""
    body = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows
    )
    return f'<table class="facts"><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>'


class Drawn(str):
    """HTML that a cell of a table holds as it is."""

    __slots__ = ()


def _cell(value: object, *, is_number: bool) -> str:
    if isinstance(value, Drawn):
        return f'<td class="w">{value}</td>'
    return f"<td{_right(is_number)}>{escape(str(value))}</td>"


def _right(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def whisker(low: float, value: float, high: float, *, mark: float | None = None) -> Drawn:
    """An interval on the scale from 0 to 1 with its estimate, and a mark where a bar stands."""
    at = "" if mark is None else f'<rect x="{_x(mark)}" width=".5" height="6" fill="var(--wrong)"/>'
    return Drawn(
        '<svg class="whisker" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect y="2.8" width="100" height=".4" fill="var(--line)"/>{at}'
        f'<rect x="{_x(low)}" y="2.2" width="{max(100 * (high - low), 0.4):.2f}" height="1.6" '
        'fill="var(--bar)"/>'
        f'<rect x="{_x(value)}" width=".6" height="6" fill="var(--ink)"/></svg>'
    )


def _x(value: float) -> str:
    return f"{min(100 * value, 99.4):.2f}"


def heat_table(
    counts: Sequence[Sequence[float]], names: Sequence[str], *, caption: str, across: Sequence[str] = ()
) -> str:
    """A confusion table: a row a truth, a column an answer, cells tinted by their share of the row.

    Whole counts are written as they are, shares as per cent.
    """
    columns = across or names
    is_share = all(abs(sum(row) - 1) < 1e-6 for row in counts if sum(row))
    head = "".join(f'<th scope="col" class="n">{escape(name)}</th>' for name in columns)
    lines = []
    for name, row in zip(names, counts, strict=True):
        total = sum(row) or 1.0
        cells = "".join(
            f'<td class="h" style="background:color-mix(in srgb,var(--bar) {70 * value / total:.0f}%,'
            f'transparent)">{100 * value:.0f} %</td>'
            if is_share
            else f'<td class="h" style="background:color-mix(in srgb,var(--bar) {70 * value / total:.0f}%,'
            f'transparent)">{value:,.0f}</td>'
            for value in row
        )
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def percent(share: float | None, *, places: int = 1) -> str:
    """`12.3 %`, or a dash where there is nothing to tell."""
    return "—" if share is None or isnan(share) else f"{100 * share:.{places}f} %"


def per_cent_of(share: float) -> str:
    """A share that was asked for, as short as it was given: `1 %`, `0.5 %`."""
    return f"{100 * share:.6g} %"
