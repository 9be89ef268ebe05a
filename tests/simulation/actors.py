"""Who acts in a world: callers, Lambda functions and what starts them, people who steer."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from traceback import format_exc

from tests.simulation.faults import KilledError
from tests.simulation.handlers import Handler, RecordsPort, SteeringPort
from tests.simulation.scenario import (
    CALLER,
    ENVIRONMENT,
    GROUNDS_CANARY,
    HOUR,
    LABELS,
    OTHER_CALLER,
    ROSTERS,
    SAID_BY_CALLERS,
    Version,
    flow_definition_arn,
    policy_of,
    request,
    roster_body,
)
from tests.simulation.scheduler import EPOCH
from tests.simulation.store import Commit, OutboxKey
from tests.simulation.world import HORIZON_S, RECOVERY_S, Asked, Deployed, Reply, World

from overread.decisions import callers
from overread.decisions.ids import decision_id as id_of
from overread.decisions.ingest import ingest
from overread.decisions.record import TERMINAL, Record, State
from overread.decisions.requests import Submission
from overread.decisions.resume import resume
from overread.decisions.start_loop import start_loop, start_waiting
from overread.decisions.steered import ALL
from overread.decisions.steering import put_roster, turn_off, turn_on
from overread.decisions.submit import submit
from overread.decisions.sweep import SWEPT, reverse_sweep, sweep_review
from overread.delivery.deliver import deliver
from overread.errors import OverreadError, RequestRefusedError, ServiceError

STREAM_TRIES = 4
EVENT_TRIES = 3
CALLER_TRIES = 5
UNAUDITED_UNSEEN = 0.85
"""The share of writes that only set the time of the next look and are not followed by the stream."""

Body = Callable[[Handler], object]
Done = Callable[[BaseException | None], None]


class Functions:
    """Lambda functions, and what starts them: events, the table's stream, the clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._tick_at: float | None = None
        self.sweeps = True
        world.on_commit = self._on_commit  # type: ignore[method-assign]
        world.on_loop_ended = self._on_loop_ended  # type: ignore[method-assign]

    def run(self, body: Body, done: Done = lambda error: None) -> None:
        """Runs a function in a process of its own; `done` gets what it died of."""
        world = self.world

        def process() -> None:
            handler = Handler(world)
            error: BaseException | None = None
            try:
                body(handler)
            except (KilledError, OverreadError) as failure:
                error = failure
            except Exception as failure:  # noqa: BLE001 - whatever it is, it is a fault of the code under test
                world.errors.append(f"{type(failure).__name__}: {failure}\n{format_exc()}")
                error = failure
            done(error)

        world.handler_runs += 1
        world.scheduler.spawn(process)

    def run_until_done(self, body: Body, *, tries: int, first_wait_s: float) -> None:
        """Runs a function, and again when it fails, so often."""

        def done(error: BaseException | None) -> None:
            if isinstance(error, (ServiceError, KilledError)) and tries > 1:
                wait_s = first_wait_s * (0.5 + self.world.random.random())
                self.world.scheduler.after(
                    wait_s,
                    lambda: self.run_until_done(body, tries=tries - 1, first_wait_s=first_wait_s * 2),
                )

        self.run(body, done)

    def _on_commit(self, commit: Commit) -> None:
        world, random = self.world, self.world.random
        record = commit.change.record
        if record.due_at is not None:
            self._plan_tick((record.due_at - EPOCH).total_seconds())
        if commit.change.outbox:
            self._plan_tick(world.scheduler.now)
            for entry in commit.change.outbox:
                if not self._is_lost():
                    key = (entry.decision_id, entry.number, entry.target)
                    world.scheduler.after(random.random() * 2, partial(self._deliver, key))
        freed = commit.change.queue is not None and commit.change.queue.slots < 0
        if not commit.change.audit and random.random() < UNAUDITED_UNSEEN:
            return
        if record.state in {State.PENDING, State.ESCALATED} or freed:
            for _ in range(self._copies()):
                world.scheduler.after(random.random() * 3, lambda: self._on_stream(record))

    def _on_stream(self, image: Record) -> None:
        """As `start_loop`'s handler does with a stream record."""
        queue = image.terms.queue if image.terms.max_open is not None else ""
        if image.state is State.PENDING:
            has_own_turn = not queue or image.is_admitted
        else:
            has_own_turn = image.state is State.ESCALATED
        jitter = self.world.random.random()

        def body(handler: Handler) -> None:
            ports = handler.start_ports
            if queue:
                start_waiting(queue, ports=ports, clock=handler.clock, jitter=jitter)
            if has_own_turn:
                start_loop(image.decision_id, ports=ports, clock=handler.clock, jitter=jitter)

        self.run_until_done(body, tries=STREAM_TRIES, first_wait_s=1.0)

    def _on_loop_ended(self, name: str) -> None:
        world, random, mood = self.world, self.world.random, self.world.mood
        status = str(world.backend.loops[name].status)
        if world.is_healed:
            world.scheduler.after(1.0, partial(self.on_event, name, status))
            return
        if random.random() < mood.drops_events:
            return
        copies = 1 + (random.random() < mood.repeats_events) + (random.random() < mood.repeats_events)
        for _ in range(copies):
            world.scheduler.after(random.random() * mood.late_events_s, partial(self.on_event, name, status))

    def on_event(self, name: str, claimed: str) -> None:
        """News of a human loop; whether they are true is not known here."""
        self.run_until_done(partial(self.hear, name, claimed), tries=EVENT_TRIES, first_wait_s=60.0)

    def hear(self, name: str, claimed: str, handler: Handler) -> None:
        """What the events' function does; it does not care what is claimed."""
        ingest(name, ports=handler.ingest_ports, clock=handler.clock)

    def _plan_tick(self, wanted_at: float) -> None:
        """The schedules run each minute; minutes in which nothing is due are left out."""
        if not self.sweeps:
            return
        now = self.world.scheduler.now
        tick_at = max(wanted_at, now) + self.world.random.random() * self.world.tick_s
        if self._tick_at is not None and self._tick_at <= tick_at:
            return
        self._tick_at = tick_at
        self.world.scheduler.after(tick_at - now, lambda: self._tick(tick_at))

    def _tick(self, tick_at: float) -> None:
        if self._tick_at != tick_at:
            return  # an earlier one was planned instead
        self._tick_at = None
        world = self.world
        soon = world.scheduler.instant(world.max_skew_s)
        records = [r for r in world.store.decisions() if r.due_at is not None and r.due_at <= soon]
        states = {record.state for record in records}
        if State.RECEIVED in states:
            self.run(self._resume_due)
        if State.PENDING in states or State.ESCALATED in states:
            self.run(self._start_due)
        if any(record.open_reviews or record.state is State.IN_REVIEW for record in records):
            states = {record.state for record in records}
            self.run(lambda handler: self._sweep_due(handler, [one for one in SWEPT if one in states]))
        for key in world.store.news_due(soon):
            self._deliver(key)
        self.plan_next_tick()

    def plan_next_tick(self) -> None:
        """The next minute in which something may be due."""
        world = self.world
        dues = [r.due_at for r in world.store.decisions() if r.due_at is not None]
        dues += [entry.due_at for entry in world.store.due_outbox.values()]
        if dues:
            self._plan_tick(max(world.scheduler.now + world.tick_s, (min(dues) - EPOCH).total_seconds()))

    def _each(self, ids: list[str], step: Callable[[str], object]) -> None:
        for one in ids:
            try:
                step(one)
            except ServiceError:
                continue

    def _resume_due(self, handler: Handler) -> None:
        ports = handler.submit_ports
        ids = list(ports.records.due(State.RECEIVED, until=handler.clock()))
        self._each(ids, lambda one: resume(one, ports=ports, clock=handler.clock))

    def _start_due(self, handler: Handler) -> None:
        ports, jitter = handler.start_ports, self.world.random.random()
        for queue in self.world.queues:
            try:
                start_waiting(queue, ports=ports, clock=handler.clock, jitter=jitter)
            except ServiceError:
                continue
        for state in (State.PENDING, State.ESCALATED):
            ids = list(ports.records.due(state, until=handler.clock()))
            self._each(ids, lambda one: start_loop(one, ports=ports, clock=handler.clock, jitter=jitter))

    def _sweep_due(self, handler: Handler, states: list[State]) -> None:
        ports = handler.ingest_ports
        for state in states:
            ids = list(ports.records.due(state, until=handler.clock()))
            self._each(ids, lambda one: sweep_review(one, ports=ports, clock=handler.clock))

    def reverse_sweep(self) -> None:
        """Stops loops that no decision waits for."""
        world = self.world
        arns = sorted({loop.flow_definition_arn for loop in world.backend.loops.values() if loop.is_open})
        if arns:
            self.run(lambda handler: reverse_sweep(arns, ports=handler.ingest_ports))

    def _deliver(self, key: OutboxKey) -> None:
        jitter = self.world.random.random()

        def body(handler: Handler) -> None:
            decision_id, number, target = key
            deliver(
                decision_id,
                number=number,
                target=target,
                ports=handler.deliver_ports,
                clock=handler.clock,
                jitter=jitter,
            )

        self.run(body)

    def _is_lost(self) -> bool:
        return self.world.random.random() < self.world.faults.rate

    def _copies(self) -> int:
        if self.world.faults.rate == 0.0:
            return 1
        draw = self.world.random.random()
        return 0 if draw < self.world.faults.rate else 2 if draw < 2 * self.world.faults.rate else 1


BUSY_CASES = 600


class Callers:
    """Programs that want decisions, and come back about them."""

    def __init__(self, world: World, functions: Functions) -> None:
        self.world = world
        self.functions = functions

    def plan(self) -> None:
        """Requests over the first hours, some of them several times at once, some under a used key."""
        random, scheduler = self.world.random, self.world.scheduler
        few = random.choice([6, 7, 8, 8, 9, 10])
        for number in range(BUSY_CASES if self.world.is_busy else few):
            asked = self._new(number)
            at = random.random() * HOUR
            self.world.posted_at.append(at)
            copies = 1 if random.random() < 0.7 else random.choice([2, 3, 4])
            for copy in range(copies):
                wait_s = at + copy * random.choice([0.0, 0.2, 30.0, 3000.0])
                scheduler.after(wait_s, partial(self.post, asked, tries=CALLER_TRIES))
            if random.random() < 0.06:
                other = replace(
                    asked, submission=self._submission(asked.use_case, 900 + number), is_reused=True
                )
                self.world.asked.append(other)
                wait_s = at + random.choice([0.0, 1.0, 3000.0])
                scheduler.after(wait_s, partial(self.post, other, tries=2))
        for _ in range(random.choice([0, 1, 2, 3])):
            scheduler.after(random.random() * HORIZON_S, self._come_back)

    def _new(self, number: int) -> Asked:
        random = self.world.random
        use_case = random.choice(list(self.world.policies))
        asked = Asked(
            caller=CALLER if random.random() < 0.9 else OTHER_CALLER,
            use_case=use_case,
            key=f"order-{number}",
            submission=self._submission(use_case, number),
        )
        self.world.asked.append(asked)
        return asked

    def _submission(self, use_case: str, note: int) -> Submission:
        random = self.world.random
        is_callers = self.world.policies[use_case][0].policy.source == "caller"
        return request(
            amount=random.choice([1000, 4000, 6000, 9500]),
            customer=random.choice([1, 2, 3]),
            priority=random.choice(["low", "normal", "normal", "high"]),
            deadline_h=random.choice([0, 0, 0, 0, 1, 2]),
            stated=self._stated() if is_callers else "",
            note=note,
        )

    def _stated(self) -> str:
        random = self.world.random
        said = SAID_BY_CALLERS[:2] if self.world.is_busy and random.random() < 0.95 else SAID_BY_CALLERS
        return random.choice(said)

    def post(self, asked: Asked, *, tries: int) -> None:
        """One request, and again when no reply came."""
        world, began_at = self.world, self.world.scheduler.now

        def body(handler: Handler) -> None:
            try:
                record = submit(
                    asked.submission,
                    use_case=asked.use_case,
                    environment=ENVIRONMENT,
                    caller_scope=asked.caller,
                    idempotency_key=asked.key,
                    ports=handler.submit_ports,
                    clock=handler.clock,
                )
            except RequestRefusedError as refusal:
                self._note(asked, began_at, None, refusal)
            else:
                self._note(asked, began_at, record, None)

        def done(error: BaseException | None) -> None:
            if error is not None and tries > 1:
                wait_s = world.random.expovariate(1 / 60)
                world.scheduler.after(wait_s, lambda: self.post(asked, tries=tries - 1))

        self.functions.run(body, done)

    def _note(
        self, asked: Asked, began_at: float, record: Record | None, refusal: RequestRefusedError | None
    ) -> None:
        self.world.replies.append(
            Reply(
                began_at=began_at,
                at=self.world.scheduler.now,
                key=(asked.caller, asked.use_case, asked.key),
                request_sha256=asked.submission.request_sha256,
                record=record,
                problem=refusal.problem if refusal else None,
            )
        )

    def _come_back(self) -> None:
        """Cancels, contests, tells the truth, or looks: whatever fits, or does not."""
        random = self.world.random
        ids = list(self.world.store.records)
        if not ids:
            return
        decision_id = random.choice(ids)
        state = self.world.store.records[decision_id].state
        draw = random.random()
        if draw < 0.1:
            state = random.choice(list(State))  # what does not fit is refused
        if state is not State.FINAL:
            self._cancel(decision_id)
        elif draw < 0.5:
            for number in range(random.choice([1, 1, 2])):
                self._contest(decision_id, key=f"contest-{random.choice([number, 0])}")
        else:
            self._learn(decision_id)

    def _cancel(self, decision_id: str) -> None:
        def body(handler: Handler) -> None:
            record = callers.cancel(
                decision_id,
                reason="withdrawn",
                by=CALLER,
                ports=handler.change_ports,
                clock=handler.clock,
            )
            self._look(record, handler)

        self.functions.run_until_done(body, tries=3, first_wait_s=30.0)

    def _contest(self, decision_id: str, *, key: str) -> None:
        def body(handler: Handler) -> None:
            record = callers.contest(
                decision_id,
                grounds=f"{GROUNDS_CANARY} {key}",
                idempotency_key=key,
                by=CALLER,
                ports=handler.change_ports,
                clock=handler.clock,
            )
            self._look(record, handler)

        self.functions.run_until_done(body, tries=3, first_wait_s=30.0)

    def _learn(self, decision_id: str) -> None:
        label = self.world.random.choice(LABELS)

        def body(handler: Handler) -> None:
            record = callers.learn_truth(
                decision_id,
                label=label,
                learnt_at=handler.clock(),
                by=CALLER,
                ports=handler.change_ports,
                clock=handler.clock,
            )
            self._look(record, handler)

        self.functions.run_until_done(body, tries=3, first_wait_s=30.0)

    def _look(self, record: Record, handler: Handler) -> None:
        """A decision as a caller was shown it."""
        self.world.replies.append(
            Reply(
                began_at=handler.started_at,
                at=self.world.scheduler.now,
                key=("", "", record.decision_id),
                request_sha256="",
                record=record,
                problem=None,
            )
        )

    def look_at_all(self) -> None:
        """Every decision is asked for once more."""

        def body(handler: Handler) -> None:
            records = RecordsPort(handler)
            for asked in self.world.asked:
                if asked.is_reused:
                    continue
                name = id_of(
                    environment=ENVIRONMENT,
                    caller_scope=asked.caller,
                    use_case=asked.use_case,
                    idempotency_key=asked.key,
                )
                record = records.get(name)
                if record is not None:
                    self._look(record, handler)

        self.functions.run(body)


class Operators:
    """People who steer: kill switches, rosters, new versions."""

    def __init__(self, world: World, functions: Functions) -> None:
        self.world = world
        self.functions = functions

    def plan(self) -> None:
        """Draws what will be done, and when."""
        world, random = self.world, self.world.random
        needs_roster = any(world.policies[name][0].policy.review.requires_roster for name in world.policies)
        if needs_roster:
            self._roster(random.randrange(ROSTERS))
        for _ in range(random.choice([0, 1, 2]) if needs_roster else 0):
            world.scheduler.after(
                random.random() * HORIZON_S * 0.7, lambda: self._roster(random.randrange(ROSTERS))
            )
        for _ in range(random.choice([0, 0, 1, 2])):
            # Often just when something is being decided: that is when it could leak.
            posted_at = random.choice(world.posted_at) if random.random() < 0.7 else random.random() * HOUR
            self._flip(at=max(0.0, posted_at + random.uniform(-0.2, 0.2)))
        for _ in range(random.choice([0, 0, 1, 2])):
            world.scheduler.after(random.random() * HORIZON_S * 0.7, self._redeploy)
        for _ in range(random.choice([0, 1, 2])):
            world.scheduler.after(random.random() * HORIZON_S, self.functions.reverse_sweep)
        for _ in range(random.choice([0, 0, 1, 3])):
            world.scheduler.after(random.random() * HORIZON_S, self._forge)

    def _roster(self, number: int) -> None:
        needs_two = self.world.random.random() < 0.5
        body = roster_body(number)
        for by, wait_s in (("ada", 0.0), ("bob", 60.0)) if needs_two else (("ada", 0.0),):
            put = partial(_put_roster, body, by, needs_two)
            self.world.scheduler.after(
                wait_s, partial(self.functions.run_until_done, put, tries=4, first_wait_s=30.0)
            )

    def _flip(self, *, at: float) -> None:
        random, scheduler = self.world.random, self.world.scheduler
        scope = ALL if random.random() < 0.5 else random.choice(list(self.world.policies))
        needs_two = random.random() < 0.5

        def on(handler: Handler) -> None:
            turn_on(scope, by="ada", reason="drill", steering=SteeringPort(handler), clock=handler.clock)

        def off(by: str) -> Body:
            def run(handler: Handler) -> None:
                turn_off(
                    scope,
                    by=by,
                    reason="over",
                    needs_two=needs_two,
                    steering=SteeringPort(handler),
                    clock=handler.clock,
                )

            return run

        scheduler.after(at, lambda: self.functions.run_until_done(on, tries=5, first_wait_s=5.0))
        off_at = at + random.choice([1.0, 60.0, 0.5 * HOUR, 2 * HOUR])
        for number, by in enumerate(("ada", "bob")):
            scheduler.after(
                off_at + number * 20.0,
                partial(self.functions.run_until_done, off(by), tries=5, first_wait_s=5.0),
            )

    def _redeploy(self) -> None:
        world, random = self.world, self.world.random
        use_case = random.choice(list(world.policies))
        before = world.policies[use_case][-1].version
        self.deploy(use_case, replace(before, number=before.number + 1))
        if random.random() < 0.3:
            for team in ("first", "second", "senior", "public"):
                world.backend.gone.add(flow_definition_arn(use_case, team, before.number))

    def deploy(self, use_case: str, version: Version) -> None:
        """A new version is in force."""
        world = self.world
        world.policies[use_case].append(Deployed(world.scheduler.now, version, policy_of(use_case, version)))

    def _forge(self) -> None:
        """News that nobody sent, of loops that exist and of one that does not."""
        names = [*self.world.backend.loops, "h-aaaaaaaaaaaaaaaaaaaaaaaaaa-g1"]
        random = self.world.random
        self.functions.on_event(random.choice(names), random.choice(["Completed", "Failed"]))

    def heal(self) -> None:
        """Everything works again: a roster that entitles, a version whose teams all exist."""
        world = self.world
        if any(versions[0].policy.review.requires_roster for versions in world.policies.values()):
            body = roster_body(ROSTERS - 1)
            self.functions.run(partial(_put_roster, body, "cyd", False))
        for use_case, versions in world.policies.items():
            before = versions[-1].version
            self.deploy(use_case, replace(before, number=before.number + 1, is_healed=True))


def _put_roster(body: bytes, by: str, needs_two: bool, handler: Handler) -> None:
    put_roster(
        body, by=by, reason="", needs_two=needs_two, steering=SteeringPort(handler), clock=handler.clock
    )


def play(world: World) -> None:
    """Lets the world run: a working day with faults, then days in which everything recovers."""
    functions = Functions(world)
    people, operators = Callers(world, functions), Operators(world, functions)
    people.plan()
    operators.plan()
    world.scheduler.run(until=HORIZON_S)
    _heal(world, functions, operators)
    _recover(world, functions)
    people.look_at_all()
    world.scheduler.run(until=world.scheduler.now + world.tick_s)


def _heal(world: World, functions: Functions, operators: Operators) -> None:
    world.is_healed = True
    world.faults.rate = 0.0
    world.outages = []
    world.max_skew_s = 0.0
    world.backend.heal()
    operators.heal()
    functions.plan_next_tick()


def _recover(world: World, functions: Functions) -> None:
    """Until everything is at its end, hour by hour; at most for `RECOVERY_S`."""
    end = world.scheduler.now + RECOVERY_S
    while world.scheduler.now < end:
        world.scheduler.run(until=world.scheduler.now + HOUR)
        open_loops = any(loop.is_open for loop in world.backend.loops.values())
        if open_loops and functions.sweeps:
            functions.reverse_sweep()
        if not open_loops and not world.store.due_outbox and _is_over(world):
            return


def _is_over(world: World) -> bool:
    return all(record.state in TERMINAL and not record.open_reviews for record in world.store.decisions())
