"""The templates as they were reviewed last, hashes of assets aside: a tripwire, not a specification.

`UPDATE_GOLDEN=1 pytest tests/synth/stacks_synth` writes them anew; read the difference before committing it.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from tests.synth.stacks_synth.conftest import HERE, STACKS, Assembly


def normalised(template: dict[str, Any]) -> str:
    """The template with the hashes of assets replaced, one entry a line."""
    text = json.dumps(template, indent=1, sort_keys=True)
    return re.sub(r"\b[0-9a-f]{64}\b", "<hash>", text) + "\n"


def hold(name: str, template: dict[str, Any]) -> None:
    """The template against the reviewed one of that name."""
    golden = HERE / "golden" / f"{name}.json"
    text = normalised(template)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text, encoding="utf-8")
    reviewed = golden.read_text(encoding="utf-8") if golden.is_file() else ""
    assert text == reviewed, "read the difference; if it is meant: UPDATE_GOLDEN=1 pytest " + __file__


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
@pytest.mark.parametrize("stack", STACKS)
def test_template_is_as_reviewed(environment: str, stack: str, assembly: Assembly) -> None:
    name = f"overread-{environment}-{stack}"
    hold(name, assembly.templates[name])
