"""axe-core's findings about a page, as lines that say what is wrong and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}

_RUN = "async () => (await axe.run(document, {resultTypes: ['violations'], iframes: false})).violations"


def findings(where: Page | Frame) -> list[str]:
    """Serious and critical findings of the page, or of one frame alone."""
    where.evaluate(AXE.read_text())
    violations: list[dict[str, Any]] = where.evaluate(_RUN)
    return [
        f"{violation['impact']} {violation['id']}: {node['target']} {node['html'][:120]}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
