"""CloudFormation's side of a custom resource: exactly one answer, put to a presigned address."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from overread_lambda.logs import log

NOT_CREATED = "not-created:"
"""Begins the physical id of what never came to be, so that its deletion deletes nothing."""
REASON_LENGTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What to tell CloudFormation; `reason` is empty on success, `data` are the attributes for GetAtt."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


class Answer:
    """CloudFormation's answer slot: the first answer is sent, later ones are dropped."""

    def __init__(self, event: Mapping[str, Any], *, send: Callable[[str, bytes], None]) -> None:
        self._event = event
        self._send = send
        self._lock = threading.Lock()
        self._is_given = False

    def give(self, result: Result) -> None:
        """Sends the answer, unless one was sent before."""
        with self._lock:
            if self._is_given:
                return
            self._is_given = True
        body = {
            "Status": "FAILED" if result.reason else "SUCCESS",
            "Reason": result.reason[:REASON_LENGTH] or "done",
            "PhysicalResourceId": result.physical_id,
            "StackId": self._event["StackId"],
            "RequestId": self._event["RequestId"],
            "LogicalResourceId": self._event["LogicalResourceId"],
            "Data": dict(result.data),
        }
        log.info(
            "review resource answered",
            extra={
                "request": self._event["RequestType"],
                "resource": self._event.get("ResourceType"),
                "status": body["Status"],
            },
        )
        self._send(self._event["ResponseURL"], json.dumps(body).encode())


def put_answer(url: str, body: bytes) -> None:
    """Puts the answer to CloudFormation's presigned address; three attempts."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("ResponseURL must be an http(s) address")
    for attempt in range(3):
        request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5):  # noqa: S310
                return
        except OSError as error:
            log.warning("answer not delivered", extra={"attempt": attempt + 1, "error": type(error).__name__})
            if attempt == 2:
                raise
            time.sleep(attempt + 0.5)
