"""A run without faults that finds the call sites, and runs in which each of them fails."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.local.conftest import LAMBDA_PYTHON, ROOT, Deployment
from tests.local.decision_world import Asked, DecisionWorld
from tests.local.faults import KINDS, Faults
from tests.local.killing import kill_part
from tests.local.organized import config_file
from tests.local.recorded_access import hold_against_record

from overread.decisions.record import State
from overread_cli.demo.deployment import deploy
from overread_local.stack import LocalStack

SWEEPING = ("start_loop", "ingest_review", "resume_decisions", "deliver_outbox")
AUDITING = ("anchor_audit", "archive_evidence")
FUNCTIONS = ("route_prediction", *SWEEPING, *AUDITING)
FUNCTIONS_OF_CALLERS = ("read_decision", "change_decision", "steer")
CHANGING = ("Put", "Transact", "Update", "Delete", "Start", "Stop", "Invoke")
"""How the names of operations begin that change something."""
FEWEST_ROUNDS = 3
DEAF_S = 1.5
"""Long enough for an event to come, if one did."""
SEEN_OFTEN = 3
"""A site that a run without faults met more rarely may not come again in a few decisions."""


@contextmanager
def deployed_world(folder: Path, *, seed: int = 7) -> Iterator[DecisionWorld]:
    """The demo's stacks on a local stack of their own, whose functions can fail; IAM is enforced."""
    faults = Faults.inside(folder / "faults")
    stack = LocalStack.start(
        state_dir=folder / "state",
        lambda_python=faults.python(LAMBDA_PYTHON),
        status_lag_s=0.2,
        sandbox=True,
        tied=True,
    )
    stack.enforce_iam(True)
    try:
        outputs = deploy(
            root=ROOT,
            config=config_file("demo.yaml", folder=folder),
            work_dir=folder / "work",
            environment=stack.environment(),
            report=lambda _line: None,
        )
        deployment = Deployment(stack, outputs, folder / "work")
        world = DecisionWorld(deployment, faults=faults, seed=seed)
        yield world
        world.close()
        hold_against_record(deployment)
    finally:
        stack.stop()


@dataclass
class Campaign:
    """What was asked of a world so far, and which faults its functions had."""

    world: DecisionWorld
    ids: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)
    inflicted: Counter[str] = field(default_factory=Counter)

    def explore(self, decisions: int) -> None:
        """A run without faults but for routers that die; `sites` are the calls that it met often."""
        faults = self.world.faults
        self.world.cold()
        faults.record()
        self.drive(decisions, name="explore", cancelled=3, abandoned=3)
        for _ in range(SEEN_OFTEN):
            self.audit()
        faults.disarm()
        ours = {self.world.functions[name] for name in (*FUNCTIONS, *FUNCTIONS_OF_CALLERS)}
        seen = Counter(faults.recorded())
        self.sites = sorted(
            site for site, count in seen.items() if site.split(":")[0] in ours and count >= SEEN_OFTEN
        )

    def inflict(self, plan: Mapping[str, str], *, rounds: int, a_round: int) -> set[str]:
        """The sites that did not have their kind of fault in so many rounds of fresh decisions: none."""
        faults = self.world.faults
        before = faults.fired()
        self.world.cold()  # for calls that functions make at their start only
        for site, kind in plan.items():
            faults.arm([site], kind=kind)
        for number in range(rounds):
            resumed = any(self._of(site, "resume_decisions") for site in faults.armed())
            name = f"{len(self.ids)}-{number}"
            self.drive(a_round, name=name, cancelled=1, abandoned=2 * int(resumed))
            if not faults.armed() or (number >= FEWEST_ROUNDS and not self._missing()):
                break
            if number % 3 == 2:
                self.world.cold()
        left = self._missing()
        faults.disarm()
        self.inflicted.update(kind for _, kind in faults.fired() - before)
        return left

    def _missing(self) -> set[str]:
        """The sites whose fault should have come by now.

        How many calls a sweep makes depends on what is due together: only its first is sure to come again.
        """
        sweeping = tuple(f"{self.world.functions[name]}:" for name in (*SWEEPING, *AUDITING))
        return {
            site for site in self.world.faults.armed() if site.endswith("#1") or not site.startswith(sweeping)
        }

    def _of(self, site: str, function: str) -> bool:
        return site.startswith(f"{self.world.functions[function]}:")

    def _abandoned(self, asked: Sequence[Asked]) -> list[str]:
        """Requests that are sent once, whose router dies: the function that resumes finishes them."""
        world, faults = self.world, self.world.faults
        site = f"{world.functions['route_prediction']}:dynamodb.TransactWriteItems#1"
        for one in asked:
            if site not in faults.armed():
                faults.arm([site], kind="kill-after")
            world.ask_once(one)
        return [found for one in asked if (found := world.found(one)) is not None]

    def drive(
        self, decisions: int, *, name: str, cancelled: int, abandoned: int = 0, patience_s: float = 90.0
    ) -> None:
        """So many fresh decisions, with all that callers, people and sweeps do until each has ended."""
        world = self.world
        world.turn("tumor-screening", is_on=True)
        asked = world.requests(decisions + cancelled + abandoned, name=name)
        fresh = self._abandoned(asked[:abandoned])
        decisions += len(fresh)
        fresh += world.ask_all(asked[abandoned:], at_once=4)
        world.turn("tumor-screening", is_on=False)
        for decision_id in fresh[decisions:]:
            world.cancel(decision_id)
        records = world.work_off(fresh, patience_s=patience_s)
        final = [one for one in fresh if records[one].outcome is not None]
        contests = world.talk(final[:4])
        world.work_off(contests, patience_s=patience_s)
        self.ids += [*fresh, *contests]
        self.audit()

    def audit(self) -> None:
        """What the audit's schedules do each hour."""
        for function in AUDITING:
            self.world.run(function, {})

    def without_events(self, decisions: int) -> None:
        """Decisions while neither streams nor rules tell anybody of anything: sweeps alone finish them."""
        world = self.world
        with world.deaf():
            fresh = world.ask_all(world.requests(decisions, name=f"deaf-{len(self.ids)}"))
            time.sleep(DEAF_S)
            waiting = [one for one in fresh if world.state(one) is not State.FINAL]
            assert waiting
            assert all(world.state(one) is State.PENDING for one in waiting)
            world.work_off(fresh, patience_s=90)
            assert world.news_due() == []
        self.ids += fresh

    def beside_killed_parts(self, decisions: int, *, parts: Sequence[str]) -> None:
        """Decisions while the parts are killed one after the other, each once with decisions under way."""
        world = self.world
        for part in parts:
            fresh = world.ask_all(world.requests(decisions, name=f"{part}-{len(self.ids)}"))
            kill_part(world.deployed.stack, part)
            fresh += world.ask_all(world.requests(decisions, name=f"after-{part}-{len(self.ids)}"))
            world.work_off(fresh, patience_s=90)
            self.ids += fresh

    def beside_a_killed_emulator(self, decisions: int) -> None:
        """Decisions under way when the state is written and the emulator killed: they go on from there."""
        world = self.world
        asked = world.requests(decisions, name=f"emulator-{len(self.ids)}")
        before = world.ask_all(asked)
        world.look(before)
        with world.deaf():  # so that nothing moves between the barrier and the kill
            time.sleep(1.0)
            world.deployed.stack.checkpoint()
            kill_part(world.deployed.stack, "emulator")
        assert world.ask_all(asked) == before
        world.work_off(before, patience_s=120)
        self.ids += before

    def reckoning(self) -> list[str]:
        """What is wrong in the end; nothing if all is well."""
        world = self.world
        world.faults.disarm()
        records = world.work_off(self.ids, patience_s=120)
        world.deliver(patience_s=60)
        world.run("ingest_review", {"sweep": "orphans"})
        return world.reckoning(records)


def one_kind_each(sites: Sequence[str], *, turn: int = 0) -> dict[str, str]:
    """Every site with one kind of fault; five turns give every kind to every site."""
    return {site: KINDS[(number + turn) % len(KINDS)] for number, site in enumerate(sites)}


def changing(sites: Sequence[str]) -> list[str]:
    """Those of the sites whose calls change something."""
    return [site for site in sites if site.split(".")[-1].startswith(CHANGING)]


def say(text: str) -> None:
    """A line of figures that is seen although pytest captures what is printed."""
    print(json.dumps({"at": round(time.time()), "said": text}), file=sys.__stderr__, flush=True)
