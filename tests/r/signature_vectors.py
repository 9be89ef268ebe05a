"""Signatures that botocore makes of fixed requests: what the R package's signer is held against.

`python -m tests.r.signature_vectors` writes them anew; a test notices when the file differs.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FILE = Path(__file__).parents[2] / "r/overread/tests/testthat/sigv4_vectors.json"
NOW = datetime(2026, 11, 22, 21, 7, 44, tzinfo=UTC)
API = "https://abc123.execute-api.eu-west-1.amazonaws.com/live"
LASTING = {"key_id": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token": ""}
TEMPORARY = LASTING | {"key_id": "ASIAEXAMPLE", "token": "FwoGZXIvYXdzEXAMPLE//token+=="}
JSON = {"Content-Type": "application/json"}


def vectors() -> list[dict[str, Any]]:
    """Each request with the `Authorization` that botocore gives it."""
    key = JSON | {"Idempotency-Key": "order-8841"}
    body = '{"input":{"amount":9600,"purpose":"new car"}}'
    decisions = "/v1/use-cases/loan-approval/decisions"
    return [
        _vector("get", "GET", f"{API}/v1/decisions/d-abc"),
        _vector("post with a body", "POST", API + decisions, headers=key, body=body),
        _vector("temporary credentials", "POST", API + decisions, headers=key, body=body, by=TEMPORARY),
        _vector(
            "letters of many bytes", "POST", API + decisions, headers=key, body='{"input":{"a":"Grün €"}}'
        ),
        _vector(
            "a query out of order", "GET", f"{API}/v1/decisions?state=FINAL&limit=5&cursor=a%2Fb%3D&limit=10"
        ),
        _vector("a query without values", "GET", f"{API}/v1/decisions?b&a="),
        _vector("a path that is encoded", "GET", f"{API}/v1/use-cases/caf%C3%A9%20au/decisions~x"),
        _vector("a path with dots", "GET", f"{API}/v1/./x/../decisions/"),
        _vector("spaces in headers", "GET", f"{API}/v1/x", headers={"X-Note": "  two   spaces "}),
        _vector("loopback with a port", "PUT", "http://127.0.0.1:4566/v1/roster", headers=JSON, body="{}"),
        _vector("the root", "GET", "https://example.com:443"),
        _vector("another service and region", "GET", f"{API}/x", service="sagemaker", region="us-gov-west-1"),
    ]


def _vector(
    name: str,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    body: str = "",
    by: dict[str, str] = LASTING,
    service: str = "execute-api",
    region: str = "eu-west-1",
) -> dict[str, Any]:
    request = AWSRequest(method, url, headers=dict(headers or {}), data=body.encode() or None)
    credentials = Credentials(by["key_id"], by["secret"], by["token"] or None)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        SigV4Auth(credentials, service, region).add_auth(request)
    return {
        "name": name,
        "method": method,
        "url": url,
        "headers": headers or {},
        "body": body,
        "credentials": by,
        "service": service,
        "region": region,
        "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "authorization": request.headers["Authorization"],
    }


def text() -> str:
    """The file's content."""
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
