"""Records and human loops that count what is done through them, whichever handler does it.

A change counts once it is written, so a call that is repeated and changes nothing counts nothing. What a
function wrote just before it died may go uncounted: the audit log is the truth, these are its pulse.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from overread.decisions.documents import is_blind
from overread.decisions.ports import Batch, Clock, Guard, HumanLoops, Records
from overread.decisions.record import AuditEntry, Change, LoopEntry, Record, State
from overread.errors import NameTakenError, PermanentError, RetryableError
from overread.review.wire import FailureCode, HumanLoop
from overread_lambda.metrics import COUNT, NO_UNIT, SECONDS, USE_CASE, Metric, emit

RECEIVED: Final = Metric("DecisionsReceived", COUNT, "requests that became a decision")
AUTO: Final = Metric("DecisionsAuto", COUNT, "decisions that the model made")
HUMAN: Final = Metric("DecisionsHuman", COUNT, "decisions that were given to people")
FINAL: Final = Metric("DecisionsFinal", COUNT, "decisions that became final, by the model or by people")
ESCALATED: Final = Metric("DecisionsEscalated", COUNT, "decisions that went to the second team")
CANCELLED: Final = Metric("DecisionsCancelled", COUNT, "decisions that were cancelled")
LOOPS: Final = Metric("LoopsStarted", COUNT, "human loops that were started for decisions")
BUMPS: Final = Metric("GenerationBumps", COUNT, "human loops that had to be started again")
LATE: Final = Metric("LateAnswers", COUNT, "answers that came when they no longer counted")
LOOP_EXPIRED: Final = Metric("LoopExpired", COUNT, "human loops that nobody answered in time")
LOOP_FAILED: Final = Metric("LoopFailed", COUNT, "human loops that failed, were stopped or vanished")
POISON: Final = Metric("PoisonOutputs", COUNT, "outputs of human loops that could not be used")
REJECTS: Final = Metric("RosterRejects", COUNT, "answers of people who were not entitled to give them")
OVERRIDE: Final = Metric(
    "OverrideRate", NO_UNIT, "1 where people saw the prediction and decided otherwise, 0 where they agreed"
)
BLIND: Final = Metric(
    "BlindAgreement", NO_UNIT, "1 where people agreed with a prediction that they did not see, else 0"
)
REVIEW_S: Final = Metric("ReviewSeconds", SECONDS, "people's active time on a decision")
REPAIRS: Final = Metric(
    "SweeperRepairs", COUNT, "what a sweep brought on because an event or a router was lost"
)
THROTTLES: Final = Metric("StartHumanLoopThrottles", COUNT, "starts of human loops to be tried again later")
REFUSALS: Final = Metric("StartHumanLoopRefusals", COUNT, "starts of human loops that the service refused")
DUPLICATES: Final = Metric("DuplicateEvents", COUNT, "events of human loops that told nothing new")

METRICS: Final = (
    RECEIVED, AUTO, HUMAN, FINAL, ESCALATED, CANCELLED, LOOPS, BUMPS, LATE, LOOP_EXPIRED, LOOP_FAILED, POISON,
    REJECTS, OVERRIDE, BLIND, REVIEW_S, REPAIRS, THROTTLES, REFUSALS, DUPLICATES,
)  # fmt: skip
"""All that is counted here."""

RESUMED: Final = frozenset({"decided_by_model", "sent_to_people", "cancelled"})
"""What only a router's death leaves to a sweep."""
HEARD_LATE: Final = frozenset(
    {"answer_accepted", "decided_by_people", "escalation_repeated", "late_answer_kept", "readers_disagree",
     "review_repeated"}
)  # fmt: skip
"""What only a lost event leaves to a sweep; deadlines are a sweep's own work, and so is stopping."""
_BY_EVENT: Final[Mapping[str, tuple[Metric, ...]]] = {
    "decided_by_model": (AUTO, FINAL),
    "decided_by_people": (FINAL,),
    "sent_to_people": (HUMAN,),
    "contest_received": (HUMAN,),
    "escalated": (ESCALATED,),
    "cancelled": (CANCELLED,),
    "review_started": (LOOPS,),
    "review_repeated": (BUMPS,),
    "escalation_repeated": (BUMPS,),
    "late_answer_kept": (LATE,),
}
_LOOP_ENDS = frozenset({"loop_failed", "loop_gone", "loop_name_taken", "loop_stopped"})
_NOT_ENTITLED = frozenset(
    {"authority_exceeded", "conflict_of_interest", "excluded_reviewer", "reviewer_not_on_roster",
     "reviewer_not_qualified", "reviewer_revoked", "same_reviewer", "training_expired"}
)  # fmt: skip


class CountedRecords:
    """The port `Records`; `repairs` are the audited events that no sweep should have had to bring on."""

    def __init__(self, records: Records, *, repairs: frozenset[str] = frozenset()) -> None:
        self._records = records
        self._repairs = repairs

    def get(self, decision_id: str) -> Record | None:
        """The record as of now."""
        return self._records.get(decision_id)

    def guard(self, *, shard: str, use_case: str) -> Guard:
        """The end of the audit chain and the kill switches."""
        return self._records.guard(shard=shard, use_case=use_case)

    def commit(self, batch: Batch) -> None:
        """All of the batch or nothing; counted when written."""
        self._records.commit(batch)
        record = batch.change.record
        counts = counts_of(batch.change, repairs=self._repairs)
        emit(counts, at=record.updated_at, dimensions={USE_CASE: record.use_case})

    def find_loop(self, loop_name: str) -> LoopEntry | None:
        """Whose loop this is."""
        return self._records.find_loop(loop_name)

    def due(self, state: State, *, until: datetime) -> Iterator[str]:
        """The ids of records in `state` that were to be looked at by `until`."""
        return self._records.due(state, until=until)

    def waiting(self, queue: str) -> Iterator[str]:
        """The ids of pending decisions without a place in the queue."""
        return self._records.waiting(queue)


class CountedLoops:
    """The port `HumanLoops`."""

    def __init__(self, loops: HumanLoops, *, clock: Clock) -> None:
        self._loops = loops
        self._clock = clock

    def start(
        self, name: str, *, flow_definition_arn: str, input_content: bytes, free_of_personal_data: bool
    ) -> None:
        """Starts the loop; what the service refuses or puts off is counted."""
        try:
            self._loops.start(
                name,
                flow_definition_arn=flow_definition_arn,
                input_content=input_content,
                free_of_personal_data=free_of_personal_data,
            )
        except NameTakenError:  # an earlier start of ours, nearly always
            raise
        except RetryableError:
            emit({THROTTLES: 1}, at=self._clock())
            raise
        except PermanentError:
            emit({REFUSALS: 1}, at=self._clock())
            raise

    def describe(self, name: str) -> HumanLoop | None:
        """The loop as it stands."""
        return self._loops.describe(name)

    def stop(self, name: str) -> None:
        """Asks for the loop's end."""
        self._loops.stop(name)

    def names(self, flow_definition_arn: str) -> Iterator[str]:
        """The names of the flow definition's loops that are in progress."""
        return self._loops.names(flow_definition_arn)


def counts_of(change: Change, *, repairs: frozenset[str] = frozenset()) -> Mapping[Metric, float]:
    """What a change that was written adds to the metrics."""
    counts: Counter[Metric] = Counter()
    if change.fence is None:
        counts[RECEIVED] += 1
    for entry in change.audit:
        counts.update(_BY_EVENT.get(entry.event, ()))
        counts.update(_unusable(entry))
        counts[REPAIRS] += entry.event in repairs
    return {metric: n for metric, n in counts.items() if n} | _of_people(change)


def _unusable(entry: AuditEntry) -> tuple[Metric, ...]:
    """What a human loop was that ended without an answer, where its decision waited for one."""
    reason = entry.detail.get("reason")
    if entry.event == "review_closed" or "human_loop" not in entry.detail or "answers" in entry.detail:
        return ()
    if not isinstance(reason, Mapping):
        return ()
    code = reason.get("last") or reason["code"]
    if code in _NOT_ENTITLED:
        return (REJECTS,)
    if code in _LOOP_ENDS:
        is_expired = reason.get("failure_code") == FailureCode.EXPIRED
        return (LOOP_EXPIRED if is_expired else LOOP_FAILED,)
    return (POISON,)


def _of_people(change: Change) -> dict[Metric, float]:
    """How people's decision compares with the prediction, and what it took."""
    record = change.record
    if record.outcome is None or not any(entry.event == "decided_by_people" for entry in change.audit):
        return {}
    values: dict[Metric, float] = {}
    if record.outcome.seconds is not None:
        values[REVIEW_S] = record.outcome.seconds
    if record.prediction is not None:
        agrees = record.outcome.label == record.prediction.label
        blind = is_blind(record)
        values[BLIND if blind else OVERRIDE] = float(agrees is blind)
    return values
