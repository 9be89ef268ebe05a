"""Long runs: only when this folder is asked for by name, as `make soak` does."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Nothing of here in a run of all tests."""
    asked = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    if collection_path.is_relative_to(HERE) and not any(path.is_relative_to(HERE) for path in asked):
        return True
    return None
