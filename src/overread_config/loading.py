"""From a YAML file to settings, or to all of its faults."""

from __future__ import annotations

from pathlib import Path

from overread_config.document import read_document
from overread_config.faults import FaultList
from overread_config.kinds import Reading
from overread_config.rules import check_rules
from overread_config.sections import Section
from overread_config.settings import Settings


def load_settings(path: Path) -> Settings:
    """The settings of a file.

    Relative paths in it begin at the project root: the folder above `config/`, or the file's own folder when
    it lies elsewhere.

    Raises:
        ConfigError: with every fault of the file.
    """
    document = read_document(path)
    faults = FaultList(path)
    reading = Reading(faults=faults, root=project_root(path))
    root = Section(Settings).read_mapping(document, field="", line=1, reading=reading)
    check_rules(root, faults=faults)
    faults.raise_any()
    settings: Settings = root.build(file=path.resolve())
    return settings


def project_root(path: Path) -> Path:
    """Where relative paths of a configuration file begin."""
    folder = path.resolve().parent
    return folder.parent if folder.name == "config" else folder
