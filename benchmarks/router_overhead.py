"""CPU time that the router adds to a raw `invoke_endpoint`: the deployed handler, its clients, no network."""

import itertools
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.measure import Measurement, cpu_ms_each, percentile
from benchmarks.package import SETTINGS
from benchmarks.routing_core import INPUT, POLICY, REPLY
from botocore.awsrequest import AWSRequest, AWSResponse

RUNS = 1000
BODY = json.dumps({"input": INPUT, "reference": "loan-8841"})


def run() -> list[Measurement]:
    """Both paths through the same stubbed transport; the difference is what the router adds."""
    with (
        mock.patch.dict(os.environ, SETTINGS),
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
    ):
        from overread_aws import clients  # noqa: PLC0415 - read with the settings in place
        from overread_lambda import route_prediction  # noqa: PLC0415

        session = clients.make_session()
        session.register("before-send", _replied)
        number = itertools.count()
        raw = clients.make_client("sagemaker-runtime")

        def invoke() -> None:
            raw.invoke_endpoint(
                EndpointName=POLICY["prediction"]["endpoint_name"],  # type: ignore[index]
                ContentType="application/json",
                Body=json.dumps(INPUT).encode(),
            )["Body"].read()

        def decide() -> None:
            reply = route_prediction.handler(_event(next(number)), None)
            if reply["statusCode"] not in {200, 202}:
                raise RuntimeError(reply["body"])

        floor = cpu_ms_each(invoke, runs=RUNS)
        whole = cpu_ms_each(decide, runs=RUNS)
    return [
        Measurement.against(
            f"router: CPU added to invoke_endpoint, {name}",
            value=percentile(whole, share) - percentile(floor, share),
            unit="ms",
            baseline=percentile(floor, share),
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _event(number: int) -> Mapping[str, Any]:
    return {
        "httpMethod": "POST",
        "path": "/v1/use-cases/loan-approval/decisions",
        "pathParameters": {"name": "loan-approval"},
        "headers": {"Idempotency-Key": f"bench-{number}", "Content-Type": "application/json"},
        "requestContext": {
            "identity": {"accountId": "111122223333", "userArn": "arn:aws:iam::111122223333:user/bench"}
        },
        "body": BODY,
        "isBase64Encoded": False,
    }


class _Stream:
    """What urllib3 would hand over: the bytes of a reply, once."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, amt: int | None = None, **_: Any) -> bytes:
        content, self._content = self._content, b""
        return content

    def stream(self, **_: Any) -> Any:
        yield self.read()

    def close(self) -> None:
        """Nothing to close."""


def _replied(request: AWSRequest, event_name: str, **_: Any) -> AWSResponse:
    service = event_name.split(".")[1]
    headers = {"Content-Type": "application/json"}
    if service == "s3":
        headers = {"x-amz-version-id": "v1", "ETag": '"e"'}
        content = b""
    elif service in {"sagemaker-runtime", "runtime.sagemaker"}:
        headers["x-Amzn-Invoked-Production-Variant"] = "AllTraffic"
        content = REPLY
    elif service == "appconfigdata" and event_name.endswith("StartConfigurationSession"):
        content = b'{"InitialConfigurationToken": "t"}'
    elif service == "appconfigdata":
        headers |= {"Next-Poll-Configuration-Token": "t", "Next-Poll-Interval-In-Seconds": "60"}
        content = json.dumps(POLICY).encode()
    elif service in {"secretsmanager", "secrets-manager"}:
        content = json.dumps({"SecretString": "k" * 64, "VersionId": "v"}).encode()
    else:
        content = b"{}"
    headers["Content-Length"] = str(len(content))
    return AWSResponse(request.url, 200, headers, _Stream(content))
