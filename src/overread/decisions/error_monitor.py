"""The error monitor of a use case: spot checks and outcomes counted, and all to people once they say so."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from overread.decisions import news
from overread.decisions.monitor_state import Audited, MonitorState, Watched
from overread.decisions.ports import Clock, Policies, Steering
from overread.decisions.steered import Proposal
from overread.decisions.steering import commit_steered, turn_on
from overread.errors import RecordConflictError, RetryableError
from overread.instants import format_instant
from overread.risk.monitor import LastingErrorMonitor
from overread.routing.policy import Source, UseCasePolicy

BY = "error-monitor"
"""Who turned the kill switch, in the audit log."""
BATCH = 50
ATTEMPTS = 8


class ErrorMonitors(Protocol):
    """Audited decisions that wait to be counted, and what the counted ones came to."""

    def state(self, use_case: str, *, watched: Watched) -> MonitorState | None:
        """How the monitor stands, None before the first audit."""

    def pending(self, use_case: str, *, limit: int) -> tuple[Audited, ...]:
        """Audits that are not counted yet, oldest first."""

    def commit(self, state: MonitorState, *, counted: Iterable[Audited] = ()) -> None:
        """The state in place of that with the revision before, and these audits not pending any more.

        Raises:
            RecordConflictError: another one was there first, or an audit is not pending.
        """


@dataclass(frozen=True, slots=True)
class WatchPorts:
    """What `watch` needs."""

    monitors: ErrorMonitors
    policies: Policies
    steering: Steering


def watched_by(policy: UseCasePolicy) -> Watched | None:
    """What the policy wants to be watched, if anything."""
    if policy.monitor is None:
        return None
    return Watched(
        guarantee=policy.guarantee.id if policy.guarantee else "",
        model_version=policy.model_version if policy.source is Source.ENDPOINT else "",
        alpha=policy.monitor.alpha,
        delta=policy.monitor.delta,
    )


def watch(use_case: str, *, ports: WatchPorts, clock: Clock) -> MonitorState | None:
    """Counts what was audited, and turns the use case's kill switch on when that is too much.

    Only ever towards people: nothing here turns a switch off. None where the policy wants no monitor.

    Raises:
        ServiceError: a service failed; run it again.
    """
    watched = watched_by(ports.policies.current(use_case))
    if watched is None:
        return None
    state = _counted(use_case, watched, monitors=ports.monitors, clock=clock)
    if state.is_answered:
        return state
    turn_on(use_case, by=BY, reason=alarm_reason(state), steering=ports.steering, clock=clock)
    answered = replace(state, is_answered=True, revision=state.revision + 1, updated_at=clock())
    try:
        ports.monitors.commit(answered)
    except RecordConflictError:
        return state  # the next run sees what another one has made of it
    return answered


def restart(
    use_case: str,
    *,
    by: str,
    reason: str,
    needs_two: bool,
    ports: WatchPorts,
    clock: Clock,
) -> MonitorState | None:
    """The monitor begins anew, once as many persons say so as the deployment wants; None where there is none.

    The kill switch stays as it is.

    Raises:
        ServiceError: a service failed; run it again.
    """
    watched = watched_by(ports.policies.current(use_case))
    if watched is None:
        return None
    for _ in range(ATTEMPTS):
        state = ports.monitors.state(use_case, watched=watched)
        if state is None:
            return fresh(use_case, watched, at=clock())
        at = clock()
        changed = _restarted(state, by=by, reason=reason, needs_two=needs_two, at=at)
        if changed is None:
            return state
        is_proposal = changed.proposal is not None
        done = commit_steered(
            changed,
            subject=f"change/error-monitor/{use_case}/{watched.key}",
            number=changed.changes,
            event="error_monitor_restart_proposed" if is_proposal else "error_monitor_restarted",
            told=news.ERROR_MONITOR,
            detail={
                "use_case": use_case,
                "proposed_by": by if is_proposal or state.proposal is None else state.proposal.by,
                "approved_by": "" if is_proposal else by,
                "reason": reason,
                "run": changed.run,
                "audits_until_then": state.monitor.n,
                "errors_until_then": state.monitor.errors,
                "alarmed_at": format_instant(state.alarmed_at) if state.alarmed_at else "",
            },
            steering=ports.steering,
            at=at,
        )
        if done:
            return changed
    raise RetryableError("ErrorMonitorContended", operation="Restart")


def _restarted(
    state: MonitorState, *, by: str, reason: str, needs_two: bool, at: datetime
) -> MonitorState | None:
    """None when the same person has proposed it already."""
    is_seconded = state.proposal is not None and state.proposal.by != by
    if needs_two and not is_seconded:
        proposal = Proposal(value="restart", by=by, reason=reason, at=at)
        return (
            None
            if state.proposal
            else replace(state, revision=state.revision + 1, changes=state.changes + 1, proposal=proposal)
        )
    return replace(
        fresh(state.use_case, state.watched, at=at),
        revision=state.revision + 1,
        changes=state.changes + 1,
        run=state.run + 1,
    )


def fresh(use_case: str, watched: Watched, *, at: datetime) -> MonitorState:
    """A monitor that has seen nothing."""
    monitor = LastingErrorMonitor(alpha=watched.alpha, delta=watched.delta)
    return MonitorState(use_case=use_case, watched=watched, monitor=monitor, since=at, updated_at=at)


def count(state: MonitorState, audits: Iterable[Audited], *, at: datetime) -> MonitorState:
    """The state after these audits, one by one in their order."""
    known = tuple(audits)
    counted = [audited for audited in known if _is_watched(audited, state.watched)]
    monitor = state.monitor.fold(audited.is_error for audited in counted).monitor
    is_alarm_now = monitor.is_alarm and not state.monitor.is_alarm
    return replace(
        state,
        monitor=monitor,
        revision=state.revision + 1,
        updated_at=at,
        passed_over=state.passed_over + len(known) - len(counted),
        alarmed_at=at if is_alarm_now else state.alarmed_at,
        is_answered=state.is_answered and not (monitor.is_alarm and counted),
    )


def alarm_reason(state: MonitorState) -> str:
    """Why models may not decide any more, in one sentence with its figures."""
    monitor = state.monitor
    low, high = monitor.interval()
    limits = f"{_percent(low)} to {_percent(high)}"
    recent = (
        f", {monitor.recent_errors} of the last {monitor.recent_n}"
        if 0 < monitor.recent_n < monitor.n
        else ""
    )
    return (
        f"{monitor.errors} of {monitor.n} audited decisions were wrong ({limits}){recent}; "
        f"allowed: {_percent(monitor.alpha)}; chance of a false alarm: at most {_percent(monitor.delta)}"
    )


def _counted(use_case: str, watched: Watched, *, monitors: ErrorMonitors, clock: Clock) -> MonitorState:
    conflicts = 0
    while conflicts < ATTEMPTS:
        state = monitors.state(use_case, watched=watched) or fresh(use_case, watched, at=clock())
        audits = monitors.pending(use_case, limit=BATCH)
        if not audits:
            return state
        after = count(state, audits, at=clock())
        try:
            monitors.commit(after, counted=audits)
        except RecordConflictError:
            conflicts += 1
            continue
        if not after.is_answered or len(audits) < BATCH:
            return after
    raise RetryableError("ErrorMonitorContended", operation="Watch")


def _is_watched(audited: Audited, watched: Watched) -> bool:
    is_of_model = not watched.model_version or audited.model_version == watched.model_version
    return is_of_model and audited.guarantee == watched.guarantee


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
