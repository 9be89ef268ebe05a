"""A served review service over fakes, and the command line run against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from click.testing import CliRunner, Result

from overread_cli.main import main
from overread_review.app import create_app
from overread_testing.review_fakes import ReviewLab, review_lab
from overread_testing.review_server import served

Run = Callable[..., Result]


@dataclass(frozen=True)
class Desk:
    """A sandbox with the flow definition `flow`, and `overread review` pointed at it."""

    lab: ReviewLab
    url: str

    def run(self, *arguments: str, given: str = "") -> Result:
        """One command of `overread review`; `given` is its standard input."""
        group = 2 if arguments[0] == "qualification" else 1
        options = [*arguments[:group], "--url", self.url, *arguments[group:]]
        return CliRunner().invoke(main, ["review", *options], input=given)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("NO_PROXY", "127.0.0.1"),
    ):
        monkeypatch.setenv(name, value)
    lab = review_lab(sandbox=True)
    lab.flow_definition()
    with served(create_app(lab.service)) as url:
        yield Desk(lab, url)
