"""The report on one labeling job as one HTML page, and in a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from overread_cli.labeling_jobs.progress import JobView
from overread_cli.labeling_jobs.report_figures import JobFigures, WorkerFigures
from overread_cli.manifest.reporting import count
from overread_cli.review.loops import age
from overread_cli.statistics.page import (
    bullets,
    facts,
    figure,
    figures,
    heading,
    heat_table,
    page,
    percent,
    promise,
    table,
    whisker,
)

_POINTS = 200
_LIMITS = (
    "Agreement with the final label flatters: the label is made of these very answers. Gold objects, whose "
    "label was known before, tell accuracy.",
    "Who was misled by the same thing, as by an unclear instruction, agrees and is wrong.",
)


def report_page(job: JobView, found: JobFigures, *, day: str) -> str:
    """The page."""
    return page(
        title=f"Labeling job {job.name}",
        lead=f"{day} · {job.status} · begun {job.created_at:%Y-%m-%d %H:%M} UTC",
        parts=[
            promise(_sentence(job, found)),
            figures(
                [
                    (f"{found.labeled:,}", "objects labeled"),
                    (f"{found.failed:,}", "without a label"),
                    (f"{found.answers:,}", "answers"),
                    (f"{found.hours:,.1f} h", "of people's work"),
                    (f"{found.median_s:,.0f} s" if found.median_s is not None else "—", "median of a task"),
                    (percent(found.mean_confidence), "mean confidence"),
                ]
            ),
            *_progress(found),
            heading("How far people agree"),
            _agreement(found),
            *_workers(found.workers),
            *_labels(found),
            *_hardest(found),
            heading("What to keep in mind"),
            bullets([*_LIMITS, *_unread(found)]),
            facts(
                [("Job", job.arn), ("Labels", job.output_uri or "none yet")],
                caption="Where it is",
            ),
        ],
    )


def report_lines(job: JobView, found: JobFigures) -> list[str]:
    """The same in short."""
    lines = [f"{job.name}: {job.status}", _sentence(job, found)]
    lines.append(
        f"{found.answers:,} answers of {len(found.workers):,} people in {found.hours:,.1f} hours of work"
        + (f", {found.median_s:,.0f} s each by median" if found.median_s is not None else "")
    )
    lines.append(_agreement_in_words(found))
    for one in found.workers[:20]:
        told = f"  {one.worker}: {one.answers:,} answers"
        if one.median_s is not None:
            told += f", {one.median_s:,.0f} s"
        if one.interval is not None:
            told += f", {_share(one)} as the final label"
        if one.gold_total:
            told += f", {one.gold_right} of {one.gold_total} gold right"
        lines.append(told)
    if len(found.workers) > 20:
        lines.append(f"  and {len(found.workers) - 20:,} more")
    if found.hardest:
        lines.append("hardest objects:")
        lines += [f"  {one.object_id}: {_said(one.said)}  {one.source[:60]!r}" for one in found.hardest[:5]]
    return lines + _unread(found)


def _sentence(job: JobView, found: JobFigures) -> str:
    if not found.objects:
        told = f"{job.counters.total_labeled:,} of {job.counters.objects:,} objects are labeled"
        return f"{told}; no labels are written yet."
    begin = f"{found.labeled:,} of {found.objects:,} objects have a label"
    if found.by_machine:
        begin += f", {found.by_machine:,} of them by machine"
    return f"{begin}; {found.failed:,} failed." if found.failed else f"{begin}."


def _progress(found: JobFigures) -> list[str]:
    moments = [at for text in found.submitted if (at := _moment(text)) is not None]
    if len(moments) < 2 or moments[-1] <= moments[0]:
        return []
    span = (moments[-1] - moments[0]).total_seconds()
    step = max(1, len(moments) // _POINTS)
    points = [*range(0, len(moments), step), len(moments) - 1]
    line = " ".join(
        f"{100 * (moments[n] - moments[0]).total_seconds() / span:.2f},{30 - 30 * (n + 1) / len(moments):.2f}"
        for n in points
    )
    svg = (
        '<svg viewBox="0 -1 100 32" preserveAspectRatio="none" style="height:11rem" role="img" '
        f'aria-label="Answers over {age(span)}">'
        '<line x1="0" y1="30" x2="100" y2="30" stroke="var(--line)" stroke-width=".3"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--bar)" stroke-width="2" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )
    caption = (
        f"{len(moments):,} answers from {moments[0]:%Y-%m-%d %H:%M} to {moments[-1]:%Y-%m-%d %H:%M} UTC, "
        f"{age(span)}."
    )
    return [heading("Progress"), figure(svg, caption=caption)]


def _agreement(found: JobFigures) -> str:
    one = found.agreement
    if not found.answers:
        return bullets(["No answers are written yet."])
    if one is None:
        return bullets(["Answers of this kind are no choices of labels: no agreement is reckoned of them."])
    interval = "—" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
    value = "undefined" if one.value is None else f"{one.value:.3f}"
    return table(
        ("Statistic", "Value", "95 % interval", "Objects"),
        [(one.statistic, value, interval, f"{one.items:,}")],
        caption="1 is full agreement, 0 what chance alone would give.",
        numbers=(1, 2, 3),
    )


def _agreement_in_words(found: JobFigures) -> str:
    one = found.agreement
    if not found.answers:
        return "agreement: no answers are written yet"
    if one is None:
        return "agreement: none is reckoned of answers that are no choices of labels"
    if one.value is None:
        return f"agreement: undefined ({one.note or 'too few answers of several people'})"
    interval = "" if one.low is None or one.high is None else f" ({one.low:.3f} to {one.high:.3f})"
    return f"agreement: {one.statistic} {one.value:.3f}{interval} over {one.items:,} objects"


def _workers(workers: Sequence[WorkerFigures]) -> list[str]:
    has_gold = any(one.gold_total for one in workers)
    rows = []
    for one in workers[:200]:
        row: list[object] = [
            one.worker,
            f"{one.answers:,}",
            "—" if one.median_s is None else f"{one.median_s:,.0f} s",
            _share(one),
            ""
            if one.interval is None
            else whisker(one.interval[0], one.agreed / one.compared, one.interval[1]),
            _drift(one),
        ]
        if has_gold:
            upper = "" if one.gold_upper is None else f", at most {percent(one.gold_upper, places=0)}"
            row.append(f"{one.gold_right} of {one.gold_total}{upper}" if one.gold_total else "—")
        rows.append(row)
    heads = ["Worker", "Answers", "Median", "As the final label", "95 % interval", "First half → second"]
    if has_gold:
        heads.append("Right on gold")
    return [
        heading("Workers"),
        table(heads, rows, caption="Names are those of the answer files.", numbers=(1, 2, 3)),
    ]


def _labels(found: JobFigures) -> list[str]:
    parts: list[str] = []
    if found.labels:
        rows = [(name, f"{number:,}") for name, number in list(found.labels.items())[:50]]
        parts += [
            heading("Labels"),
            table(("Label", "Objects"), rows, caption="Of labeled objects.", numbers=(1,)),
        ]
    names = list(found.confusion)
    if len(names) > 1:
        counts = [[found.confusion[right][given] for given in names] for right in names]
        parts.append(heat_table(counts, names, caption="A row a final label, a column what people answered."))
    return parts


def _hardest(found: JobFigures) -> list[str]:
    if not found.hardest:
        return []
    rows = [
        (
            one.object_id,
            one.source[:160],
            one.label or "none",
            percent(one.confidence, places=0),
            _said(one.said),
        )
        for one in found.hardest
    ]
    caption = "The least sure ones: look here for what the guideline leaves open."
    heads = ("Object", "Source", "Label", "Sure", "People said")
    return [heading("Hardest objects"), table(heads, rows, caption=caption, numbers=(3,))]


def _said(said: dict[str, int] | object) -> str:
    counts = said if isinstance(said, dict) else {}
    return ", ".join(f"{label} × {number}" for label, number in counts.items()) or "—"


def _share(one: WorkerFigures) -> str:
    return "—" if not one.compared else percent(one.agreed / one.compared)


def _drift(one: WorkerFigures) -> str:
    if one.early is None or one.late is None:
        return "—"
    return f"{percent(one.early, places=0)} → {percent(one.late, places=0)}"


def _unread(found: JobFigures) -> list[str]:
    if not found.unreadable:
        return []
    return [f"{count(found.unreadable, 'answer file')} could not be read; what is in it is not counted."]


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
