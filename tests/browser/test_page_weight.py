"""What the portal weighs on the way to a reviewer."""

from __future__ import annotations

import gzip

from overread_review.portal.pages import STATIC

ALWAYS = {"portal.js", "portal.css", "crowd-html-elements.js"}
ON_DEMAND = {"crowd-entity-annotation.js", "crowd-image-tools.js"}
MOST_BYTES = 80_000
MOST_BYTES_ON_DEMAND = 20_000


def test_scripts_and_styles_are_light() -> None:
    built = [path for path in STATIC.iterdir() if path.suffix in {".js", ".css"}]
    assert {path.name for path in built} == ALWAYS | ON_DEMAND
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in built}
    assert sum(sizes[name] for name in ALWAYS) <= MOST_BYTES
    assert {name for name in ON_DEMAND if sizes[name] > MOST_BYTES_ON_DEMAND} == set()
