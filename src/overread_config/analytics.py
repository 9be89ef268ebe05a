"""The masked analytics export."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread_config.kinds import Integer, ListOf, Text
from overread_config.sections import setting


@dataclass(frozen=True, slots=True)
class AnalyticsSettings:
    """What analysts get once a day; docs/analytics.md lists every column."""

    reason_codes: tuple[str, ...] = field(
        metadata=setting(
            ListOf(Text(pattern=r"[^\s,]+", form="without spaces and commas", longest=64), most=500),
            "Reason codes that are exported as they are; every other one is exported as `other`.",
            default=(),
        )
    )
    hour: int = field(
        metadata=setting(Integer(0, 23), "Hour of the day (UTC) at which the export begins.", default=3)
    )
