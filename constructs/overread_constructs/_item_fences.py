"""Which items of the decision table a function may write, by their partition keys, as explicit denials.

A denial, because a grant with the condition would also have to name what every later item is called.
"""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from overread_constructs._handler import Handler

STEERED = ("SWITCH#*", "ROSTER", "GUARANTEE#*")
"""What people steer: kill switches, the roster, approved guarantees."""
MONITORED = ("MONITOR#*",)
"""Audits for the error monitors, and how these stand."""
_WRITES = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
_KEYS = "dynamodb:LeadingKeys"


def keep_off(handler: Handler, *keys: str, table: dynamodb.ITable) -> None:
    """The function never writes items whose partition key is like one of these."""
    _deny(handler, table, operator="ForAnyValue:StringLike", keys=keys)


def keep_to(handler: Handler, *keys: str, table: dynamodb.ITable) -> None:
    """The function never writes items whose partition key is like none of these."""
    _deny(handler, table, operator="ForAnyValue:StringNotLike", keys=keys)


def _deny(handler: Handler, table: dynamodb.ITable, *, operator: str, keys: tuple[str, ...]) -> None:
    handler.role.add_to_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=_WRITES,
            resources=[table.table_arn],
            conditions={operator: {_KEYS: list(keys)}},
        )
    )
