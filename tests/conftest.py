"""The order of the suites."""

from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: while Playwright runs, its event loop is the main thread's, and no other can be."""
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER))
