"""Human loops as the commands list and show them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from overread.review.wire import LoopStatus
from overread_cli.review.targets import Target

FINISHED = frozenset({LoopStatus.COMPLETED, LoopStatus.STOPPED, LoopStatus.FAILED})
_PAGE = 100


@dataclass(frozen=True)
class ListedLoop:
    """One line of a listing; `age_s` counts from the loop's start."""

    name: str
    status: str
    flow_definition: str
    created_at: datetime
    age_s: float
    failure_reason: str = ""

    def document(self) -> dict[str, Any]:
        """The loop as one JSON object."""
        return {
            "name": self.name,
            "status": self.status,
            "flow_definition": self.flow_definition,
            "created_at": instant(self.created_at),
            "age_s": round(self.age_s, 1),
            "failure_reason": self.failure_reason or None,
        }


def loops_of(target: Target, arn: str, *, now: datetime) -> Iterator[ListedLoop]:
    """A flow definition's loops, the newest first, as pages come."""
    pages = target.a2i.get_paginator("list_human_loops").paginate(
        FlowDefinitionArn=arn, PaginationConfig={"PageSize": _PAGE}
    )
    for page in pages:
        for item in page["HumanLoopSummaries"]:
            yield ListedLoop(
                name=item["HumanLoopName"],
                status=item["HumanLoopStatus"],
                flow_definition=arn.rsplit("/", 1)[-1],
                created_at=item["CreationTime"],
                age_s=(now - item["CreationTime"]).total_seconds(),
                failure_reason=item.get("FailureReason", ""),
            )


def table(loops: Sequence[ListedLoop]) -> list[str]:
    """The loops as aligned lines with a heading."""
    rows = [("status", "age", "flow definition", "name")]
    rows += [(loop.status, age(loop.age_s), loop.flow_definition, loop.name) for loop in loops]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        f"{status:<{widths[0]}}  {old:>{widths[1]}}  {flow:<{widths[2]}}  {name}"
        for status, old, flow, name in rows
    ]


def described(loop: Mapping[str, Any], work: Mapping[str, Any], *, now: datetime) -> list[str]:
    """A loop in words: DescribeHumanLoop's reply, and what is known of the work on it.

    `work` is the review service's document, or holds the `human_answers` of an output document.
    """
    created = loop["CreationTime"]
    lines = [
        f"name             {loop['HumanLoopName']}",
        f"status           {loop['HumanLoopStatus']}",
        f"flow definition  {loop['FlowDefinitionArn'].rsplit('/', 1)[-1]}",
        f"started          {instant(created)}, {age((now - created).total_seconds())} ago",
    ]
    if loop.get("FailureCode"):
        lines.append(f"failure          {loop['FailureCode']}: {loop.get('FailureReason', '')}")
    if loop.get("HumanLoopOutput"):
        lines.append(f"output           {loop['HumanLoopOutput']['OutputS3Uri']}")
    if "human_answers" in work:
        return lines + [f"answered by      {_a2i_line(answer)}" for answer in work["human_answers"]]
    return lines + _work_lines(work)


def _a2i_line(answer: Mapping[str, Any]) -> str:
    content = json.dumps(answer.get("answerContent"), ensure_ascii=False)
    return f"{answer.get('workerId')} at {answer.get('submissionTime')}: {content}"


def _work_lines(work: Mapping[str, Any]) -> list[str]:
    lines = [
        f"title            {work['title']}",
        f"priority         {work['priority']}" + (", on hold" if work["held"] else ""),
        f"guideline        {work['guideline_version'] or '–'}",
        f"seats            {work['seats']}, {len(work['answers'])} answered, {len(work['claims'])} claimed",
    ]
    if work["deadline_at"]:
        lines.append(f"deadline         {work['deadline_at']}")
    if work["assigned_to"]:
        lines.append(f"assigned to      {work['assigned_to']['name']}")
    lines += [
        f"held by          {claim['name']} since {claim['accepted_at']}, until {claim['deadline_at']}"
        + (" (paused)" if claim["paused"] else "")
        for claim in work["claims"]
    ]
    lines += [f"answered by      {_answer_line(answer)}" for answer in work["answers"]]
    lines += [f"{note['kind']:<15}  {note['author']}: {note['text']}" for note in work["notes"]]
    return lines


def _answer_line(answer: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name} = {value}" for name, value in answer["choices"].items())
    said = "cannot decide" if answer["cannot_decide"] else said
    line = f"{answer['name']} at {answer['submitted_at']}, {answer['worked_s']:.1f} s of work"
    return f"{line}: {said}" if said else line


def age(seconds: float) -> str:
    """A duration as people say it: in the largest unit of which there are two."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds / length)} {unit}"
    return f"{max(0, int(seconds))} s"


def instant(moment: datetime) -> str:
    """`2026-03-02T09:15:04Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
