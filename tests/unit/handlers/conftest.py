"""Events as AWS sends them, for the handlers' tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EVENTS = Path(__file__).parent / "events"


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """A recorded event by its name, with members replaced."""

    def load(name: str, **changes: Any) -> dict[str, Any]:
        return {**json.loads((EVENTS / f"{name}.json").read_text()), **changes}

    return load
