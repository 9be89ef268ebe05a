"""The documentation lists every problem that the portal answers with, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) \|", re.MULTILINE)


def test_every_problem_of_the_portal_is_documented() -> None:
    portal = (ROOT / "docs/problems.md").read_text().split("## The portal")[1]
    code = "".join(path.read_text() for path in (ROOT / "src/overread_review").rglob("*.py"))
    raised = set(re.findall(r'PortalProblemError\(\s*"([a-z-]+)"', code))
    refused = set(re.findall(r'slug, status, title = "([a-z-]+)"', code))
    assert raised
    assert refused
    assert {slug for slug, _ in ROW.findall(portal)} == raised | refused
