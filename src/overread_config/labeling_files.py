"""Labeling jobs in YAML files of their own; what is wrong in one is told with its own name and line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from overread_config.document import read_document
from overread_config.faults import ConfigError, FaultList
from overread_config.kinds import REFUSED, Kind, ListOf, Reading, Text
from overread_config.sections import Branch, Section

_PATH = Text(longest=1024)


@dataclass(slots=True)
class JobBranch(Branch):
    """A job's section, and the file that holds it."""

    file: Path

    def build(self, **given: object) -> Any:
        """The frozen dataclass, with its file."""
        return Branch.build(self, file=self.file.resolve(), **given)


@dataclass(frozen=True, slots=True)
class JobFiles(Kind):
    """A folder with a YAML file for each job, or a list of such files; `section` gives their dataclass."""

    section: type

    @property
    def allowed(self) -> str:
        """Both forms."""
        return "a folder with *.yaml files, or a list of YAML files, relative to the project root"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The jobs as branches, in the order of the list or of the files' names."""
        named = self._files(node, field=field, reading=reading)
        if not isinstance(named, tuple):
            return REFUSED
        return tuple(
            branch
            for path in named
            if (branch := _read(path, section=self.section, reading=reading)) is not None
        )

    def _files(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        if isinstance(node, yaml.SequenceNode):
            names = ListOf(_PATH, fewest=1).read(node, field=field, reading=reading)
            if not isinstance(names, tuple):
                return REFUSED
            return tuple(reading.root / name for name in names)
        name = _PATH.read(node, field=field, reading=reading)
        if not isinstance(name, str):
            return REFUSED
        folder = reading.root / name
        found = tuple(sorted(folder.glob("*.yaml")))
        if not found:
            return self.refuse(node, field=field, reading=reading, problem=f"there is no *.yaml in {folder}")
        return found


def _read(path: Path, *, section: type, reading: Reading) -> JobBranch | None:
    faults = FaultList(path)
    try:
        document = read_document(path)
    except ConfigError as error:
        reading.faults.faults.extend(error.faults)
        return None
    inner = Reading(faults=faults, root=reading.root)
    read = Section(section).read_mapping(document, field="", line=1, reading=inner)
    reading.faults.faults.extend(faults.faults)
    return JobBranch(
        section=read.section,
        field="",
        name=path.stem,
        line=read.line,
        values=read.values,
        nodes=read.nodes,
        file=path,
    )
