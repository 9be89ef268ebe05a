"""`Custom::OverreadChangeLog`: every new policy and template in the audit log, before it is in force.

Environment: OVERREAD_TABLE, OVERREAD_AUDIT_BUCKET. It may query, read and put in the table, put to the audit
bucket, list its versions and read it. Properties:

    Texts       a list of {"Subject": "policy/loan-approval", "Content": the text as deployed}; subjects are
                `policy/{use case}`, `template/{use case}`, `settings/{name}`
    ProposedBy, ApprovedBy, Ticket   who stands for the deployment, where it was discussed; may be empty
    NeedsTwo    "true": a deployment that changes a text and is not approved by a second person fails

What puts a text into force (the AppConfig deployments) must depend on this resource. A stack that rolls back
asks for the old texts again, which is logged too.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Protocol

from overread.audit.changes import Approval, ChangeLog, Text, Texts, log_changes
from overread.errors import MissingSettingsError
from overread_aws.audit_archive import S3AuditArchive
from overread_aws.audit_changes import DynamoDbChangeLog
from overread_aws.clients import make_client
from overread_lambda.cloudformation_answer import NOT_CREATED, Answer, Result, put_answer
from overread_lambda.entry import entry

PHYSICAL_ID = "overread-change-log"
ANSWER_S = 10.0


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@dataclass(frozen=True, slots=True)
class ChangeLogSettings:
    """Settings of `log_changes`."""

    table: str
    audit_bucket: str


def change_log_settings(environ: Mapping[str, str]) -> ChangeLogSettings:
    """The settings of `log_changes`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    names = ("OVERREAD_TABLE", "OVERREAD_AUDIT_BUCKET")
    if missing := [name for name in names if not environ.get(name)]:
        raise MissingSettingsError(missing)
    table, bucket = (environ[name] for name in names)
    return ChangeLogSettings(table=table, audit_bucket=bucket)


@entry()
def handler(event: Mapping[str, Any], context: Context) -> None:
    """What CloudFormation calls."""
    remaining_s = context.get_remaining_time_in_millis() / 1000
    respond(event, make=_ports, send=put_answer, remaining_s=remaining_s, clock=_now)


def respond(
    event: Mapping[str, Any],
    *,
    make: Callable[[], tuple[ChangeLog, Texts]],
    send: Callable[[str, bytes], None],
    remaining_s: float,
    clock: Callable[[], datetime],
) -> None:
    """Logs what changes and answers; a watchdog answers FAILED before Lambda would end the function."""
    answer = Answer(event, send=send)
    physical_id = str(event.get("PhysicalResourceId") or f"{NOT_CREATED}{PHYSICAL_ID}")
    late = Result(physical_id=physical_id, reason="the function ran out of time")
    watchdog = threading.Timer(max(0.0, remaining_s - ANSWER_S), partial(answer.give, late))
    watchdog.daemon = True
    watchdog.start()
    try:
        result = _provide(event, make=make, clock=clock)
    except Exception as error:  # noqa: BLE001 - CloudFormation would wait for an hour
        result = Result(physical_id=physical_id, reason=f"{type(error).__name__}: {error}")
    finally:
        watchdog.cancel()
    answer.give(result)


def _provide(
    event: Mapping[str, Any],
    *,
    make: Callable[[], tuple[ChangeLog, Texts]],
    clock: Callable[[], datetime],
) -> Result:
    request, properties = event["RequestType"], event["ResourceProperties"]
    physical_id = str(event.get("PhysicalResourceId") or "")
    if request == "Delete" and physical_id.startswith(NOT_CREATED):
        return Result(physical_id=physical_id)
    texts = [] if request == "Delete" else _texts(properties)
    before = {"Delete": properties, "Update": event.get("OldResourceProperties", {})}.get(request, {})
    kept = {text.subject for text in texts}
    log, archive = make()
    changed = log_changes(
        texts,
        removed=[text.subject for text in _texts(before) if text.subject not in kept],
        approval=_approval(properties, is_deletion=request == "Delete"),
        log=log,
        archive=archive,
        clock=clock,
    )
    return Result(physical_id=PHYSICAL_ID, data={"Changed": str(len(changed))})


def _texts(properties: Mapping[str, Any]) -> list[Text]:
    return [Text(subject=text["Subject"], content=text["Content"]) for text in properties.get("Texts", ())]


def _approval(properties: Mapping[str, Any], *, is_deletion: bool) -> Approval:
    """Nothing decides any more once its stack is gone, so a deletion needs nobody's approval."""
    return Approval(
        proposed_by=str(properties.get("ProposedBy", "")),
        approved_by=str(properties.get("ApprovedBy", "")),
        ticket=str(properties.get("Ticket", "")),
        needs_two=not is_deletion and str(properties.get("NeedsTwo", "")).lower() == "true",
    )


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _ports() -> tuple[DynamoDbChangeLog, S3AuditArchive]:
    settings = change_log_settings(os.environ)
    return (
        DynamoDbChangeLog(make_client("dynamodb"), table=settings.table),
        S3AuditArchive(make_client("s3"), bucket=settings.audit_bucket),
    )
