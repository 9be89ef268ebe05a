"""What a lint finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One fault, its place counted from 1. An error makes the template unusable, a warning does not."""

    line: int
    column: int
    code: str
    message: str
    severity: Literal["error", "warning"]
