"""Labeling jobs end to end: boto3's calls, real functions, the portal's pages, files scored against truth."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.local import scenes
from tests.local.conftest import LAMBDA_PYTHON, client_of
from tests.local.killing import kill_part
from tests.local.labeling_site import LabelingSite, annotation_code
from tests.local.review_backends import until

from overread.labeling.augmented_lines import metadata_of
from overread_local.stack import LocalStack

MANY = int(os.environ.get("LABELING_OBJECTS", "16"))
"""Objects a job: 100 in the long run."""
ERROR = 0.1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelingSite]:
    """A stack of its own, whose portal may be killed."""
    stack = LocalStack.start(
        state_dir=tmp_path_factory.mktemp("labeling"),
        lambda_python=LAMBDA_PYTHON,
        status_lag_s=0.1,
        tied=True,
    )
    try:
        yield LabelingSite(stack, code=annotation_code(tmp_path_factory.mktemp("code"))).prepare()
    finally:
        stack.stop()


def labeled(site: LabelingSite, name: str, kind: Any, objects: Any, **task: Any) -> list[dict[str, Any]]:
    """The lines of a job that people have done."""
    site.create(name, kind, manifest=site.manifest(name, objects), **task)
    with site.people(kind, scenes.keys_of(name, objects), error=ERROR):
        ended = site.until_ended(name, timeout_s=60 + len(objects))
    assert ended["LabelingJobStatus"] == "Completed", ended.get("FailureReason")
    lines = site.lines(ended["LabelingJobOutput"]["OutputDatasetS3Uri"])
    assert len(lines) == len(objects)
    assert ended["LabelCounters"]["HumanLabeled"] == len(objects)
    return lines


def test_digits_are_read_by_three_people_each(site: LabelingSite) -> None:
    objects = scenes.digits(2 * MANY)
    lines = labeled(site, "digits", scenes.DIGITS, objects)
    right = sum(
        line["label-metadata"]["class-name"] == each.truth for line, each in zip(lines, objects, strict=True)
    )
    assert right / len(lines) > 1 - ERROR
    metadata = lines[0]["label-metadata"]
    assert metadata["type"] == "groundtruth/image-classification"
    assert lines[0]["label"] == scenes.DIGITS.labels.index(metadata["class-name"])
    answers = site.answers("digits").values()
    assert len(answers) == len(objects)
    assert all(len({each["workerId"] for each in one}) == 3 for one in answers)
    (rows,) = {len(line.keys() - {"label", "label-metadata"}) for line in lines}
    assert rows == 2


def test_boxes_agree_with_what_was_drawn(site: LabelingSite) -> None:
    objects = scenes.boxes(MANY)
    lines = labeled(site, "boxes", scenes.BOXES, objects)
    found = [_matched(line, each.truth) for line, each in zip(lines, objects, strict=True)]
    overlaps = [overlap for one in found for overlap in one]
    assert np.mean([overlap > 0.7 for overlap in overlaps]) > 0.8
    assert lines[0]["label"]["image_size"] == [{"width": 64, "height": 64, "depth": 3}]


def test_masks_agree_with_what_was_drawn(site: LabelingSite) -> None:
    objects = scenes.masks(MANY)
    lines = labeled(site, "masks", scenes.MASKS, objects)
    overlaps = []
    for line, each in zip(lines, objects, strict=True):
        colours = line["label-ref-metadata"]["internal-color-map"]
        road = next((one["hex-color"] for one in colours.values() if one["class-name"] == "road"), "#ffffff")
        pixels = np.asarray(Image.open(io.BytesIO(site.get(line["label-ref"]))).convert("RGB"))
        painted = (pixels == tuple(bytes.fromhex(road[1:]))).all(axis=2)
        true = np.zeros((scenes.SIZE, scenes.SIZE), dtype=bool)
        true[:, each.truth[0] : each.truth[1]] = True
        overlaps.append((painted & true).sum() / (painted | true).sum())
    assert np.mean(np.array(overlaps) > 0.8) > 0.75


def test_entities_agree_with_what_was_written(site: LabelingSite) -> None:
    objects = scenes.sentences(MANY)
    lines = labeled(site, "entities", scenes.ENTITIES, objects)
    right = wrong = 0
    for line, each in zip(lines, objects, strict=True):
        found = {tuple(one.items()) for one in line["label"]["annotations"]["entities"]}
        true = {
            tuple(
                {
                    "label": one["label"],
                    "startOffset": one["startOffset"],
                    "endOffset": one["endOffset"],
                }.items()
            )
            for one in each.truth
        }
        right += len(found & true)
        wrong += len(found ^ true)
    assert right / (right + wrong) > 0.85


def test_a_killed_portal_loses_and_doubles_nothing(site: LabelingSite) -> None:
    objects = scenes.sentences(MANY, seed=2)
    site.create(
        "killed",
        scenes.ENTITIES,
        manifest=site.manifest("killed", objects),
        workers=2,
        MaxConcurrentTaskCount=16,
    )
    with site.people(scenes.ENTITIES, scenes.keys_of("killed", objects), error=0.0) as crew:
        for share in (0.2, 0.5, 0.8):
            until(lambda share=share: crew.answers >= share * 2 * MANY, what=f"{share:.0%} answered")
            kill_part(site.stack, "portal")
        ended = site.until_ended("killed")
    lines = site.lines(ended["LabelingJobOutput"]["OutputDatasetS3Uri"])
    assert [line["source"] for line in lines] == [each.line["source"] for each in objects]
    assert all(metadata_of(line, attribute="label") for line in lines)
    answers = site.answers("killed").values()
    assert [len({one["workerId"] for one in each}) for each in answers] == [2] * MANY


def test_a_job_goes_on_when_the_emulator_is_killed_after_a_checkpoint(site: LabelingSite) -> None:
    objects = scenes.sentences(MANY, seed=4)
    truths = scenes.keys_of("checkpoint", objects)
    manifest = site.manifest("checkpoint", objects)
    site.create("checkpoint", scenes.ENTITIES, manifest=manifest, workers=1, MaxConcurrentTaskCount=16)
    with site.people(scenes.ENTITIES, truths, error=0.0) as crew:
        until(lambda: crew.answers >= MANY // 3, what="a third is answered")
    site.stack.checkpoint()
    kill_part(site.stack, "emulator")
    with site.people(scenes.ENTITIES, truths, error=0.0) as crew:
        ended = site.until_ended("checkpoint")
    lines = site.lines(ended["LabelingJobOutput"]["OutputDatasetS3Uri"])
    assert [line["source"] for line in lines] == [each.line["source"] for each in objects]
    assert all(metadata_of(line, attribute="label") for line in lines)
    assert crew.answers < MANY, "what was answered before is asked again"


def test_a_job_stops_on_boto3s_word_and_says_so_on_the_bus(site: LabelingSite) -> None:
    heard = _listening(site)
    objects = scenes.sentences(6, seed=3)
    arn = site.create("stopped", scenes.ENTITIES, manifest=site.manifest("stopped", objects))
    until(lambda: site.describe("stopped")["LabelingJobStatus"] == "InProgress")
    site.sagemaker.stop_labeling_job(LabelingJobName="stopped")
    ended = site.until_ended("stopped")
    assert ended["LabelingJobStatus"] == "Stopped"
    assert site.lines(ended["LabelingJobOutput"]["OutputDatasetS3Uri"]) == [
        dict(each.line) for each in objects
    ]
    (event,) = until(heard, what="the event")
    assert (event["source"], event["resources"]) == ("aws.sagemaker", [arn])
    assert event["detail"] == {"LabelingJobStatus": "Stopped"}
    listed = site.sagemaker.list_labeling_jobs(StatusEquals="Stopped")["LabelingJobSummaryList"]
    assert [one["LabelingJobName"] for one in listed] == ["stopped"]


def _listening(site: LabelingSite) -> Any:
    sqs, events = client_of(site.stack, "sqs"), client_of(site.stack, "events")
    url = sqs.create_queue(QueueName="labeling-events")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"detail-type": ["SageMaker Ground Truth Labeling Job State Change"]}
    events.put_rule(Name="labeling-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="labeling-events", Targets=[{"Id": "queue", "Arn": queue}])

    def heard() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in found]

    return heard


def _matched(line: Mapping[str, Any], truth: Any) -> list[float]:
    """For each true box the overlap with the best labeled one of its label; 0 for each box too many."""
    names = line["label-metadata"]["class-map"]
    found = [(names[str(one["class_id"])], one) for one in line["label"]["annotations"]]
    best = [
        max((_overlap(one, box) for label, one in found if label == box["label"]), default=0.0)
        for box in truth
    ]
    return best + [0.0] * max(0, len(found) - len(truth))


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    width = min(one["left"] + one["width"], other["left"] + other["width"]) - max(one["left"], other["left"])
    height = min(one["top"] + one["height"], other["top"] + other["height"]) - max(one["top"], other["top"])
    both = max(0, width) * max(0, height)
    return both / (one["width"] * one["height"] + other["width"] * other["height"] - both)
