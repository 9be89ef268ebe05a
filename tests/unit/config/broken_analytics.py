"""Faults of the analytics export."""

from __future__ import annotations

from tests.unit.config.broken import Broken, top


def analytics(line: str) -> str:
    """VALID with a setting of its export."""
    return top(f"analytics:\n  {line}")


ANALYTICS: dict[str, Broken] = {
    "analytics": Broken(
        top("analytics: on"), "analytics", "analytics", "on", "`reason_codes`", "must be a mapping"
    ),
    "analytics_hour": Broken(analytics("hour: 24"), "hour", "analytics.hour", "24", "from 0 to 23"),
    "analytics_reason_code": Broken(
        analytics("reason_codes: ['income unverified']"),
        "reason_codes",
        "analytics.reason_codes[0]",
        "the text 'income unverified'",
        "without spaces and commas",
    ),
}
