"""A labeling job's settings as JSON, for programs that run it and never see its YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from overread_config.labeling import LabelingSettings

_PATHS = frozenset({"file", "template", "category_file"})
"""Files of the machine that deployed: their content lies in the data bucket, and `spec` says where."""


def settings_document(job: LabelingSettings) -> dict[str, Any]:
    """Every setting by its field's name, without paths of files; an amount of dollars as text."""
    return {name: value for name, value in _json(job).items() if name not in _PATHS}


def _json(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_json(inner) for inner in value]
    return str(value) if isinstance(value, (Decimal, Path)) else value
