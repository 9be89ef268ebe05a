"""Threshold guarantees and error monitors: `GET`, `PUT` of `/v1/guarantees/…` and `/v1/error-monitors/…`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any

from overread.decisions.error_monitor import WatchPorts, fresh, restart, watched_by
from overread.decisions.monitor_state import MonitorState
from overread.decisions.ports import Clock, GuaranteeSteering
from overread.decisions.requests import parse_restart
from overread.decisions.steered import GuaranteePin, Proposal
from overread.decisions.steering import put_guarantee
from overread.errors import InvalidGuaranteeError, Problem, RequestRefusedError
from overread.instants import format_instant
from overread.risk.guarantee import parse_guarantee
from overread_lambda.logs import log as logger
from overread_lambda.rest_proxy import Event, Reply, body_bytes, caller_of, path_parameter, reply
from overread_lambda.settings import SteerSettings

GUARANTEES, ERROR_MONITORS = "/v1/guarantees/{use_case}", "/v1/error-monitors/{use_case}"
ALL_ERROR_MONITORS = "/v1/error-monitors"
ROUTES = frozenset({GUARANTEES, ERROR_MONITORS, ALL_ERROR_MONITORS})


@dataclass(frozen=True, slots=True)
class GuaranteePorts:
    """What these routes need; `read_guarantee` gives the document of a hash."""

    steering: GuaranteeSteering
    read_guarantee: Callable[[str], bytes]
    watch: WatchPorts


def respond(event: Event, *, settings: SteerSettings, ports: GuaranteePorts, clock: Clock) -> Reply:
    """The guarantee or the monitor as it then stands: 200, or 202 while a second person is awaited.

    Raises:
        OverreadError: the request is at fault, or a service failed.
    """
    by = caller_of(event)
    if event.get("resource") == ALL_ERROR_MONITORS:
        return reply(200, {"error_monitors": _all_monitors(settings, ports=ports, clock=clock)})
    use_case = _use_case(event, settings)
    change = event.get("httpMethod") == "PUT"
    if event.get("resource") == ERROR_MONITORS:
        state = _standing(use_case, ports=ports, clock=clock)
        if change:
            state = _restart(event, use_case, by=by, settings=settings, ports=ports, clock=clock)
        return _answer(monitor_document(use_case, state), state.proposal if change and state else None)
    pin = ports.steering.guarantee(use_case)
    if change:
        pin = _put(body_bytes(event), use_case, by=by, settings=settings, ports=ports, clock=clock)
    document = _guarantee_document(use_case, pin, ports.read_guarantee)
    return _answer(document, pin.proposal if change and pin else None)


def monitor_document(use_case: str, state: MonitorState | None) -> dict[str, Any]:
    """How the monitor of a use case stands; only its name where the policy wants none."""
    if state is None:
        return {"use_case": use_case, "is_watched": False}
    watched, monitor = state.watched, state.monitor
    low, high = monitor.interval()
    return _without_none(
        {
            "use_case": use_case,
            "is_watched": True,
            "guarantee": watched.guarantee or None,
            "model_version": watched.model_version or None,
            "alpha": watched.alpha,
            "delta": watched.delta,
            "audited": monitor.n,
            "errors": monitor.errors,
            "estimate": monitor.estimate,
            "interval": [low, high],
            "recent": {"audited": monitor.recent_n, "errors": monitor.recent_errors},
            "evidence_log10": round(monitor.log_e / log(10), 3),
            "alarm_evidence_log10": round(-log(watched.delta) / log(10), 3),
            "is_alarm": monitor.is_alarm,
            "alarmed_at": state.alarmed_at and format_instant(state.alarmed_at),
            "passed_over": state.passed_over,
            "run": state.run,
            "since": format_instant(state.since),
            "updated_at": format_instant(state.updated_at),
            "proposal": _proposal_document(state.proposal),
        }
    )


def _all_monitors(settings: SteerSettings, *, ports: GuaranteePorts, clock: Clock) -> list[dict[str, Any]]:
    return [
        monitor_document(use_case, _standing(use_case, ports=ports, clock=clock))
        for use_case in sorted(settings.use_cases)
    ]


def _standing(use_case: str, *, ports: GuaranteePorts, clock: Clock) -> MonitorState | None:
    watched = watched_by(ports.watch.policies.current(use_case))
    if watched is None:
        return None
    return ports.watch.monitors.state(use_case, watched=watched) or fresh(use_case, watched, at=clock())


def _restart(
    event: Event, use_case: str, *, by: str, settings: SteerSettings, ports: GuaranteePorts, clock: Clock
) -> MonitorState:
    state = restart(
        use_case,
        by=by,
        reason=parse_restart(body_bytes(event)),
        needs_two=settings.changes_need_two,
        ports=ports.watch,
        clock=clock,
    )
    if state is None:
        detail = f"the routing policy of {use_case} wants no error monitor"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="use_case")
    logger.warning("error monitor", extra={"use_case": use_case, "run": state.run})
    return state


def _put(
    body: bytes, use_case: str, *, by: str, settings: SteerSettings, ports: GuaranteePorts, clock: Clock
) -> GuaranteePin:
    try:
        guarantee = parse_guarantee(body)
    except InvalidGuaranteeError as error:
        raise RequestRefusedError(Problem.INVALID_REQUEST, "; ".join(error.faults)) from error
    if guarantee.use_case != use_case:
        detail = f"use_case must be {use_case}, got {guarantee.use_case}"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="use_case")
    pin = put_guarantee(
        guarantee, by=by, needs_two=settings.changes_need_two, steering=ports.steering, clock=clock
    )
    logger.warning("guarantee", extra={"use_case": use_case, "is_proposal": pin.proposal is not None})
    return pin


def _use_case(event: Event, settings: SteerSettings) -> str:
    name = path_parameter(event, "use_case")
    if name not in settings.use_cases:
        detail = f"use_case must be one of {', '.join(sorted(settings.use_cases))}"
        raise RequestRefusedError(Problem.UNKNOWN_USE_CASE, detail, field="use_case")
    return name


def _answer(document: dict[str, Any], proposal: Proposal | None) -> Reply:
    return reply(202 if proposal else 200, document)


def _guarantee_document(
    use_case: str, pin: GuaranteePin | None, read_guarantee: Callable[[str], bytes]
) -> dict[str, Any]:
    """With its words, of the one that is approved and of the one that somebody has to approve."""
    if pin is None:
        return {"use_case": use_case, "id": None}
    document = _without_none(
        {
            "changed_at": pin.changed_at and format_instant(pin.changed_at),
            "proposed_by": pin.proposed_by or None,
            "approved_by": pin.approved_by or None,
            "document": json.loads(read_guarantee(pin.sha256)) if pin.sha256 else None,
            "proposal": _proposal_document(pin.proposal),
        }
    )
    if pin.proposal is not None:
        proposed = read_guarantee(pin.proposal.value)
        document["proposal"] |= {"id": parse_guarantee(proposed).id, "document": json.loads(proposed)}
    return {"use_case": use_case, "id": pin.id or None, **document}


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
