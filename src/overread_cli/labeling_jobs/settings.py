"""The settings of a labeling job: its own file, or by its name out of a deployment's configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from overread_config import ConfigError, Settings, load_settings
from overread_config.document import read_document
from overread_config.faults import FaultList
from overread_config.kinds import Reading
from overread_config.labeling import LabelingSettings
from overread_config.sections import Section

Loaded = TypeVar("Loaded")
_SHOWN = 50


class FaultyJobError(click.ClickException):
    """A job, manifest or figure that is at fault; nothing was done."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class ChosenJob:
    """A job, and the deployment that it is of, where one was given."""

    settings: LabelingSettings
    deployment: Settings | None

    @property
    def backend(self) -> str:
        """`ground-truth` or `overread`; "" where no deployment says it."""
        labeling = None if self.deployment is None else self.deployment.labeling
        return "" if labeling is None else labeling.backend

    @property
    def team_kind(self) -> str:
        """`private`, `vendor` or `public`; "" where nothing says it."""
        if self.settings.workteam_arn:
            return "vendor" if "/vendor-crowd/" in self.settings.workteam_arn else "private"
        teams = () if self.deployment is None else self.deployment.teams
        kinds = {team.name: team.kind for team in teams}
        return kinds.get(self.settings.team or "", "public" if self.settings.price_usd is not None else "")


def chosen_job(given: str, *, config: Path | None) -> ChosenJob:
    """The job in the file `given`, or of that name in the deployment's configuration.

    Raises:
        FaultyJobError: with every fault of the files, or because there is no such job.
    """
    path = Path(given)
    is_file = path.suffix in {".yaml", ".yml"} or path.is_file()
    if config is None:
        if not is_file:
            raise FaultyJobError(f"no file {given}; for the job {given!r} of a deployment give its --config")
        return ChosenJob(_read(path), None)
    deployment = _told(load_settings, config)
    jobs = () if deployment.labeling is None else deployment.labeling.jobs
    found = [one for one in jobs if (one.file == path.resolve() if is_file else one.name == given)]
    if found:
        return ChosenJob(found[0], deployment)
    if is_file and path.is_file():
        return ChosenJob(_read(path), deployment)
    there = f"it has {', '.join(one.name for one in jobs)}" if jobs else "it has none"
    raise FaultyJobError(f"no labeling job {given!r} in {config}; {there}")


def _read(path: Path) -> LabelingSettings:
    return _told(load_job, path)


def load_job(path: Path) -> LabelingSettings:
    """One job's file by itself; what only a deployment can know is not checked.

    Relative paths in it begin at the folder above `labeling/`, or at the file's own.

    Raises:
        ConfigError: with every fault of the file.
    """
    faults = FaultList(path)
    document = read_document(path)
    folder = path.resolve().parent
    root = folder.parent if folder.name == "labeling" else folder
    reading = Reading(faults=faults, root=root)
    branch = Section(LabelingSettings).read_mapping(document, field="", line=1, reading=reading)
    faults.raise_any()
    settings: LabelingSettings = branch.build(file=path.resolve())
    return settings


def _told(load: Callable[[Path], Loaded], path: Path) -> Loaded:
    try:
        return load(path)
    except ConfigError as error:
        faults = [str(fault) for fault in error.faults]
        more = [f"… and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
        raise FaultyJobError("\n".join([*faults[:_SHOWN], *more])) from error
