"""Names of a run's jobs and files: a repeated step comes to the same name, and makes nothing twice."""

from enum import StrEnum

from overread.errors import InvalidDataError
from overread.labeling.jobs import STEM

ROUNDS = 9
"""Rounds of one step that a run may be given."""


class JobStep(StrEnum):
    """A step of a run that makes a labeling job."""

    LABEL = "label"
    REPAIR = "repair"
    ADJUDICATE = "adjudicate"


def job_stem(run: str, *, step: JobStep, attempt: int) -> str:
    """The stem of a step's job in its round `attempt`, counted from 1.

    Raises:
        InvalidDataError: the run's name or the round does not allow a job's name.
    """
    stem = f"{run}-{step}-{attempt}"
    faults = []
    if not STEM.allows(stem):
        faults.append(f"run must give names of jobs ({STEM}), got {run!r}: {stem!r}")
    if not 1 <= attempt <= ROUNDS:
        faults.append(f"round must be 1 to {ROUNDS}, got {attempt}")
    if faults:
        raise InvalidDataError(faults)
    return stem


def step_prefix(run: str, *, step: JobStep, attempt: int) -> str:
    """Where a step keeps its files, below the run's place; ends in a slash."""
    return f"{job_stem(run, step=step, attempt=attempt)}/"
