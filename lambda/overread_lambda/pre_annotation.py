"""Pre-annotation of a labeling job: a manifest line becomes what a template of the library reads.

Ground Truth tells a function nothing about the template, so the function's environment does: TEMPLATE,
LABELS (a JSON list) and REVIEWED_ATTRIBUTE (for adjustment). One function a template and set of labels; that
works alike on AWS and locally, where aliases share one environment.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from overread.labeling.annotation_events import EventError, parse_pre_annotation_event
from overread.labeling.pre_annotation import TaskError, task_input
from overread_lambda.entry import entry


@entry(EventError, TaskError)
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """What Ground Truth calls for each object.

    Raises:
        EventError: the event is not Ground Truth's.
        TaskError: the line cannot become a task of this template.
    """
    return answer(event, environment=os.environ)


def answer(event: object, *, environment: Mapping[str, str]) -> dict[str, Any]:
    """The function's answer, with the settings of `environment`."""
    request = parse_pre_annotation_event(event)
    made = task_input(
        request.data_object,
        template=environment.get("TEMPLATE", ""),
        labels=json.loads(environment.get("LABELS") or "[]"),
        reviewed=environment.get("REVIEWED_ATTRIBUTE", ""),
    )
    return {"taskInput": made, "isHumanAnnotationRequired": True}
