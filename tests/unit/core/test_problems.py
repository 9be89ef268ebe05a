"""The list of problem types in the documentation is complete and right."""

import re
from pathlib import Path

from overread.errors import Problem

PAGE = Path(__file__).resolve().parents[3] / "docs" / "problems.md"
ROW = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) \| \S.* \| \S.* \|$", re.MULTILINE)


def test_every_problem_is_documented_with_its_status_and_nothing_else_is() -> None:
    documented = {slug: int(status) for slug, status in ROW.findall(PAGE.read_text())}
    assert documented == {problem.slug: problem.status for problem in Problem}


def test_problems_have_different_urns_and_titles() -> None:
    assert len({problem.type for problem in Problem}) == len(Problem)
    assert len({problem.title for problem in Problem}) == len(Problem)
    assert all(re.fullmatch(r"urn:overread:problem:[a-z]+(-[a-z]+)*", problem.type) for problem in Problem)
