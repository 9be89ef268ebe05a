"""The two functions of labeling jobs as Lambda runs them, called with Ground Truth's own events."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.local.conftest import LAMBDA_PYTHON, Clients

from overread_constructs import python_code
from overread_constructs._bundle import Bundle

BUCKET = "labeling-of-animals"
JOB = "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/animals"
PAYLOAD = "jobs/animals/annotations/consolidated-annotation/consolidation-request/iteration-1/now.json"


@pytest.fixture(scope="module")
def functions(aws: Clients, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of Lambda that has both, from the code that would be deployed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERREAD_BUNDLE_PYTHON", str(LAMBDA_PYTHON))
        folder = tmp_path_factory.mktemp("code")
        Bundle.of(
            packages=python_code.HANDLER_PACKAGES,
            requirements=python_code.CONSOLIDATION_REQUIREMENTS,
            exclude=python_code.CONSOLIDATION_EXCLUDE,
        ).write(folder)
    code = _zip(folder)
    client = aws("lambda")
    settings = {"TEMPLATE": "image-classification", "LABELS": json.dumps(["cat", "dog"])}
    for module in ("pre_annotation", "consolidate_annotations"):
        client.create_function(
            FunctionName=module,
            Runtime="python3.14",
            Role="arn:aws:iam::000000000000:role/labeling",
            Handler=f"overread_lambda.{module}.handler",
            Code={"ZipFile": code},
            Timeout=60,
            Environment={"Variables": {"OVERREAD_DEPLOYMENT": "test", **settings}},
        )
    yield client
    for module in ("pre_annotation", "consolidate_annotations"):
        client.delete_function(FunctionName=module)


def _zip(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in folder.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def called(functions: Any, name: str, event: dict[str, Any]) -> Any:
    """What the function answers."""
    reply = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    body = json.loads(reply["Payload"].read())
    assert "FunctionError" not in reply, body
    return body


def test_an_object_becomes_a_task_of_the_template(functions: Any) -> None:
    event = {
        "version": "2018-10-16",
        "labelingJobArn": JOB,
        "dataObject": {"source-ref": f"s3://{BUCKET}/1.jpg"},
    }
    found = called(functions, "pre_annotation", event)
    assert found["isHumanAnnotationRequired"] is True
    assert f"s3://{BUCKET}/1.jpg" in found["taskInput"].values()
    assert ["cat", "dog"] in found["taskInput"].values()


def test_answers_in_s3_become_labels(functions: Any, aws: Clients) -> None:
    def answered(label: str, *, worker: int) -> dict[str, Any]:
        return {"workerId": f"w{worker}", "annotationData": {"content": json.dumps({"label": label})}}

    payload = [
        {
            "datasetObjectId": str(number),
            "dataObject": {"s3Uri": f"s3://{BUCKET}/{number}.jpg"},
            "annotations": [answered(label, worker=worker) for worker, label in enumerate(labels)],
        }
        for number, labels in enumerate([["cat", "cat", "dog"], ["dog", "dog", "dog"]])
    ]
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=PAYLOAD, Body=json.dumps(payload).encode())
    found = called(
        functions,
        "consolidate_annotations",
        {
            "version": "2018-10-16",
            "labelingJobArn": JOB,
            "labelCategories": ["cat", "dog"],
            "labelAttributeName": "kind",
            "roleArn": "arn:aws:iam::000000000000:role/gt",
            "payload": {"s3Uri": f"s3://{BUCKET}/{PAYLOAD}"},
        },
    )
    assert [one["datasetObjectId"] for one in found] == ["0", "1"]
    labels = [one["consolidatedAnnotation"]["content"]["kind"] for one in found]
    assert [(one["label"], one["workers"]) for one in labels] == [("cat", 3), ("dog", 3)]
    assert labels[0]["confidence"] < labels[1]["confidence"] <= 1
