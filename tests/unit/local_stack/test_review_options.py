"""Who may sign in to a local stack, and what is done for tests' sake: nonsense is refused."""

from pathlib import Path
from typing import Any

import pytest

from overread_local.errors import LocalStackError
from overread_local.review_options import Chaos
from overread_local.stack import LocalStack

PYTHON = Path("/usr/bin/env")


def refusal(tmp_path: Path, **options: Any) -> str:
    with pytest.raises(LocalStackError) as refused:
        LocalStack.start(state_dir=tmp_path / "state", lambda_python=PYTHON, **options)
    assert not (tmp_path / "state").exists()
    return str(refused.value)


@pytest.mark.parametrize("name", ["", " ", "ada ", "\n", "a" * 65])
def test_a_name_that_nobody_could_type_is_refused(tmp_path: Path, name: str) -> None:
    assert f"got {name!r}" in refusal(tmp_path, reviewers=["ada", name])


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, reviewers=["ada", "grace", "ada"], seniors=["joan"], leads=["grace", "joan"])
    assert "'ada' is given 2 times" in text
    assert "'grace' is given 2 times" in text
    assert "'joan' is given 2 times" in text


def test_somebody_must_be_there(tmp_path: Path) -> None:
    assert "at least one reviewer, senior or lead" in refusal(tmp_path, reviewers=[], seniors=[], leads=[])


@pytest.mark.parametrize(
    ("chaos", "text"),
    [
        (Chaos(duplicate=1.5), "chaos.duplicate must be a share from 0 to 1, got 1.5"),
        (Chaos(delay=-0.1), "chaos.delay must be a share from 0 to 1, got -0.1"),
        (Chaos(duplicate=float("nan")), "chaos.duplicate must be a share"),
        (Chaos(delay=1.0), "chaos.delay must be less than 1"),
    ],
)
def test_shares_that_are_none_are_refused(tmp_path: Path, chaos: Chaos, text: str) -> None:
    assert text in refusal(tmp_path, chaos=chaos)


def test_an_unknown_kind_of_statistics_is_refused(tmp_path: Path) -> None:
    text = "statistics must be one of off, pseudonymous, named, got 'all'"
    assert text in refusal(tmp_path, statistics="all")
