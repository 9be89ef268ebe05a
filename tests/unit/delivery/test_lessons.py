"""Lines of the data set for training, in the form of Ground Truth's output manifests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from overread.delivery.lessons import label_attribute, latest_keys, manifest_key, manifest_line
from overread_aws.feedback import FeedbackReceiver
from overread_testing.stored_records import make_news

LESSON: dict[str, Any] = {
    "event": "Decision Final",
    "dedupe_key": "d-abc/4",
    "decision_id": "d-abc",
    "use_case": "loan-approval",
    "input": {"bucket": "inputs", "key": "loan-approval/ef01.json", "version_id": "v1"},
    "label": "decline",
    "labels": ["approve", "decline"],
    "source": "human",
    "at": "2026-11-22T21:07:44.120Z",
}
GROUND_TRUTH_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}")


def line(**changes: Any) -> dict[str, Any]:
    text = manifest_line({**LESSON, **changes})
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    document: dict[str, Any] = json.loads(text)
    return document


def test_a_line_is_as_ground_truth_s_text_classification_writes_it() -> None:
    assert line() == {
        "source-ref": "s3://inputs/loan-approval/ef01.json",
        "source-ref-version": "v1",
        "loan-approval": 1,
        "loan-approval-metadata": {
            "class-name": "decline",
            "confidence": 0.0,
            "human-annotated": "yes",
            "creation-date": "2026-11-22T21:07:44.120000",
            "type": "groundtruth/text-classification",
            "job-name": "labeling-job/loan-approval-human",
        },
    }


def test_the_truth_is_certain() -> None:
    metadata = line(source="outcome", label="approve")["loan-approval-metadata"]
    assert (metadata["confidence"], metadata["class-name"]) == (1.0, "approve")
    assert metadata["job-name"] == "labeling-job/loan-approval-outcome"


def test_a_label_that_is_none_of_the_use_case_s_has_no_class() -> None:
    assert line(label="withdrawn")["loan-approval"] == -1


@pytest.mark.parametrize("use_case", ["source", "source-ref", "loan-metadata", "seg-ref", "loan", "a-refx"])
def test_the_attribute_is_a_name_that_ground_truth_takes(use_case: str) -> None:
    attribute = label_attribute(use_case)
    assert GROUND_TRUTH_NAME.fullmatch(attribute)
    assert not attribute.endswith(("-metadata", "-ref"))
    assert attribute not in ("source", "source-ref")
    assert {attribute, f"{attribute}-metadata", "source-ref", "source-ref-version"} == set(
        line(use_case=use_case)
    )


def test_the_same_news_again_are_the_same_object() -> None:
    assert manifest_key(LESSON) == "feedback/loan-approval/2026-11-22/d-abc-4.jsonl"
    puts: dict[tuple[str, str], bytes] = {}

    class S3:
        def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
            assert ContentType == "application/jsonlines"
            puts[Bucket, Key] = Body

    for _ in range(2):
        FeedbackReceiver(S3(), bucket="inputs").deliver(make_news(payload=json.dumps(LESSON)))
    assert puts == {("inputs", manifest_key(LESSON)): manifest_line(LESSON)}


def test_of_each_decision_the_last_line_counts() -> None:
    day, other = "feedback/loan/2026-11-22/", "feedback/loan/2026-12-01/"
    keys = [f"{day}d-b-3.jsonl", f"{other}d-a-10.jsonl", f"{day}d-a-9.jsonl", f"{day}d-c-2.jsonl"]
    assert latest_keys(keys) == [f"{day}d-b-3.jsonl", f"{day}d-c-2.jsonl", f"{other}d-a-10.jsonl"]


@pytest.mark.parametrize("key", ["feedback/loan/readme.txt", "feedback/loan/2026-11-22/", "d-1", "-4.jsonl"])
def test_what_is_no_line_is_passed_over(key: str) -> None:
    assert latest_keys([key]) in ([], [key] if key == "d-1" else [])
