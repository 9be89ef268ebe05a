"""Many worlds, one after another: how many decisions and faults, and every violation."""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from time import process_time

from tests.simulation.actors import play
from tests.simulation.history import History
from tests.simulation.properties import Violation, check
from tests.simulation.world import World

CORPUS = Path(__file__).parent / "corpus.txt"
"""Seeds of worlds that once showed a fault, one a line, with a word about which."""
WORLDS_BETWEEN_COLLECTIONS = 200
WORLDS_A_PIECE = 400


@dataclass(slots=True)
class Run:
    """What a run of many worlds came to."""

    worlds: int = 0
    decisions: int = 0
    await_points: int = 0
    faults: int = 0
    violations: list[Violation] = field(default_factory=list)
    cpu_s: float = 0.0
    digest: str = ""

    def add(self, other: "Run") -> None:
        """Counts another run's worlds too; the digest stays as it is."""
        self.worlds += other.worlds
        self.decisions += other.decisions
        self.await_points += other.await_points
        self.faults += other.faults
        self.violations += other.violations
        self.cpu_s += other.cpu_s

    @property
    def summary(self) -> str:
        """The line that a run ends with."""
        return (
            f"simulated: {self.decisions} decisions, {self.faults} faults, "
            f"{len(self.violations)} violations, {self.cpu_s:.1f} s"
        )


def run_world(seed: int) -> tuple[World, list[Violation]]:
    """The world of that seed, at its end, and what is wrong with it."""
    world = World(seed)
    play(world)
    return world, check(History(world))


def run_worlds(
    seeds: Iterator[int] | Sequence[int],
    *,
    decisions: int | None = None,
    progress: Callable[[Run], None] = lambda run: None,
    is_enough: Callable[[Run], bool] = lambda run: False,
) -> Run:
    """Worlds of these seeds until there were so many decisions; `progress` is told now and then."""
    run, digest = Run(), sha256()
    began = process_time()
    is_collecting = gc.isenabled()
    gc.disable()  # what is left of worlds is collected together, and nothing else is looked at
    gc.collect()
    gc.freeze()
    try:
        for seed in seeds:
            world, violations = run_world(seed)
            run.worlds += 1
            run.decisions += len(world.store.records)
            run.await_points += world.faults.steps
            run.faults += sum(world.faults.counts.values())
            run.violations += violations
            digest.update(world.digest().encode())
            world.forget()
            if run.worlds % WORLDS_BETWEEN_COLLECTIONS == 0:
                gc.collect()
                run.cpu_s = process_time() - began
                progress(run)
            if (decisions is not None and run.decisions >= decisions) or is_enough(run):
                break
    finally:
        gc.unfreeze()
        if is_collecting:
            gc.enable()
    run.cpu_s = process_time() - began
    run.digest = digest.hexdigest()
    return run


def run_decisions(decisions: int, *, seed: int, progress: Callable[[Run], None] = lambda run: None) -> Run:
    """Worlds from that seed on until there were so many decisions."""
    return run_worlds(count(seed), decisions=decisions, progress=progress)


def run_in_processes(
    decisions: int, *, seed: int, jobs: int, progress: Callable[[Run], None] = lambda run: None
) -> Run:
    """The same worlds in so many processes: pieces of `WORLDS_A_PIECE` worlds, added up in their order."""
    whole, digest = Run(), sha256()
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        pieces: list[Future[Run]] = []
        for first in count(seed, WORLDS_A_PIECE):
            pieces.append(pool.submit(run_worlds, range(first, first + WORLDS_A_PIECE)))
            if len(pieces) <= jobs:
                continue
            piece = pieces.pop(0).result()
            whole.add(piece)
            digest.update(piece.digest.encode())
            progress(whole)
            if whole.decisions >= decisions:
                pool.shutdown(cancel_futures=True)
                break
    whole.digest = digest.hexdigest()
    return whole


def kept_seeds() -> list[int]:
    """The seeds of the corpus."""
    lines = (line.partition("#")[0].strip() for line in CORPUS.read_text().splitlines())
    return [int(line) for line in lines if line]


def keep(seed: int, *, why: str) -> None:
    """Adds a seed to the corpus, once."""
    if seed not in kept_seeds():
        with CORPUS.open("a") as file:
            file.write(f"{seed}  # {why}\n")
