"""What Overread's APIs answer instead of what was asked for.

OverreadClientError
├── ApiError                 the API refused the request; carries its problem document
├── ApiUnreachableError      nothing answered, or there is nothing to sign with
├── TokenRefusedError        the identity provider gave no token
├── StillUndecidedError      people have not decided yet; asking again later is right
└── DecisionCancelledError   the decision was cancelled and will never have an outcome
"""

from collections.abc import Mapping
from typing import Any

_PROBLEM = "urn:overread:problem:"


class OverreadClientError(Exception):
    """Root of every error that the client raises on purpose."""


class ApiError(OverreadClientError):
    """The API's refusal of a request, as its problem document (RFC 9457) says it.

    `type` is the problem's URN, `field` the part of the request that is at fault (empty when none is),
    `retry_after_s` how long the API asked to wait before the same request is sent again, if it did.
    """

    def __init__(
        self,
        *,
        status: int,
        type: str,  # noqa: A002
        title: str,
        detail: str,
        field: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.field = field
        self.retry_after_s = retry_after_s

    @property
    def slug(self) -> str:
        """The problem's short name, as docs/problems.md lists it; empty when something else answered."""
        return self.type.removeprefix(_PROBLEM) if self.type.startswith(_PROBLEM) else ""

    @classmethod
    def of(
        cls, document: Mapping[str, Any], *, status: int, text: str, retry_after_s: float | None = None
    ) -> "ApiError":
        """The error that a reply's document tells of; `text` is the whole reply, should that tell nothing."""
        # API Gateway itself says `message` of a path, and `Message` of a policy.
        told = document.get("message", document.get("Message", text[:200]))
        return cls(
            status=status,
            type=str(document.get("type", "about:blank")),
            title=str(document.get("title", "Unexpected reply")),
            detail=str(document.get("detail", told)),
            field=str(document.get("field", "")),
            retry_after_s=retry_after_s,
        )


class ApiUnreachableError(OverreadClientError):
    """Nothing answered, or there is nothing to sign with; nobody knows whether the request took effect."""


class TokenRefusedError(OverreadClientError):
    """The identity provider gave no token."""


class StillUndecidedError(OverreadClientError):
    """People have not decided within the time that was waited; the decision stands and goes on."""


class DecisionCancelledError(OverreadClientError):
    """The decision was cancelled and will never have an outcome."""
