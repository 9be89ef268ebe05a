"""Asks Overread for one decision over HTTPS, signed with boto3's credentials, and waits while people decide.

Needs boto3 only. The idempotency key makes every retry safe: the same key with the same case is the same
decision.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

PAUSES_S = (0.2, 0.5, 1.0, 2.0)
FINAL_STATES = frozenset({"FINAL", "CANCELLED"})
FINAL, REFUSED, STILL_WAITING = 0, 1, 3


class RefusedError(Exception):
    """The API did not take the request; the message is its problem document in words."""


class DecisionClient:
    """Signed requests to one deployed decision API."""

    def __init__(self, url: str, *, session: boto3.Session, timeout_s: float = 35.0) -> None:
        credentials = session.get_credentials()
        if credentials is None or session.region_name is None:
            raise RefusedError(
                "no AWS credentials or no region: set AWS_PROFILE, or keys and AWS_DEFAULT_REGION"
            )
        self._url = url.rstrip("/")
        self._signer = SigV4Auth(credentials, "execute-api", session.region_name)
        self._http = URLLib3Session(timeout=timeout_s)

    def decide(
        self, use_case: str, *, case: Mapping[str, Any], key: str, reference: str | None
    ) -> dict[str, Any]:
        """The decision on `case`: final (HTTP 200), or waiting for people (202)."""
        body = {"input": dict(case), **({"reference": reference} if reference else {})}
        path = f"/v1/use-cases/{quote(use_case, safe='')}/decisions"
        return self._send("POST", path, body=json.dumps(body).encode(), headers={"Idempotency-Key": key})

    def wait(self, decision: dict[str, Any], *, at_most_s: float) -> dict[str, Any]:
        """The decision once it is final, or as it stands after `at_most_s` seconds."""
        until = time.monotonic() + at_most_s
        pause_s = 1.0
        while decision["state"] not in FINAL_STATES and time.monotonic() < until:
            time.sleep(max(0.0, min(pause_s, until - time.monotonic())))
            pause_s = min(pause_s * 1.5, 15.0)
            decision = self._send("GET", decision["links"]["self"], body=b"", headers={})
        return decision

    def _send(self, method: str, path: str, *, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        for pause_s in (*PAUSES_S, None):
            request = AWSRequest(
                method, self._url + path, headers={"Content-Type": "application/json", **headers}, data=body
            )
            self._signer.add_auth(request)  # signed anew each time: a signature is good for five minutes only
            try:
                reply = self._http.send(request.prepare())
            except HTTPClientError as error:
                refusal = RefusedError(f"no answer from {self._url}: {error}")
            else:
                if reply.status_code in {200, 202}:
                    document: dict[str, Any] = json.loads(reply.content)
                    return document
                refusal = RefusedError(_in_words(reply.status_code, reply.content))
                if reply.status_code != 429 and reply.status_code < 500:
                    break
            if pause_s is not None:
                time.sleep(pause_s)
        raise refusal


def _in_words(status: int, content: bytes) -> str:
    """A problem document (RFC 9457), or API Gateway's own `{"message": …}`, as one line."""
    try:
        problem = json.loads(content)
    except ValueError:
        problem = {}
    text = problem.get("detail") or problem.get("message") or content[:200].decode(errors="replace")
    field = f" [{problem['field']}]" if problem.get("field") else ""
    return f"HTTP {status} {problem.get('title', '')}{field}: {text}"


def _case(path: str) -> dict[str, Any]:
    """The input in a file, or on standard input. Raises OSError or ValueError, which say what is wrong."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise OSError(error.strerror) from error
    try:
        case = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(case, dict):
        raise ValueError(f"the input must be a JSON object, got {text.strip()[:60]}")
    return case


def _summary(decision: Mapping[str, Any]) -> str:
    if decision["state"] == "FINAL":
        outcome = decision["outcome"]
        return f"{decision['decision_id']}: {outcome['label']}, decided by {outcome['source']}"
    return f"{decision['decision_id']}: {decision['state']}, read it at {decision['links']['self']}"


def main() -> int:
    """Command line; the exit code is 0 for a final decision, 3 while people still decide, 1 for a refusal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("use_case", help="for example loan-approval")
    parser.add_argument("case", help="JSON file with the input, or - for standard input")
    parser.add_argument(
        "--url",
        default=os.environ.get("OVERREAD_API_URL"),
        help="stack output ApiUrl; default: OVERREAD_API_URL",
    )
    parser.add_argument("--key", help="idempotency key; default: a new one, printed for a retry")
    parser.add_argument("--reference", help="your own name for the case")
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait for people"
    )
    arguments = parser.parse_args()
    if not arguments.url:
        parser.error("give --url or set OVERREAD_API_URL")
    try:
        case = _case(arguments.case)
    except (OSError, ValueError) as error:
        print(f"{arguments.case}: {error}", file=sys.stderr)
        return REFUSED
    key = arguments.key or str(uuid.uuid4())
    print(f"idempotency key {key}", file=sys.stderr)
    try:
        client = DecisionClient(arguments.url, session=boto3.Session())
        decision = client.decide(arguments.use_case, case=case, key=key, reference=arguments.reference)
        decision = client.wait(decision, at_most_s=arguments.wait)
    except RefusedError as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    print(json.dumps(decision, indent=2))
    print(_summary(decision), file=sys.stderr)
    return FINAL if decision["state"] in FINAL_STATES else STILL_WAITING


if __name__ == "__main__":
    sys.exit(main())
