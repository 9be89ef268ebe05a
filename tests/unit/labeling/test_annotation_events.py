"""The events of pre- and post-annotation functions, and tasks for the library's templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from overread.labeling.annotation_events import (
    ConsolidationRequest,
    EventError,
    PreAnnotationRequest,
    consolidation_event,
    parse_consolidation_event,
    parse_payload,
    parse_pre_annotation_answer,
    parse_pre_annotation_event,
    pre_annotation_event,
)
from overread.labeling.pre_annotation import TEMPLATES, task_input
from overread_lambda.pre_annotation import answer

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/x"


def test_events_are_read_as_they_were_built() -> None:
    pre = PreAnnotationRequest(job_arn=ARN, data_object={"source": "ü\n"})
    assert parse_pre_annotation_event(pre_annotation_event(pre)) == pre
    post = ConsolidationRequest(job_arn=ARN, label_attribute="x", payload="s3://b/k", categories=("a",))
    assert parse_consolidation_event(consolidation_event(post)) == post


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        ({}, True),
        ({"isHumanAnnotationRequired": False}, False),
        ({"humanAnnotationRequired": "false"}, False),
        ({"humanAnnotationRequired": "true"}, True),
    ],
)
def test_both_spellings_say_whether_a_person_is_needed(written: dict[str, Any], needed: bool) -> None:
    assert parse_pre_annotation_answer({"taskInput": {}, **written}).is_needed is needed


def test_every_fault_of_an_event_is_named() -> None:
    with pytest.raises(EventError, match=r"version.*labelingJobArn.*labelAttributeName.*payload"):
        parse_consolidation_event({})


def test_categories_may_be_null_and_the_address_in_small_letters() -> None:
    event = {"version": "2018-10-16", "labelingJobArn": ARN, "labelAttributeName": "x"}
    found = parse_consolidation_event({**event, "labelCategories": None, "payload": {"s3uri": "s3://b/k"}})
    assert (found.categories, found.payload) == ((), "s3://b/k")


def test_answers_that_are_none_are_listed() -> None:
    annotations = [
        {"workerId": "a", "annotationData": {"content": "{}"}},
        {"workerId": "b", "annotationData": {"s3uri": "s3://b/a.json"}},
        {"workerId": "c"},
        7,
    ]
    (one,) = parse_payload(json.dumps([{"datasetObjectId": "0", "annotations": annotations}]))
    assert [each.worker for each in one.answers] == ["a", "b"]
    assert one.skipped == ("c: no answer", "annotations[3] names no worker")


def test_there_is_a_task_for_every_template_of_the_library() -> None:
    folders = {path.parent.name for path in Path("templates").glob("*/template.liquid.html")}
    assert set(TEMPLATES) == folders


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_task_has_the_keys_of_the_templates_sample(template: str) -> None:
    sample = json.loads(Path("templates", template, "sample-input.json").read_text("utf-8"))
    row = {**sample, "source-ref": "s3://b/1.png"}
    row.pop("taskObject", None)
    assert set(sample) <= set(task_input(row, template=template, labels=["a"]))


def test_boxes_of_an_earlier_job_are_where_the_worker_begins() -> None:
    box = {"left": 1, "top": 2, "width": 3, "height": 4}
    row = {
        "source-ref": "s3://b/1.png",
        "cars": {"annotations": [{"class_id": 0, **box}]},
        "cars-metadata": {"class-map": {"0": "car"}},
    }
    settings = {"TEMPLATE": "bounding-box", "LABELS": '["car"]', "REVIEWED_ATTRIBUTE": "cars"}
    event = pre_annotation_event(PreAnnotationRequest(job_arn=ARN, data_object=row))
    made = answer(event, environment=settings)["taskInput"]
    assert (made["boxes"], made["labels"]) == ([{"label": "car", **box}], ["car"])


def test_a_line_without_boxes_cannot_be_adjusted() -> None:
    with pytest.raises(ValueError, match="cars must hold the boxes"):
        task_input({"source-ref": "s3://b/1"}, template="bounding-box", reviewed="cars")
