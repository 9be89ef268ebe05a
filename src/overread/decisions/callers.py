"""The use cases of a caller who comes back: cancel, contest, tell what turned out to be true."""

import hashlib
from collections.abc import Callable
from datetime import datetime

from overread.decisions import transitions
from overread.decisions.commit import commit_change
from overread.decisions.ids import contest_id
from overread.decisions.moves import LOOK_AGAIN
from overread.decisions.ports import ChangePorts, Clock
from overread.decisions.record import Change, Record, State, Truth
from overread.errors import Problem, RecordConflictError, RequestRefusedError, RetryableError
from overread.routing.prediction import Reason
from overread.strict_json import canonical_json

ATTEMPTS = 8


def cancel(decision_id: str, *, reason: str, by: str, ports: ChangePorts, clock: Clock) -> Record:
    """The decision without an outcome; cancelled once, however often asked.

    Raises:
        RequestRefusedError: it is unknown, or final.
        ServiceError: a service failed; run it again.
    """

    def change(record: Record) -> Change | None:
        if record.state is State.CANCELLED:
            return None
        if record.state is State.FINAL:
            raise RequestRefusedError(Problem.DECISION_FINAL, "a final decision cannot be cancelled")
        code = Reason("cancelled_by_caller", {"reason": reason} if reason else {})
        return transitions.cancel(record, reason=code, by=by, at=clock())

    return _change(decision_id, change, ports=ports)


def learn_truth(
    decision_id: str, *, label: str, learnt_at: datetime, by: str, ports: ChangePorts, clock: Clock
) -> Record:
    """The final decision with what turned out to be right; a later word replaces an earlier one.

    Raises:
        RequestRefusedError: it is unknown or not final, or the label is none of the use case's.
        ServiceError: a service failed; run it again.
    """

    def change(record: Record) -> Change | None:
        if record.state is not State.FINAL:
            detail = f"the decision is {record.state}: only what is final can turn out to be right or wrong"
            raise RequestRefusedError(Problem.DECISION_NOT_FINAL, detail)
        if label not in record.terms.labels:
            detail = f"label must be one of {', '.join(record.terms.labels)}"
            raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="label")
        known = record.truth
        if known is not None and (known.label, known.learnt_at) == (label, learnt_at):
            return None
        truth = Truth(label=label, learnt_at=learnt_at, recorded_at=clock(), recorded_by=by)
        return transitions.learn_truth(record, truth=truth)

    return _change(decision_id, change, ports=ports)


def contest(
    decision_id: str, *, grounds: str, idempotency_key: str, by: str, ports: ChangePorts, clock: Clock
) -> Record:
    """The new decision that supersedes a final one: by people, others than before.

    Raises:
        RequestRefusedError: the decision is unknown, not final, erased, or contested already; or the key
            was used with other grounds.
        ServiceError: a service failed; run it again.
    """
    old = _known(decision_id, ports=ports)
    if old.state is not State.FINAL:
        detail = f"the decision is {old.state}: only what is final can be contested"
        raise RequestRefusedError(Problem.DECISION_NOT_FINAL, detail)
    new_id = contest_id(decision_id, idempotency_key=idempotency_key)
    _check_contestable(old, new_id, ports=ports, clock=clock)
    asked = hashlib.sha256(canonical_json({"contest": decision_id, "grounds": grounds})).hexdigest()
    policy = ports.policies.current(old.use_case)  # before the note: it bars every other contest
    _note_contest(decision_id, new_id, by=by, ports=ports, clock=clock)
    created = transitions.contest(
        old, decision_id=new_id, request_sha256=asked, grounds=grounds, policy=policy, at=clock()
    )
    try:
        commit_change(created, records=ports.records)
    except RecordConflictError:
        known = _known(new_id, ports=ports)
        if known.request_sha256 != asked:
            detail = f"key {idempotency_key!r} was used to contest on other grounds"
            raise RequestRefusedError(
                Problem.IDEMPOTENCY_KEY_REUSED, detail, field="Idempotency-Key"
            ) from None
        return known
    return created.record


def _note_contest(decision_id: str, new_id: str, *, by: str, ports: ChangePorts, clock: Clock) -> None:
    """The old decision's word first: of two contests at once, only the one it names begins."""

    def change(record: Record) -> Change | None:
        _check_contestable(record, new_id, ports=ports, clock=clock)
        if record.contested_by == new_id:
            return None
        return transitions.note_contest(record, contested_by=new_id, by=by, at=clock())

    _change(decision_id, change, ports=ports)


def _check_contestable(record: Record, new_id: str, *, ports: ChangePorts, clock: Clock) -> None:
    """Refuses the contest of what is gone, and a second one unless the first is a dead caller's note."""
    noted = record.contested_by
    contest = ports.records.get(noted) if noted else None
    if noted == new_id and contest is not None:
        return
    if record.is_erased:
        detail = "the decision was erased: nothing is left that people could read"
        raise RequestRefusedError(Problem.INVALID_REQUEST, detail, field="id")
    if noted in ("", new_id):
        return
    if contest is not None or clock() - record.updated_at < LOOK_AGAIN:
        raise RequestRefusedError(Problem.ALREADY_CONTESTED, f"it is superseded by {noted}")


def _change(decision_id: str, change: Callable[[Record], Change | None], *, ports: ChangePorts) -> Record:
    for _ in range(ATTEMPTS):
        record = _known(decision_id, ports=ports)
        wanted = change(record)
        if wanted is None:
            return record
        try:
            commit_change(wanted, records=ports.records)
        except RecordConflictError:
            continue
        return wanted.record
    raise RetryableError("RecordContended", operation="Change")


def _known(decision_id: str, *, ports: ChangePorts) -> Record:
    record = ports.records.get(decision_id)
    if record is None:
        raise RequestRefusedError(
            Problem.UNKNOWN_DECISION, f"decision {decision_id!r} is unknown", field="id"
        )
    return record
