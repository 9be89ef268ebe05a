"""All 1,797 digits read by three people each through the portal; a hundred scenes of every other kind."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from tests.local import scenes
from tests.local.conftest import LAMBDA_PYTHON
from tests.local.fault_campaign import say
from tests.local.killing import Killer
from tests.local.labeling_site import LabelingSite, annotation_code

from overread_local.stack import LocalStack

OBJECTS = int(os.environ.get("LABELING_OBJECTS", "1797"))
ERROR = 0.1
SEED = int(os.environ.get("SEED", "20261124"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelingSite]:
    """A stack of its own."""
    stack = LocalStack.start(
        state_dir=tmp_path_factory.mktemp("labeling"),
        lambda_python=LAMBDA_PYTHON,
        status_lag_s=0.1,
        tied=True,
    )
    try:
        yield LabelingSite(stack, code=annotation_code(tmp_path_factory.mktemp("code"))).prepare()
    finally:
        stack.stop()


def test_every_digit_is_read_by_three_people_while_the_portal_is_killed(site: LabelingSite) -> None:
    objects, began = scenes.digits(OBJECTS), time.monotonic()
    site.create("digits", scenes.DIGITS, manifest=site.manifest("digits", objects))
    killer = Killer(site.stack, seed=SEED, every_s=30.0, parts=("portal",))
    with (
        site.people(scenes.DIGITS, scenes.keys_of("digits", objects), error=ERROR, seed=SEED) as crew,
        killer,
    ):
        ended = site.until_ended("digits", timeout_s=3600)
    took = time.monotonic() - began
    lines = site.lines(ended["LabelingJobOutput"]["OutputDatasetS3Uri"])
    assert [line["n"] for line in lines] == list(range(OBJECTS))
    right = sum(
        line["label-metadata"]["class-name"] == each.truth for line, each in zip(lines, objects, strict=True)
    )
    answers = site.answers("digits")
    votes = sum(len({each["workerId"] for each in one}) for one in answers.values())
    say(
        f"{OBJECTS} digits, {votes} votes of people wrong in {ERROR:.0%}: {right / OBJECTS:.2%} right, "
        f"{took:.0f} s, {crew.answers / took:.1f} answers/s, kills {dict(killer.kills)}"
    )
    assert votes == 3 * OBJECTS
    assert right / OBJECTS > 0.95
