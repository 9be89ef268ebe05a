"""POST /v1/decisions/{id}/cancel, /contest, /outcome by its caller; PUT /v1/rechecks/{id} by who steers."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread.decisions.callers import cancel, contest, learn_truth
from overread.decisions.documents import decision_document
from overread.decisions.ids import is_decision_id
from overread.decisions.ports import ChangePorts, Clock
from overread.decisions.record import TERMINAL, Record
from overread.decisions.requests import checked_idempotency_key, parse_change
from overread.errors import Problem, RequestRefusedError
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_lambda.counted import CountedRecords
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.rest_proxy import (
    Event,
    Reply,
    answer,
    body_bytes,
    caller_of,
    header_values,
    path_parameter,
    reply,
)
from overread_lambda.settings import ChangeSettings, change_settings

RECHECK = "recheck"
RECHECKS = "/v1/rechecks/{id}"
"""Of any caller's decisions: whose answers are in doubt, all of them are read again."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one call says: about which decision, by whom, with what."""

    decision_id: str
    by: str
    body: Mapping[str, Any]
    idempotency_keys: list[str]


@entry()
def handler(event: Event, context: object) -> Reply:
    """What API Gateway calls."""
    return answer(lambda: respond(event, ports=_ports(), clock=_now))


def respond(event: Event, *, ports: ChangePorts, clock: Clock) -> Reply:
    """The decision as it stands afterwards: 200, or 202 for a contest that people now decide.

    Raises:
        OverreadError: the decision is unknown to this caller, the request is at fault, or a service failed.
    """
    resource = str(event.get("resource") or "")
    name = RECHECK if resource == RECHECKS else resource.rpartition("/")[2]
    if name not in _CHANGES:
        raise RequestRefusedError(Problem.UNKNOWN_DECISION, "there is no such call", field="path")
    scope = caller_of(event)
    decision_id = path_parameter(event, "id")
    known = ports.records.get(decision_id) if is_decision_id(decision_id) else None
    if known is None or (name != RECHECK and known.caller_scope != scope):
        detail = f"decision {decision_id[:80]!r} is unknown"
        raise RequestRefusedError(Problem.UNKNOWN_DECISION, detail, field="id")
    call = Call(
        decision_id=decision_id,
        by=scope,
        body=parse_change(body_bytes(event), kind="contest" if name == RECHECK else name),
        idempotency_keys=header_values(event, "Idempotency-Key"),
    )
    counted = replace(ports, records=CountedRecords(ports.records))
    record = _CHANGES[name](call, counted, clock)
    log.info("decision changed", extra={"decision_id": record.decision_id, "change": name})
    document = decision_document(record)
    status = 200 if record.state in TERMINAL else 202
    return reply(status, document, headers={"Location": document["links"]["self"]})


def _cancel(call: Call, ports: ChangePorts, clock: Clock) -> Record:
    reason = call.body.get("reason_code") or ""
    return cancel(call.decision_id, reason=reason, by=call.by, ports=ports, clock=clock)


def _contest(call: Call, ports: ChangePorts, clock: Clock) -> Record:
    return contest(
        call.decision_id,
        grounds=call.body.get("grounds") or "",
        idempotency_key=checked_idempotency_key(call.idempotency_keys),
        by=call.by,
        ports=ports,
        clock=clock,
    )


def _recheck(call: Call, ports: ChangePorts, clock: Clock) -> Record:
    return contest(
        call.decision_id,
        grounds=call.body.get("grounds") or "",
        idempotency_key=RECHECK,
        by=call.by,
        ports=ports,
        clock=clock,
    )


def _outcome(call: Call, ports: ChangePorts, clock: Clock) -> Record:
    return learn_truth(
        call.decision_id,
        label=call.body["label"],
        learnt_at=call.body.get("learnt_at") or clock(),
        by=call.by,
        ports=ports,
        clock=clock,
    )


_CHANGES: Mapping[str, Callable[[Call, ChangePorts, Clock], Record]] = {
    "cancel": _cancel,
    "contest": _contest,
    "outcome": _outcome,
    RECHECK: _recheck,
}


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> ChangeSettings:
    return change_settings(os.environ)


@cache
def _ports() -> ChangePorts:
    settings = _settings()
    return ChangePorts(
        records=DynamoDbRecords(make_client("dynamodb"), table=settings.table),
        policies=AppConfigPolicies(
            make_client("appconfigdata"),
            application=settings.policies.application,
            environment=settings.policies.environment,
            monotonic=time.monotonic,
        ),
    )
