"""Requests posted into a world."""

from typing import Any

from overread.decisions.record import Record
from overread.decisions.requests import parse_submission
from overread.decisions.submit import submit
from overread_testing.decision_builders import CALLER_SCOPE, request_body
from overread_testing.decision_fakes import World


def post(world: World, key: str = "order-8841", **changes: Any) -> Record:
    """What a caller's request comes to."""
    return submit(
        parse_submission(request_body(**changes)),
        use_case=world.policies.policy.use_case,
        environment="overread-test",
        caller_scope=CALLER_SCOPE,
        idempotency_key=key,
        ports=world.submit_ports,
        clock=world.clock,
    )
