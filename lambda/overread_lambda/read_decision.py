"""GET /v1/decisions/{id}: the decision as it stands, for the caller who asked for it."""

import os
from functools import cache

from overread.decisions.documents import decision_document
from overread.decisions.ids import is_decision_id
from overread.decisions.ports import Records
from overread.errors import Problem, RequestRefusedError
from overread_aws.clients import make_client
from overread_aws.dynamodb_records import DynamoDbRecords
from overread_lambda.rest_proxy import Event, Reply, answer, caller_of, path_parameter, reply
from overread_lambda.settings import read_settings


def handler(event: Event, context: object) -> Reply:
    """What API Gateway calls."""
    return answer(lambda: respond(event, records=_records()))


def respond(event: Event, *, records: Records) -> Reply:
    """The decision as a reply; another caller's decision is as unknown as one that never was.

    Raises:
        OverreadError: the decision is unknown, or the records cannot be read.
    """
    scope = caller_of(event)
    decision_id = path_parameter(event, "id")
    record = records.get(decision_id) if is_decision_id(decision_id) else None
    if record is None or record.caller_scope != scope:
        detail = f"decision {decision_id[:80]!r} is unknown"
        raise RequestRefusedError(Problem.UNKNOWN_DECISION, detail, field="id")
    return reply(200, decision_document(record))


@cache
def _records() -> DynamoDbRecords:
    return DynamoDbRecords(make_client("dynamodb"), table=read_settings(os.environ).table)
