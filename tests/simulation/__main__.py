"""`make simulate`: so many decisions from a seed on; exit status 1 when a property does not hold."""

import argparse
import sys

from tests.simulation.mutants import MUTANTS, kill_all
from tests.simulation.properties import Violation
from tests.simulation.runner import Run, keep, run_decisions, run_in_processes, run_worlds

MOST_SHOWN = 20


def main() -> int:
    """Runs what the arguments ask for."""
    arguments = _arguments()
    if arguments.mutants is not None:
        return _mutants(arguments.mutants, most=arguments.decisions)
    if arguments.world is not None:
        run = run_worlds([arguments.world])
    elif arguments.jobs > 1:
        run = run_in_processes(
            arguments.decisions, seed=arguments.seed, jobs=arguments.jobs, progress=_show_progress
        )
    else:
        run = run_decisions(arguments.decisions, seed=arguments.seed, progress=_show_progress)
    for violation in run.violations[:MOST_SHOWN]:
        _show(violation)
    for violation in run.violations:
        keep(violation.seed, why=violation.property)
    print(f"worlds {run.worlds}, await points {run.await_points}, digest {run.digest[:16]}")
    print(run.summary)
    return 1 if run.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--decisions", type=int, default=200_000, help="how many at least")
    parser.add_argument("--seed", type=int, default=1, help="the first world's seed")
    parser.add_argument("--jobs", type=int, default=1, help="in so many processes")
    parser.add_argument("--world", type=int, help="only the world of this seed")
    parser.add_argument("--mutants", nargs="*", metavar="NAME", help="kill these mutants, or all")
    return parser.parse_args()


def _show_progress(run: Run) -> None:
    rate = run.decisions / run.cpu_s if run.cpu_s else 0.0
    line = f"{run.worlds} worlds, {run.decisions} decisions, {run.faults} faults"
    line += f", {len(run.violations)} violations, {rate:.0f}/s"
    seeds = sorted({violation.seed for violation in run.violations})[:MOST_SHOWN]
    print(line + (f", seeds {seeds}" if seeds else ""), file=sys.stderr, flush=True)


def _show(violation: Violation) -> None:
    print(f"seed {violation.seed}: {violation.property}: {violation.detail}")
    print(f"  again: python -m tests.simulation --world {violation.seed}")


def _mutants(names: list[str], *, most: int) -> int:
    unknown = sorted(set(names) - {mutant.name for mutant in MUTANTS})
    if unknown:
        print(f"unknown: {', '.join(unknown)}")
        return 2
    survivors = 0
    for mutant, run in kill_all(names, most=most):
        killers = sorted({violation.property for violation in run.violations})
        survivors += not killers
        print(f"| {mutant.name} | {run.decisions if killers else '—'} | {', '.join(killers)} |", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
