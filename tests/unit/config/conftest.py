"""A small valid configuration, and a way to write it with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration into a project of its own, `PROJECT/config/test.yaml`, and gives its path."""
    for name in ("models/loans.tar.gz", "models/loans.zip", "pages/loans.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("stand-in")

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
