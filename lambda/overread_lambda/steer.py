"""What people steer: `GET`, `PUT` of `/v1/kill-switches/…` and `/v1/roster`, and the routes of guarantees."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from overread.decisions.error_monitor import WatchPorts
from overread.decisions.ports import Clock, Steering
from overread.decisions.requests import WantedSwitch, parse_switch
from overread.decisions.steered import ALL, Proposal, RosterPin, Switch
from overread.decisions.steering import put_roster, turn_off, turn_on
from overread.errors import InvalidRosterError, Problem, RequestRefusedError
from overread.instants import format_instant
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.clients import make_client
from overread_aws.error_monitors import DynamoDbErrorMonitors
from overread_aws.rosters import S3Rosters
from overread_aws.steering import DynamoDbSteering
from overread_lambda import guarantees
from overread_lambda.entry import entry
from overread_lambda.logs import log
from overread_lambda.rest_proxy import Event, Reply, answer, body_bytes, caller_of, path_parameter, reply
from overread_lambda.settings import SteerSettings, steer_settings

EVERY_USE_CASE = "all"
ReadRoster = Callable[[str], bytes]
"""The document of a hash."""


@entry()
def handler(event: Event, context: object) -> Reply:
    """What API Gateway calls."""
    if event.get("resource") in guarantees.ROUTES:
        return answer(
            lambda: guarantees.respond(event, settings=_settings(), ports=_guarantee_ports(), clock=_now)
        )
    return answer(
        lambda: respond(
            event, settings=_settings(), steering=_steering(), read_roster=_rosters().body, clock=_now
        )
    )


def respond(
    event: Event, *, settings: SteerSettings, steering: Steering, read_roster: ReadRoster, clock: Clock
) -> Reply:
    """The switch or the roster's pointer as it then stands: 200, or 202 while a second person is awaited.

    Raises:
        OverreadError: the request is at fault, or a service failed.
    """
    by = caller_of(event)
    is_roster = str(event.get("resource") or "").endswith("/roster")
    change = event.get("httpMethod") == "PUT"
    if is_roster:
        pin = steering.roster()
        if change:
            pin = _put_roster(body_bytes(event), by=by, settings=settings, steering=steering, clock=clock)
        return _answer(_roster_document(pin, read_roster), pin.proposal if change and pin else None)
    scope = _scope(event, settings)
    switch = steering.switch(scope)
    if change:
        wanted = parse_switch(body_bytes(event))
        switch = _turn(scope, wanted, by=by, settings=settings, steering=steering, clock=clock)
    return _answer(_switch_document(switch), switch.proposal if change else None)


def _turn(
    scope: str, wanted: WantedSwitch, *, by: str, settings: SteerSettings, steering: Steering, clock: Clock
) -> Switch:
    if wanted.is_on:
        switch = turn_on(scope, by=by, reason=wanted.reason, steering=steering, clock=clock)
    else:
        switch = turn_off(
            scope,
            by=by,
            reason=wanted.reason,
            needs_two=settings.changes_need_two,
            steering=steering,
            clock=clock,
        )
    log.warning("kill switch", extra={"scope": scope, "is_on": switch.is_on, "epoch": switch.epoch})
    return switch


def _put_roster(
    body: bytes, *, by: str, settings: SteerSettings, steering: Steering, clock: Clock
) -> RosterPin:
    try:
        pin = put_roster(
            body,
            by=by,
            reason="",
            needs_two=settings.changes_need_two,
            steering=steering,
            clock=clock,
        )
    except InvalidRosterError as error:
        raise RequestRefusedError(Problem.INVALID_REQUEST, "; ".join(error.faults), field="people") from error
    log.warning("roster", extra={"sha256": pin.sha256, "is_proposal": pin.proposal is not None})
    return pin


def _scope(event: Event, settings: SteerSettings) -> str:
    name = path_parameter(event, "scope")
    if name == EVERY_USE_CASE:
        return ALL
    if name not in settings.use_cases:
        detail = f"scope must be {EVERY_USE_CASE} or one of {', '.join(sorted(settings.use_cases))}"
        raise RequestRefusedError(Problem.UNKNOWN_USE_CASE, detail, field="scope")
    return name


def _answer(document: dict[str, Any], proposal: Proposal | None) -> Reply:
    return reply(202 if proposal else 200, document)


def _switch_document(switch: Switch) -> dict[str, Any]:
    return _without_none(
        {
            "scope": EVERY_USE_CASE if switch.scope == ALL else switch.scope,
            "is_on": switch.is_on,
            "epoch": switch.epoch,
            "changed_at": switch.changed_at and format_instant(switch.changed_at),
            "changed_by": switch.changed_by or None,
            "reason": switch.reason or None,
            "proposal": _proposal_document(switch.proposal),
        }
    )


def _roster_document(pin: RosterPin | None, read_roster: ReadRoster) -> dict[str, Any]:
    """With the people, of the one in force and of the one that somebody has to approve."""
    if pin is None:
        return {"sha256": None}
    document = _without_none(
        {
            "changed_at": pin.changed_at and format_instant(pin.changed_at),
            "proposed_by": pin.proposed_by or None,
            "approved_by": pin.approved_by or None,
            "document": json.loads(read_roster(pin.sha256)) if pin.sha256 else None,
            "proposal": _proposal_document(pin.proposal),
        }
    )
    if pin.proposal is not None:
        document["proposal"]["document"] = json.loads(read_roster(pin.proposal.value))
    return {"sha256": pin.sha256 or None, **document}


def _proposal_document(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "value": proposal.value,
        "by": proposal.by,
        "reason": proposal.reason,
        "at": format_instant(proposal.at),
    }


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> SteerSettings:
    return steer_settings(os.environ)


@cache
def _rosters() -> S3Rosters:
    settings = _settings()
    return S3Rosters(
        make_client("dynamodb"), make_client("s3"), table=settings.table, bucket=settings.input_bucket
    )


@cache
def _guarantee_ports() -> guarantees.GuaranteePorts:
    settings, steering = _settings(), _steering()
    policies = AppConfigPolicies(
        make_client("appconfigdata"),
        application=settings.policies.application,
        environment=settings.policies.environment,
        monotonic=time.monotonic,
    )
    monitors = DynamoDbErrorMonitors(make_client("dynamodb"), table=settings.table)
    return guarantees.GuaranteePorts(
        steering=steering,
        read_guarantee=steering.guarantee_body,
        watch=WatchPorts(monitors=monitors, policies=policies, steering=steering),
    )


@cache
def _steering() -> DynamoDbSteering:
    settings = _settings()
    return DynamoDbSteering(
        make_client("dynamodb"), make_client("s3"), table=settings.table, bucket=settings.input_bucket
    )
