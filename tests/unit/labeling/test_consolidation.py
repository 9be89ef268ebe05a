"""One consolidation function for every task family, whatever workers sent."""

import base64
import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.labeling.consolidation.answers import Consolidated, RawObject
from overread.labeling.consolidation.batch import consolidate
from overread.labeling.consolidation.png import read_png, write_png
from overread_lambda.consolidate_annotations import answer

EVENT = {
    "version": "2018-10-16",
    "labelingJobArn": "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/x",
    "labelCategories": None,
    "labelAttributeName": "x",
    "roleArn": "arn:aws:iam::111122223333:role/gt",
    "payload": {
        "s3Uri": "s3://b/out/x/annotations/consolidated-annotation/consolidation-request/iteration-1/p.json"
    },
}


def raw(*answers: Any, name: str = "0") -> RawObject:
    return RawObject(name, [(f"w{place}", json.dumps(each)) for place, each in enumerate(answers)])


def only(*answers: Any, categories: tuple[str, ...] = ()) -> Consolidated:
    (found,) = consolidate([raw(*answers)], categories=categories)
    return found


def box(left: int, label: str = "car") -> dict[str, Any]:
    return {"left": left, "top": 5, "width": 20, "height": 10, "label": label}


def drawn(*boxes: Any) -> dict[str, Any]:
    return {"boundingBox": {"boundingBoxes": boxes, "inputImageProperties": {"height": 90, "width": 80}}}


def test_the_truth_is_found_among_workers_who_err() -> None:
    rng = random.Random(1)
    truth = [rng.choice("abc") for _ in range(300)]
    objects = [
        raw(
            *({"c": {"label": t if rng.random() < 0.8 else rng.choice("abc")}} for _ in range(5)), name=str(i)
        )
        for i, t in enumerate(truth)
    ]
    found = consolidate(objects)
    right = [each.label == t for each, t in zip(found, truth, strict=True)]
    assert [each.id for each in found] == [str(i) for i in range(300)]
    assert np.mean(right) > 0.95
    assert abs(np.mean([each.confidence for each in found]) - np.mean(right)) < 0.05


def test_a_single_worker_gives_no_confidence() -> None:
    assert only({"c": {"label": "a"}}).confidence == 0.0


def test_every_label_that_anybody_chose_is_listed_with_its_share() -> None:
    found = only({"t": {"labels": ["a", "b"]}}, {"t": {"labels": ["a"]}})
    assert found.label == {"a": 1.0, "b": 0.5}


def test_nothing_chosen_by_anybody_is_an_answer() -> None:
    assert only({"t": {"labels": []}}, {"t": {"labels": []}}).label == {}


def test_boxes_are_the_median_of_those_that_overlap() -> None:
    found = only(drawn(box(10)), drawn(box(12)), drawn(box(11), box(50, "tree")))
    (kept,) = found.label["annotations"]
    assert (kept["left"], kept["label"], found.workers) == (11, "car", 3)
    assert found.label["image_size"] == [{"width": 80, "height": 90, "depth": 3}]


def test_an_image_where_nobody_saw_anything_is_labeled() -> None:
    found = only(drawn(), drawn())
    assert (found.label["annotations"], found.confidence) == ([], 1.0)


@pytest.mark.parametrize("side", [10**400, -1, float("nan"), "9", None, True])
def test_a_box_that_cannot_be_is_skipped(side: Any) -> None:
    found = only(drawn(box(10)), drawn(box(10)), drawn({**box(10), "width": side}))
    assert (found.workers, len(found.skipped)) == (2, 1)


def test_entities_have_the_extent_that_most_marked() -> None:
    def marked(end: int) -> dict[str, Any]:
        return {"e": {"entities": [{"label": "person", "startOffset": 0, "endOffset": end}]}}

    (one,) = only(marked(3), marked(3), marked(7)).label["entities"]
    assert (one["startOffset"], one["endOffset"], one["label"]) == (0, 3, "person")


def test_the_text_nearest_to_all_others_wins() -> None:
    assert only({"t": "two cats"}, {"t": "two cat"}, {"t": "a dog"}).label in ("two cats", "two cat")
    assert only({"t": "x"}, {"t": "yy"}, {"t": "x"}).label == "x"


def mask(codes: Any) -> dict[str, Any]:
    png = write_png(np.array(codes, dtype=np.uint8), palette=[(255, 255, 255), (44, 160, 44)])
    image = {"pngImageData": base64.b64encode(png).decode()}
    return {"m": {"labelMappings": {"road": {"color": "#2ca02c"}}, "labeledImage": image}}


def test_a_mask_is_the_vote_of_each_pixel() -> None:
    found = only(mask([[0, 1]]), mask([[1, 1]]), mask([[0, 1]]), mask([[0, 1, 1]]))
    colours, _ = read_png(found.png)
    assert colours.tolist() == [[[255, 255, 255], [44, 160, 44]]]
    assert found.label["internal-color-map"]["1"] == {"class-name": "road", "hex-color": "#2ca02c"}
    assert found.skipped == ("w3: a mask of another size than the others",)


def test_a_verdict_keeps_the_comments() -> None:
    found = only({"v": {"label": "bad", "workerComment": "too wide"}}, {"v": {"label": "bad"}})
    assert found.content["worker-feedback"] == [{"comment": "too wide"}]


def test_absent_malformed_and_repeated_answers_are_listed() -> None:
    good = json.dumps({"c": {"label": "a"}})
    answers = [
        ("w0", good),
        ("w0", good),
        ("w1", "{"),
        ("w2", "[]"),
        ("w3", json.dumps({"c": {"label": "z"}})),
    ]
    (found,) = consolidate([RawObject("0", answers, ("w9: no answer",))], categories=("a", "b"))
    assert (found.label, found.workers, len(found.skipped)) == ("a", 1, 5)
    assert "w0: answered already" in found.skipped


def test_an_object_without_a_valid_answer_has_no_label_and_harms_no_other() -> None:
    payload = [
        {"datasetObjectId": "0", "annotations": []},
        {
            "datasetObjectId": "1",
            "annotations": [
                {"workerId": "a", "annotationData": {"s3uri": "s3://b/gone"}},
                {"workerId": "b", "annotationData": {"content": json.dumps(mask([[1]]))}},
            ],
        },
    ]
    files = {EVENT["payload"]["s3Uri"]: json.dumps(payload).encode()}  # type: ignore[index]
    written: dict[str, bytes] = {}

    def read(address: str) -> bytes:
        if address not in files:
            raise OSError("no such object")
        return files[address]

    (one,) = answer(EVENT, read=read, write=written.__setitem__)
    content = one["consolidatedAnnotation"]["content"]["x"]
    assert (one["datasetObjectId"], content["workers"]) == ("1", 1)
    assert content["skipped"] == ["a: the answer's file cannot be read"]
    assert list(written) == [content["ref"]]
    assert content["ref"] == "s3://b/out/x/annotations/consolidated-annotation/output/1_iteration-1-p.png"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "label",
                    "labels",
                    "boundingBoxes",
                    "entities",
                    "labeledImage",
                    "left",
                    "top",
                    "width",
                    "height",
                    "startOffset",
                    "endOffset",
                    "pngImageData",
                    "labelMappings",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_GOOD = [
    {"c": {"label": "a"}},
    {"c": {"labels": ["a"]}},
    drawn(box(1)),
    {"e": {"entities": []}},
    mask([[1]]),
    {"t": "a"},
]


@pytest.mark.parametrize("good", _GOOD, ids=lambda each: next(iter(each)))
@settings(max_examples=60, deadline=None)
@given(bad=_JSON)
def test_no_answer_breaks_the_batch(good: Any, bad: Any) -> None:
    found = consolidate([raw(good, good, {"c": bad}), raw(good, good, bad, name="1")])
    assert [each.id for each in found] == ["0", "1"]
