"""What Overread's APIs answer instead of what was asked for."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """The API's refusal of a request, as its problem document (RFC 9457) says it.

    `type` is the problem's URN, `field` the part of the request that is at fault (empty when none is).
    """

    def __init__(self, *, status: int, type: str, title: str, detail: str, field: str = "") -> None:  # noqa: A002
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.field = field

    @classmethod
    def of(cls, document: Mapping[str, Any], *, status: int, text: str) -> "ApiError":
        """The error that a reply's document tells of; `text` is the whole reply, should that tell nothing."""
        # API Gateway itself says `message` of a path, and `Message` of a policy.
        told = document.get("message", document.get("Message", text[:200]))
        return cls(
            status=status,
            type=str(document.get("type", "about:blank")),
            title=str(document.get("title", "Unexpected reply")),
            detail=str(document.get("detail", told)),
            field=str(document.get("field", "")),
        )
