"""A small valid configuration, and a way to write it with one thing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VALID = """\
environment: test
region: eu-central-1
use_cases:
  loans:
    prediction:
      source: sagemaker-endpoint
      model: models/loans.tar.gz
    labels: [approve, decline]
    input:
      withheld: [sex]
    routing:
      threshold: 0.9
    review:
      team: readers
      template: pages/loans.html
      title: Loan
      description: Read it again.
    data:
      class: personal
workforce:
  mode: adopt
  identity: oidc
teams:
  readers:
    groups: [readers]
"""

GUARANTEE: dict[str, Any] = {
    "schema": 1,
    "use_case": "loans",
    "model_version": "sha256:d6051828bcfb",  # of the stand-in model
    "method": "fixed-sequence-binomial",
    "alpha": 0.02,
    "delta": 0.05,
    "threshold": 0.93,
    "label_thresholds": {"decline": 0.97},
    "coverage": 0.72,
    "n": 1440,
    "errors": 12,
    "points": 2000,
    "data_sha256": "0f" * 32,
    "reference": {"standard": "two-blind-readers", "error": None},
    "date": "2026-11-23",
}
"""What guarantees/loans.json says."""
GUARANTEES = {
    "loans": {},
    "cards": {"use_case": "cards"},
    "other-model": {"model_version": "sha256:0123456789ab"},
    "other-label": {"label_thresholds": {"refer": 0.97}},
    "lax": {"alpha": 0.2, "delta": 0.3, "errors": 200},
    "faulty": {"alpha": 2, "errors": -1},
}
"""The others, by how they differ from it."""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration into a project of its own, `PROJECT/config/test.yaml`, and gives its path."""
    for name in ("models/loans.tar.gz", "models/loans.zip", "pages/loans.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("stand-in")
    (tmp_path / "guarantees").mkdir()
    for name, changes in GUARANTEES.items():
        (tmp_path / "guarantees" / f"{name}.json").write_text(json.dumps(GUARANTEE | changes))

    def write_config(text: str) -> Path:
        file = tmp_path / "config" / "test.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write_config


def changed(old: str, new: str) -> str:
    """VALID with `old`, which is in it once, replaced."""
    assert VALID.count(old) == 1, old
    return VALID.replace(old, new)
