"""The audit report as one HTML page that needs nothing else: no scripts, no addresses."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Document = Mapping[str, Any]

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d9dee4;--bar:#3b6ea5;--whisker:#1b1f24;
--paper:#fff;--wrong:#b3261e;--right:#1e7b34}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#363d45;--bar:#6ea3dc;
--whisker:#e6e9ed;--paper:#15181c;--wrong:#ff8a80;--right:#7fd492}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:62rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}
h2{margin:2.5rem 0 .5rem;border-bottom:2px solid var(--line);padding-bottom:.2rem}
h3{margin:1.5rem 0 .3rem;font-size:1rem}p{margin:.3rem 0}
.soft{color:var(--soft)}.wrong{color:var(--wrong);font-weight:600}.right{color:var(--right);font-weight:600}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}td.n,th.n{text-align:right;white-space:nowrap}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:1rem;margin:1rem 0}
.figures b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}
code{font-size:.85em;overflow-wrap:anywhere}
svg{display:block;width:100%;height:1.4rem}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}table{break-inside:auto}tr{break-inside:avoid}}
"""


def report_page(report: Document, *, title: str) -> str:
    """The page of a report, and of its verification where it has one."""
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(_time(report["from"]))} to {escape(_time(report["to"]))} · '
        f"{report['entries']:,} audit entries</p>",
        _verification(report.get("verification")),
        *(_use_case(name, figures) for name, figures in report["use_cases"].items()),
        "" if report["use_cases"] else "<p>No decision was audited in this time.</p>",
        _switches(report["kill_switch"]),
        _changes(report["changes"]),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="'
        "default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(part for part in parts if part)
        + "</body></html>\n"
    )


def _verification(found: Document | None) -> str:
    if found is None:
        return '<p class="soft">The log was not verified for this report.</p>'
    anchors = f"{found['links']:,} links, {found['anchors']:,} anchors"
    if not found["faults"]:
        return f'<p><span class="right">The audit log is intact.</span> {anchors}.</p>'
    rows = [(fault["shard"], fault["seq"], fault["code"], fault["detail"]) for fault in found["faults"]]
    heading = f'<p><span class="wrong">The audit log has {len(rows)} faults.</span> {anchors}.</p>'
    return heading + _table(("Chain", "Place", "Fault", "What is wrong"), rows, numbers={1})


def _use_case(name: str, figures: Document) -> str:
    decisions = figures["decisions"]
    shown = (
        ("received", "received"),
        ("final_by_model", "decided by the model"),
        ("final_by_people", "decided by people"),
        ("escalated", "escalated"),
        ("cancelled", "cancelled"),
        ("contested", "contested"),
    )
    return "\n".join(
        [
            f"<h2>{escape(name or 'unknown use case')}</h2>",
            '<div class="figures">'
            + "".join(f"<div><b>{decisions[key]:,}</b>{words}</div>" for key, words in shown)
            + "</div>",
            _bars("Received by day", decisions["received_by_day"]),
            _bars("Routes", figures["routes"]),
            _bars("Reasons why people decide", figures["reasons"]),
            _bars("Rules", figures["rules"]),
            _shares(figures),
            _times(figures),
            _reviews(figures["reviews"]),
        ]
    )


def _shares(figures: Document) -> str:
    agreement = figures["agreement"]
    rows = [
        ("People decided otherwise than the model", figures["override"]),
        ("… among spot checks", figures["spot_checks"]["override"]),
        ("People agreed with a model whose answer they saw", agreement["shown"]),
        ("People agreed with a model whose answer they did not see", agreement["blind"]),
        ("Decisions that the truth, learnt later, confirmed", figures["truth"]),
    ]
    body = "".join(
        f'<tr><td>{escape(words)}</td><td class="n">{share["hits"]:,} of {share["cases"]:,}</td>'
        f'<td class="n">{_percent(share["share"])}</td><td class="n">{_interval(share)}</td>'
        f"<td>{_whisker(share)}</td></tr>"
        for words, share in rows
    )
    gap = agreement["shown_less_blind"]
    told = (
        '<p class="soft">Shown and blind agreement cannot be compared yet: one of them has no cases.</p>'
        if gap is None
        else f"<p>Agreement is {100 * gap['difference']:+.1f} points higher where the answer is shown "
        f"({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}).</p>"
    )
    return (
        "<h3>People and the model</h3><table><tr><th></th><th class=n>Cases</th><th class=n>Share</th>"
        "<th class=n>95 % interval</th><th></th></tr>" + body + "</table>" + told
    )


def _times(figures: Document) -> str:
    rows = [
        ("Time on task", figures["time_on_task_s"]),
        ("To a decision by the model", figures["time_to_final_s"]["model"]),
        ("To a decision by people", figures["time_to_final_s"]["human"]),
    ]
    cells = [
        (words, f"{spread['count']:,}", *(_seconds(spread[key]) for key in ("mean", "p50", "p95", "longest")))
        for words, spread in rows
    ]
    heads = ("", "Cases", "Mean", "Half within", "95 % within", "Longest")
    return "<h3>Times</h3>" + _table(heads, cells, numbers={1, 2, 3, 4, 5})


def _reviews(reviews: Document) -> str:
    rows: list[tuple[object, ...]] = [
        ("human loops started", f"{reviews['started']:,}"),
        ("readers disagreed", f"{reviews['readers_disagreed']:,}"),
        ("late answers kept, not used", f"{reviews['late_answers_kept']:,}"),
        ("review terms replaced", f"{reviews['terms_replaced']:,}"),
    ]
    rows += [(f"came to nothing: {code}", f"{n:,}") for code, n in reviews["came_to_nothing"].items()]
    rows += [(f"escalated: {code}", f"{n:,}") for code, n in reviews["escalated_for"].items()]
    return "<h3>Reviews</h3>" + _table(("", "Times"), rows, numbers={1})


def _switches(times: Sequence[Document]) -> str:
    rows = [
        (
            one["scope"],
            "drill" if one["is_drill"] else "in earnest",
            _time(one["on_at"]),
            one["on_by"],
            _time(one["off_at"]) if one["off_at"] else "still on",
            one["off_by"] or "",
            _seconds(one["seconds"]),
            one["reason"],
        )
        for one in times
    ]
    heads = ("Scope", "Why", "On", "By", "Off", "By", "For", "Reason")
    empty = "<p>No kill switch was on, and no drill was held.</p>"
    return "<h2>Kill switches and drills</h2>" + (_table(heads, rows, numbers={6}) if rows else empty)


def _changes(changes: Sequence[Document]) -> str:
    rows = [
        (
            _time(one["at"]),
            one["subject"],
            one["event"],
            one["proposed_by"],
            one["approved_by"],
            one["ticket"],
            "; ".join(f"{member['member']}: {member['from']} → {member['to']}" for member in one["changed"]),
        )
        for one in changes
    ]
    heads = ("At", "What", "Event", "Proposed by", "Approved by", "Ticket", "Members changed")
    return "<h2>Changes</h2>" + (_table(heads, rows) if rows else "<p>Nothing was changed.</p>")


def _bars(title: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    most = max(counts.values())
    rows = "".join(
        f'<tr><td>{escape(str(name))}</td><td class="n">{count:,}</td><td style="width:60%">'
        f'<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{100 * count / most:.2f}" height="6" fill="var(--bar)"/></svg></td></tr>'
        for name, count in counts.items()
    )
    return f"<h3>{escape(title)}</h3><table>{rows}</table>"


def _whisker(share: Document) -> str:
    if share["share"] is None:
        return ""
    low, high, value = 100 * share["low"], 100 * share["high"], 100 * share["share"]
    return (
        '<svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" style="min-width:8rem">'
        '<rect y="2.7" width="100" height=".6" fill="var(--line)"/>'
        f'<rect x="{low:.2f}" y="2" width="{max(high - low, 0.4):.2f}" height="2" fill="var(--bar)"/>'
        f'<rect x="{min(value, 99.4):.2f}" width=".6" height="6" fill="var(--whisker)"/></svg>'
    )


def _table(heads: Iterable[str], rows: Iterable[Sequence[object]], *, numbers: Iterable[int] = ()) -> str:
    right = frozenset(numbers)

    def cell(tag: str, place: int, text: object) -> str:
        mark = ' class="n"' if place in right else ""
        return f"<{tag}{mark}>{escape(str(text))}</{tag}>"

    head = "".join(cell("th", place, text) for place, text in enumerate(heads))
    body = "".join(
        f"<tr>{''.join(cell('td', place, text) for place, text in enumerate(row))}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f} %"


def _interval(share: Document) -> str:
    return "—" if share["share"] is None else f"{100 * share['low']:.1f} to {100 * share['high']:.1f} %"


def _seconds(value: float | None) -> str:
    if value is None:
        return "—"
    if value < 120:
        return f"{value:,.1f} s"
    return f"{value / 60:,.1f} min" if value < 7200 else f"{value / 3600:,.1f} h"


def _time(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC"
