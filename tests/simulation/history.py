"""What happened in a world, put in order once for all properties."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.simulation.review_backend import Loop
from tests.simulation.scenario import SPOKEN, Spoken
from tests.simulation.store import Commit
from tests.simulation.world import Deployed, World

from overread.audit.chain import Link
from overread.decisions.record import LoopEnd, Record, Review
from overread.decisions.seats import is_of_second_team


@dataclass(frozen=True, slots=True)
class Closing:
    """A human loop's end as it was written to its decision."""

    commit: Commit
    review: Review


class History:
    """A world that has come to its end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.records: Mapping[str, Record] = world.store.records
        self.commits: dict[str, list[Commit]] = {name: [] for name in self.records}
        for commit in world.store.commits:
            self.commits.setdefault(commit.change.record.decision_id, []).append(commit)
        self.links: dict[str, list[Link]] = {}
        for link in world.store.links:
            self.links.setdefault(link.entry["decision_id"], []).append(link)
        self.loops: dict[str, list[Loop]] = {}
        for loop in world.backend.loops.values():
            entry = world.store.loops.get(loop.name)
            if entry is not None:
                self.loops.setdefault(entry.decision_id, []).append(loop)

    @cached_property
    def routings(self) -> list[Commit]:
        """The writes that routed a decision, or decided it straight away."""
        return [
            commit
            for commit in self.world.store.commits
            if commit.change.audit and commit.change.audit[0].event in {"sent_to_people", "decided_by_model"}
        ]

    @cached_property
    def settlements(self) -> list[Commit]:
        """The writes that gave a decision its outcome, or another one."""
        return [
            commit
            for commit in self.world.store.commits
            if commit.change.record.outcome is not None
            and (commit.before is None or commit.before.outcome != commit.change.record.outcome)
        ]

    @cached_property
    def closings(self) -> list[Closing]:
        """All ends of human loops that were written."""
        found = []
        for commit in self.world.store.commits:
            before = commit.before
            if before is None or before.reviews == commit.change.record.reviews:
                continue
            for review in commit.change.record.reviews:
                known = before.review_named(review.loop_name)
                was_open = known is None or known.end is LoopEnd.OPEN
                if was_open and review.end is not LoopEnd.OPEN:
                    found.append(Closing(commit, review))
        return found

    def said(self, record: Record) -> Spoken | None:
        """What the model (or the caller) said that the record's prediction was made of."""
        prediction = record.prediction
        if prediction is None:
            return None
        if prediction.attempt == 0:
            return self._stated(record)
        name = f"{record.decision_id}/{prediction.attempt}"
        return next((SPOKEN[one.said] for one in self.world.spoken if one.inference_id == name), None)

    def _stated(self, record: Record) -> Spoken | None:
        stated = record.stated
        if stated is None:
            return None
        return next(
            (
                one
                for one in SPOKEN.values()
                if (one.label, one.confidence) == (stated.label, stated.confidence)
            ),
            None,
        )

    def input_of(self, record: Record) -> dict[str, Any]:
        """The decision's input."""
        document: dict[str, Any] = json.loads(self.world.inputs[record.input.key])
        return document

    def deployed(self, record: Record) -> Deployed:
        """The version that the record says it was routed by."""
        versions = self.world.policies[record.use_case]
        return versions[int(record.policy.version) - 1]

    def in_force(self, deployed: Deployed, use_case: str, *, begin: float, end: float) -> bool:
        """Whether the version counted at some time in between."""
        versions = self.world.policies[use_case]
        until = min(
            (one.at for one in versions if one.version.number > deployed.version.number), default=None
        )
        return deployed.at <= end and (until is None or until >= begin)

    def loop(self, name: str) -> Loop | None:
        """The human loop of that name, if it was ever started."""
        return self.world.backend.loops.get(name)

    def is_first_team(self, loop: Loop) -> bool:
        """Whether it is none of an escalation."""
        return not is_of_second_team(self.world.store.loops[loop.name].seat)
