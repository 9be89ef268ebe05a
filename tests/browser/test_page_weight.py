"""What the portal weighs on the way to a reviewer."""

from __future__ import annotations

import gzip

from overread_review.portal.pages import STATIC

MOST_BYTES = 80_000


def test_scripts_and_styles_are_light() -> None:
    built = [path for path in STATIC.iterdir() if path.suffix in {".js", ".css"}]
    assert {path.name for path in built} == {"portal.js", "portal.css", "crowd-html-elements.js"}
    assert sum(len(gzip.compress(path.read_bytes())) for path in built) <= MOST_BYTES
