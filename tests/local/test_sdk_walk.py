"""SageMaker's SDK v3 walks through the local stack with a registered image that really learns."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.local.conftest import ROOT, Clients

from overread_local.stack import LocalStack

HERE = Path(__file__).parent
PYTHON = ROOT / ".venv-sdk/bin/python"
HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "sdk-walk"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# What the SDK's own check of a role asks for; it is refused when the role has not all of it.
GATE = (
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
)


@pytest.fixture
def sdk() -> Path:
    """The interpreter with the SDK: `make sdk` makes it; CI has it always."""
    if not PYTHON.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(".venv-sdk is missing: `make sdk` makes it")
        pytest.skip(".venv-sdk is missing: `make sdk` makes it (730 MB)")
    return PYTHON


@pytest.fixture
def rscript() -> str:
    """R with reticulate and jsonlite; CI installs them."""
    found = shutil.which("Rscript")
    probe = "quit(status = !all(sapply(c('reticulate', 'jsonlite'), requireNamespace, quietly = TRUE)))"
    if found is None or subprocess.run([found, "-e", probe], check=False, capture_output=True).returncode:
        if os.environ.get("CI") == "true":
            pytest.fail("Rscript with reticulate and jsonlite is missing")
        pytest.skip("Rscript with reticulate and jsonlite is missing")
    return found


def role(aws: Clients, name: str, *, actions: tuple[str, ...]) -> str:
    """A role below a path, as organizations have them."""
    iam, trust = aws("iam"), json.dumps(TRUST)
    arn = str(iam.create_role(RoleName=name, Path="/jobs/", AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=name, PolicyName="job", PolicyDocument=json.dumps(document))
    return arn


def walk(
    program: Sequence[str], stack: LocalStack, folder: Path, *, given: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    settings = folder / "sdk.yaml"
    settings.write_text(
        "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"
    )
    environment = stack.environment() | {
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
        "HOME": str(folder),
        "MPLCONFIGDIR": str(folder),
        "RETICULATE_PYTHON": str(PYTHON),
        "TZ": "UTC",
    }
    return subprocess.run(
        [
            *program,
            json.dumps(given | {"result": str(folder / "result.json")}),
        ],
        env=environment,
        cwd=folder,  # reticulate makes guesses from a pyproject.toml
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def learn_and_delete(
    program: Sequence[str], aws: Clients, local_stack: LocalStack, tmp_path: Path, *, name: str
) -> None:
    s3 = aws("s3")
    bucket = f"{BUCKET}-{name}"
    s3.create_bucket(Bucket=bucket)
    lines = [
        {"source": text, "mood": label, "mood-metadata": {"class-name": label}}
        for text, label in (
            ("a good day", "glad"),
            ("good news", "glad"),
            ("bad luck", "sad"),
            ("so bad", "sad"),
        )
    ]
    manifest = "\n".join(json.dumps(line) for line in lines)
    s3.put_object(Bucket=bucket, Key="train/train.manifest", Body=manifest.encode())
    local_stack.register_image("overread/sentences", ROOT / "examples/models/labeling/sentences")
    given = {
        "bucket": bucket,
        "image": f"{HOST}/overread/sentences:1",
        "role": role(aws, f"sdk-job-{name}", actions=GATE),
        "train": {"train": f"s3://{bucket}/train/"},
        "hyperparameters": {"label-attribute": "mood", "categories": '["glad", "sad"]', "seed": "1"},
        "body": json.dumps({"source": "good good"}) + "\n",
        "name": f"sdk-walk-{name}",
    }
    ran = walk(program, local_stack, tmp_path, given=given)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads((tmp_path / "result.json").read_text())
    assert told["job"] == "Completed"
    assert json.loads(told["answer"])["label"] == "glad"
    assert s3.head_object(Bucket=bucket, Key=told["archive"].removeprefix(f"s3://{bucket}/"))
    left = aws("sagemaker").list_endpoints(NameContains=given["name"])["Endpoints"]
    assert left == []
    assert aws("sagemaker").list_models(NameContains=given["name"])["Models"] == []


def test_train_model_endpoint_invoke_delete(
    sdk: Path, aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    learn_and_delete([str(sdk), str(HERE / "sdk_walk.py")], aws, local_stack, tmp_path, name="python")


def test_r_walks_the_same_way_through_reticulate(
    sdk: Path, rscript: str, aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    learn_and_delete([rscript, str(HERE / "sdk_walk.R")], aws, local_stack, tmp_path, name="r")


def test_the_sdk_refuses_a_role_that_the_simulation_denies(
    sdk: Path, aws: Clients, local_stack: LocalStack, tmp_path: Path
) -> None:
    bare = role(aws, "sdk-bare", actions=("s3:GetObject",))
    simulate = aws("iam").simulate_principal_policy
    told = simulate(PolicySourceArn=bare, ActionNames=["s3:GetObject", "s3:PutObject"])["EvaluationResults"]
    assert [one["EvalDecision"] for one in told] == ["allowed", "implicitDeny"]
    given = {
        "bucket": BUCKET,
        "image": f"{HOST}/overread/sentences:1",
        "role": bare,
        "train": {},
        "hyperparameters": {},
        "body": "",
        "name": "sdk-bare",
    }
    ran = walk([str(sdk), str(HERE / "sdk_walk.py")], local_stack, tmp_path, given=given)
    assert ran.returncode != 0
    assert "RoleValidationError" in ran.stderr
    assert "ecr:GetAuthorizationToken" in ran.stderr
    assert aws("sagemaker").list_training_jobs(NameContains="sdk-bare")["TrainingJobSummaries"] == []
