"""The decision API over an in-memory world: requests as API Gateway hands them over, to the right handler."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overread.decisions import codec
from overread.decisions.record import Record
from overread.errors import Problem, RequestRefusedError
from overread.instants import format_instant
from overread_aws.decision_lists import DecisionPage, ListedDecision, Listing
from overread_lambda import change_decision, guarantees, read_decision, route_prediction, steer
from overread_lambda.rest_proxy import Event, Reply, answer
from overread_lambda.settings import PolicySource, RouteSettings, SteerSettings
from overread_testing.decision_builders import CALLER_ARN, proxy_event
from overread_testing.decision_fakes import World

USE_CASES = frozenset({"loan-approval"})
_ROUTES = {
    ("POST", "/v1/use-cases/{name}/decisions"): "route",
    ("GET", "/v1/decisions"): "read",
    ("GET", "/v1/decisions/{id}"): "read",
    ("POST", "/v1/decisions/{id}/cancel"): "change",
    ("POST", "/v1/decisions/{id}/contest"): "change",
    ("POST", "/v1/decisions/{id}/outcome"): "change",
    ("PUT", "/v1/rechecks/{id}"): "change",
    ("GET", "/v1/kill-switches/{scope}"): "steer",
    ("PUT", "/v1/kill-switches/{scope}"): "steer",
    ("GET", "/v1/roster"): "steer",
    ("PUT", "/v1/roster"): "steer",
    ("GET", "/v1/guarantees/{use_case}"): "guarantees",
    ("PUT", "/v1/guarantees/{use_case}"): "guarantees",
    ("GET", "/v1/error-monitors"): "guarantees",
    ("GET", "/v1/error-monitors/{use_case}"): "guarantees",
    ("PUT", "/v1/error-monitors/{use_case}"): "guarantees",
}


@dataclass(frozen=True)
class Got:
    """A reply, its body read."""

    status: int
    document: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def problem(self) -> str:
        """The problem's short name; empty when it is none."""
        return str(self.document.get("type", "")).removeprefix("urn:overread:problem:")


@dataclass
class Api:
    """Calls of the API by one principal. Every reply is kept in `seen`: method, resource, reply."""

    world: World
    user_arn: str | None = CALLER_ARN
    use_cases: frozenset[str] = USE_CASES
    changes_need_two: bool = True
    seen: list[tuple[str, str, Got]] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Got:
        """One call; `body` is JSON, bytes as they are, or nothing."""
        resource, parameters = _resource(method, path)
        text = body.decode() if isinstance(body, bytes) else None if body is None else json.dumps(body)
        event = proxy_event(
            body=text,
            path=parameters,
            headers={} if key is None else {"Idempotency-Key": key},
            user_arn=self.user_arn,
        )
        event |= {
            "resource": resource,
            "httpMethod": method,
            "pathParameters": parameters or None,
            "queryStringParameters": dict(query) if query else None,
        }
        reply = answer(lambda: self._respond(_ROUTES[method, resource], event))
        got = Got(reply["statusCode"], json.loads(reply["body"]), reply["headers"])
        self.seen.append((method, resource, got))
        return got

    def _respond(self, handler: str, event: Event) -> Reply:
        world = self.world
        if handler == "route":
            route = RouteSettings(
                environment="test",
                table="t",
                input_bucket="in",
                use_cases=self.use_cases,
                policies=PolicySource(application="a", environment="e"),
                spot_check_secret="s",
            )
            return route_prediction.respond(
                event, settings=route, ports=world.submit_ports, clock=world.clock
            )
        if handler == "read":
            return read_decision.respond(event, records=world.records, lists=Pages(world))
        if handler == "change":
            return change_decision.respond(event, ports=world.change_ports, clock=world.clock)
        settings = SteerSettings(
            table="t",
            input_bucket="in",
            use_cases=self.use_cases,
            changes_need_two=self.changes_need_two,
            policies=PolicySource(application="a", environment="e"),
        )
        if handler == "guarantees":
            ports = guarantees.GuaranteePorts(
                steering=world.steering,
                read_guarantee=lambda sha256: world.records.guarantee_bodies[sha256],
                watch=world.watch_ports,
            )
            return guarantees.respond(event, settings=settings, ports=ports, clock=world.clock)
        return steer.respond(
            event,
            settings=settings,
            steering=world.steering,
            read_roster=lambda sha256: world.records.rosters[sha256],
            clock=world.clock,
        )


class Pages:
    """Listings over the world's records; a cursor is the id of the last decision on its page."""

    def __init__(self, world: World) -> None:
        self._world = world

    def page(self, listing: Listing, *, limit: int, cursor: str = "") -> DecisionPage:
        """One page, newest first."""
        records = [codec.record_of(item) for item in self._world.records.items.values()]
        found = sorted(filter(lambda record: _is_in(record, listing), records), key=_position, reverse=True)
        if cursor:
            ids = [record.decision_id for record in found]
            if cursor not in ids:
                raise RequestRefusedError(Problem.INVALID_REQUEST, "cursor is none", field="cursor")
            found = found[ids.index(cursor) + 1 :]
        shown = tuple(map(_listed, found[:limit]))
        return DecisionPage(shown, shown[-1].decision_id if len(found) > limit else "")


def _is_in(record: Record, listing: Listing) -> bool:
    return (
        record.caller_scope == listing.caller_scope
        and listing.state in (None, record.state)
        and listing.reference in ("", record.reference)
        and listing.use_case in ("", record.use_case)
    )


def _position(record: Record) -> tuple[str, str]:
    return format_instant(record.received_at), record.decision_id


def _listed(record: Record) -> ListedDecision:
    return ListedDecision(
        decision_id=record.decision_id,
        use_case=record.use_case,
        state=record.state,
        reference=record.reference,
        received_at=format_instant(record.received_at),
    )


def _resource(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The resource that API Gateway finds for a path, and its variable parts."""
    parts = path.split("/")
    for of_method, resource in _ROUTES:
        wanted = resource.split("/")
        pairs = list(zip(wanted, parts, strict=False))
        if of_method != method or len(wanted) != len(parts):
            continue
        if all(name == value or name.startswith("{") for name, value in pairs):
            return resource, {name[1:-1]: value for name, value in pairs if name.startswith("{")}
    raise ValueError(f"the API has no {method} {path}")
