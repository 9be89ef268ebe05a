"""Points in time as documents carry them: `2026-11-22T21:07:44.120Z`, always UTC; texts sort as times."""

from datetime import UTC, datetime


def format_instant(instant: datetime) -> str:
    """`instant` as text, cut to milliseconds."""
    # Not strftime: its %Y writes the year 999 with three digits, which nobody can read again.
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime:
    """The point in time that an ISO 8601 `text` with an offset names.

    Raises:
        ValueError: it is no such text, or lacks the offset.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the offset from UTC is missing")
    return instant.astimezone(UTC)
