"""What the router's Lambda package costs: its size, and its import against a bare boto3 handler's.

Neither side makes its clients while it is imported, so that like is held against like.
"""

import os
import resource
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from benchmarks.measure import Measurement, median

from overread_constructs._bundle import Bundle
from overread_constructs.python_code import HANDLER_EXCLUDE, HANDLER_PACKAGES, HANDLER_REQUIREMENTS

LAMBDA_PYTHON = Path(".venv-lambda/bin/python")
RUNS = 9
SIZE_LIMIT_MB = 3.0
BARE_HANDLER = """
import json
import boto3
def handler(event, context):
    reply = boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=event["body"])
    return {"statusCode": 200, "body": json.dumps(json.load(reply["Body"]))}
"""
SETTINGS = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "OVERREAD_ENVIRONMENT": "bench",
    "OVERREAD_TABLE": "t",
    "OVERREAD_INPUT_BUCKET": "b",
    "OVERREAD_OUTPUT_BUCKET": "b",
    "OVERREAD_USE_CASES": "loan-approval",
    "OVERREAD_APPCONFIG_APPLICATION": "a",
    "OVERREAD_APPCONFIG_ENVIRONMENT": "e",
    "OVERREAD_SPOT_CHECK_SECRET": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s",
}


def run() -> list[Measurement]:
    """Import CPU time in turns with the bare handler's, and the size of the zip."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = Bundle.of(
            packages=HANDLER_PACKAGES, requirements=HANDLER_REQUIREMENTS, exclude=HANDLER_EXCLUDE
        )
        bundle.write(folder / "code")
        (folder / "bare").mkdir()
        (folder / "bare/bare_handler.py").write_text(BARE_HANDLER)
        _import_ms(folder / "code", module="overread_lambda.route_prediction")  # writes the bytecode
        pairs = [
            (
                _import_ms(folder / "code", module="overread_lambda.route_prediction"),
                _import_ms(folder / "bare", module="bare_handler"),
            )
            for _ in range(RUNS)
        ]
        size = _zipped_mb(folder / "code")
    return [
        Measurement.against(
            "router: import, CPU",
            value=median([router for router, _ in pairs]),
            unit="ms",
            baseline=median([bare for _, bare in pairs]),
        ),
        Measurement.against(
            "router: zip without boto3 (baseline: limit)", value=size, unit="MB", baseline=SIZE_LIMIT_MB
        ),
    ]


def _import_ms(folder: Path, *, module: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [LAMBDA_PYTHON, "-c", f"import {module}"],
        check=True,
        env={**SETTINGS, "PYTHONPATH": str(folder), "PATH": os.environ["PATH"]},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _zipped_mb(folder: Path) -> float:
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(path, path.relative_to(folder))
        return file.tell() / 1e6
