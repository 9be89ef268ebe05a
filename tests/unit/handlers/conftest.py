"""Events as AWS sends them, for the handlers' tests."""

import asyncio
import json
from collections.abc import Callable, Iterator
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


@pytest.fixture(autouse=True)
def _event_loop() -> Iterator[None]:
    """The loop that Mangum runs programs in, closed: Lambda's would end with its process."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
