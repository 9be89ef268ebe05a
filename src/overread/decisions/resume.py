"""The use case "finish what a dead router left": the request runs again, from the input that was stored."""

from enum import StrEnum

from overread.decisions import transitions
from overread.decisions.commit import commit_change
from overread.decisions.ports import Clock, SubmitPorts
from overread.decisions.predict import Prediction, predict, unpredicted
from overread.decisions.record import Record, State
from overread.decisions.submit import claim, settle
from overread.errors import KillSwitchOnError, RecordConflictError
from overread.routing.policy import Mode, Source, UseCasePolicy
from overread.routing.prediction import Reason, ReasonCode
from overread.strict_json import parse_json

MODEL_ATTEMPTS = 3


class ResumeResult(StrEnum):
    """What became of the attempt."""

    FINISHED = "finished"
    CANCELLED = "cancelled"
    NOTHING_TO_DO = "nothing_to_do"


def resume(decision_id: str, *, ports: SubmitPorts, clock: Clock) -> ResumeResult:
    """Brings a decision out of RECEIVED when the run that began it has not come back in time.

    The model is asked at most three times in all; then people decide. In shadow mode, where they never do,
    the decision is cancelled instead.

    Raises:
        ServiceError: a service failed; run it again.
    """
    record = ports.records.get(decision_id)
    if record is None or record.state is not State.RECEIVED or _is_too_early(record, clock):
        return ResumeResult.NOTHING_TO_DO
    policy = ports.policies.current(record.use_case)
    may_ask = record.attempts < MODEL_ATTEMPTS
    record = claim(record, policy=policy, ports=ports, clock=clock)
    if record.state is not State.RECEIVED:
        return ResumeResult.NOTHING_TO_DO
    predicted = _predict(record, may_ask=may_ask, policy=policy, ports=ports)
    if policy.mode is Mode.SHADOW and predicted.recorded is None:
        return _cancel(record, code="prediction_failed", ports=ports, clock=clock)
    try:
        settle(record, policy=policy, predicted=predicted, ports=ports, clock=clock)
    except KillSwitchOnError:
        return _cancel(record, code="kill_switch", ports=ports, clock=clock)
    return ResumeResult.FINISHED


def _is_too_early(record: Record, clock: Clock) -> bool:
    return record.due_at is not None and record.due_at > clock()


def _predict(record: Record, *, may_ask: bool, policy: UseCasePolicy, ports: SubmitPorts) -> Prediction:
    document = parse_json(ports.inputs.read(record.input))
    is_callers = policy.source is Source.CALLER
    if may_ask and is_callers is (record.stated is not None):
        return predict(record, input_document=document, policy=policy, ports=ports)
    fault = Reason(ReasonCode.INTERRUPTED, {"attempts": record.attempts})
    return unpredicted(record, fault=fault, input_document=document, policy=policy, ports=ports)


def _cancel(record: Record, *, code: str, ports: SubmitPorts, clock: Clock) -> ResumeResult:
    change = transitions.cancel(record, reason=Reason(code), by="overread", at=clock())
    try:
        commit_change(change, records=ports.records)
    except RecordConflictError:
        return ResumeResult.NOTHING_TO_DO
    return ResumeResult.CANCELLED
