"""The suites as an organization lays down: OVERREAD_TEST_ORGANIZATION=config/regulated.yaml."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
ORGANIZATION = os.environ.get("OVERREAD_TEST_ORGANIZATION", "")
PREFIX = "acme-ml" if ORGANIZATION else "overread"
"""What the names of every deployment of the suites begin with."""


def config_file(name: str, *, folder: Path) -> Path:
    """A committed configuration, in the organization that the environment names."""
    file = ROOT / "config" / name
    return organized(file, organization=ROOT / ORGANIZATION, folder=folder) if ORGANIZATION else file


def organized(config: Path, *, organization: Path, folder: Path) -> Path:
    """A configuration with the organization and the tags of another one; paths in it are absolute."""
    text, laid_down = config.read_text(), organization.read_text()
    for path in ("build/models/", "templates/", "guarantees/"):
        text = text.replace(f": {path}", f": {ROOT}/{path}")
    sections = [_section(laid_down, name) for name in ("tags", "organization")]
    file = folder / config.name
    file.write_text("\n".join([text.replace(_section(text, "tags"), ""), *sections]))
    return file


def _section(text: str, name: str) -> str:
    """A section as it is written, up to the empty line after it."""
    if f"\n{name}:\n" not in text:
        return ""
    start = text.index(f"\n{name}:\n") + 1
    return text[start : text.index("\n\n", start) + 1]
