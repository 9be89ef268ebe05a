"""What an error monitor watches, what it is told, and how it stands."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from overread.decisions.steered import Proposal
from overread.risk.monitor import LastingErrorMonitor
from overread.strict_json import canonical_json


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched: how wrong a model may be under a policy. Another guarantee or model is watched anew.

    `model_version` is empty where callers bring the predictions.
    """

    guarantee: str
    model_version: str
    alpha: float
    delta: float

    @property
    def key(self) -> str:
        """A name for it that is always the same."""
        words = [self.guarantee, self.model_version, self.alpha, self.delta]
        return hashlib.sha256(canonical_json(words)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Audited:
    """One decision of which it became known whether the model alone would have been wrong."""

    decision_id: str
    kind: str
    guarantee: str
    model_version: str
    is_error: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class MonitorState:
    """How a monitor stands. `revision` counts the writes, `changes` those by hand, `run` how often people
    let it begin anew.

    `passed_over` audits were of another guarantee or model. `is_answered`: for all that is known the kill
    switch was turned on; what is audited while the alarm stands asks for it again. `proposal`: to let it
    begin anew, by somebody who waits for a second person.
    """

    use_case: str
    watched: Watched
    monitor: LastingErrorMonitor
    since: datetime
    updated_at: datetime
    revision: int = 0
    changes: int = 0
    run: int = 1
    passed_over: int = 0
    alarmed_at: datetime | None = None
    is_answered: bool = True
    proposal: Proposal | None = None
