"""Training and batch-transform jobs that really run, on scikit-learn's digits as images."""

import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import ROOT, Clients

from overread_local.stack import LocalStack

MODELS = ROOT / "examples/models/labeling"
ROLE = "arn:aws:iam::000000000000:role/model"
HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "training-jobs"
URI = f"s3://{BUCKET}/digits"


def ended(describe: Any, status: str, **name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        described: dict[str, Any] = describe(**name)
        if described[status] not in {"InProgress", "Stopping"}:
            return described
        time.sleep(0.1)
    raise AssertionError(f"{name} did not end")


def train(aws: Clients, name: str, image: str, *, seconds: int = 60, channels: Any = ()) -> None:
    inputs = [
        {
            "ChannelName": channel,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
        }
        for channel, uri in channels
    ]
    aws("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": f"{HOST}/{image}:1", "TrainingInputMode": "File"},
        RoleArn=ROLE,
        HyperParameters={
            "label-attribute": "digit",
            "categories": json.dumps([str(one) for one in range(10)]),
            "objects-uri": f"{URI}/",
            "seed": "1",
        },
        **({"InputDataConfig": inputs} if inputs else {}),
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": seconds},
    )


def trained(aws: Clients, name: str) -> dict[str, Any]:
    return ended(aws("sagemaker").describe_training_job, "TrainingJobStatus", TrainingJobName=name)


def program(local_stack: LocalStack, folder: Path, name: str, text: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "train").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "train").chmod(0o755)
    local_stack.register_image(name, folder)
    return name


def test_digits_are_learnt_by_a_training_job_and_scored_by_a_transform_job(
    aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    spec = importlib.util.spec_from_file_location("digits_data", MODELS / "digits_data.py")
    assert spec is not None
    assert spec.loader is not None
    data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(data)
    lines = data.write(tmp_path, uri=URI).read_text().splitlines()
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    learnt, rest = lines[::2], lines[1::6]
    for line in learnt + rest:
        name = json.loads(line)["source-ref"].removeprefix(f"{URI}/")
        s3.put_object(Bucket=BUCKET, Key=f"digits/{name}", Body=(tmp_path / name).read_bytes())
    s3.put_object(Bucket=BUCKET, Key="train/train.manifest", Body="\n".join(learnt).encode())
    s3.put_object(Bucket=BUCKET, Key="score/rest.jsonl", Body="\n".join(rest).encode())
    local_stack.register_image("overread/digits", MODELS / "digits")

    train(
        aws,
        "digits",
        "overread/digits",
        channels=[("train", f"s3://{BUCKET}/train/"), ("objects", f"{URI}/")],
    )
    job = trained(aws, "digits")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    aws("sagemaker").create_model(
        ModelName="digits-job",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": f"{HOST}/overread/digits:1",
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        },
    )
    aws("sagemaker").create_transform_job(
        TransformJobName="digits",
        ModelName="digits-job",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/score/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scored", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        DataProcessing={"JoinSource": "Input"},
    )
    scored = ended(aws("sagemaker").describe_transform_job, "TransformJobStatus", TransformJobName="digits")
    assert scored["TransformJobStatus"] == "Completed", scored.get("FailureReason")
    out = s3.get_object(Bucket=BUCKET, Key="scored/rest.jsonl.out")["Body"].read().splitlines()
    answers = [json.loads(line) for line in out]
    assert len(answers) == len(rest)
    right = sum(one["digit"] == one["SageMakerOutput"]["label"] for one in answers)
    assert right / len(answers) > 0.9


def test_a_failing_program_fails_the_job_with_its_own_reason(
    aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    image = program(
        local_stack, tmp_path / "i", "failing", 'echo "no rows" > "$OVERREAD_ML_ROOT/output/failure"; exit 3'
    )
    train(aws, "failing", image)
    job = trained(aws, "failing")
    assert (job["TrainingJobStatus"], job["FailureReason"]) == (
        "Failed",
        "AlgorithmError: no rows, exit code: 3",
    )
    with pytest.raises(ClientError) as again:
        train(aws, "failing", image)
    assert again.value.response["Error"]["Code"] == "ResourceInUse"


def test_a_job_is_stopped_by_hand_and_by_its_time_limit(
    aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    image = program(local_stack, tmp_path / "i", "sleeping", "exec sleep 60")
    train(aws, "limited", image, seconds=1)
    train(aws, "stopped", image)
    aws("sagemaker").stop_training_job(TrainingJobName="stopped")
    assert trained(aws, "stopped")["TrainingJobStatus"] == "Stopped"
    limited = trained(aws, "limited")
    assert (limited["TrainingJobStatus"], limited["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_an_unknown_image_fails_and_a_missing_job_is_a_validation_error(aws: Clients) -> None:
    train(aws, "unknown", "nobody/knows")
    assert "nobody/knows" in trained(aws, "unknown")["FailureReason"]
    with pytest.raises(ClientError) as missing:
        aws("sagemaker").describe_training_job(TrainingJobName="never")
    assert missing.value.response["Error"]["Code"] == "ValidationException"
