"""Every error that Overread raises on purpose, and every problem its API answers with.

OverreadError
├── RequestRefusedError     the request is at fault, or cannot be served now; carries a Problem
├── InvalidPolicyError      a routing policy document that must not be used; all faults together
├── InvalidDataError        data that statistics must not be made of; all faults together, with row numbers
├── InvalidGuaranteeError   a threshold guarantee that must not be used; all faults together
├── InvalidRosterError      a roster that must not be used; all faults together
├── RecordConflictError     a conditional write lost against another writer: read and decide again
├── ChainMovedError         another entry of the audit chain came first: seal again behind it
├── KillSwitchOnError       the model may not decide now
├── QueueFullError          the team has as many open human loops as it shall have
├── PoisonedAnswerError     what a review produced cannot be used; carries a code
├── WebhookRefusedError     a webhook that is not what its sender signed, or not of now
├── MissingSettingsError    a function lacks environment variables; names them all
└── ServiceError            a service did not do what it was asked; carries code and operation
    ├── RetryableError        nothing happened; the same call may succeed later (throttled, quota)
    │   └── PolicyUnavailableError  no routing policy could be fetched yet
    ├── AmbiguousError        nobody knows whether it happened (timeout, lost connection)
    └── PermanentError        repeating the same call cannot help (invalid, refused, denied)
        ├── NameTakenError          the name is in use with other content
        └── FlowDefinitionGoneError the flow definition does not exist any more
"""

from collections.abc import Sequence
from enum import Enum


class Problem(Enum):
    """A problem type of the HTTP API: `urn:overread:problem:<slug>`, its HTTP status and its title.

    docs/problems.md describes each one.
    """

    MALFORMED_JSON = ("malformed-json", 400, "The body is not JSON")
    INVALID_REQUEST = ("invalid-request", 400, "The request has faults")
    IDEMPOTENCY_KEY_MISSING = ("idempotency-key-missing", 400, "Idempotency key missing")
    IDEMPOTENCY_KEY_INVALID = ("idempotency-key-invalid", 400, "Idempotency key invalid")
    TOKEN_INVALID = ("token-invalid", 401, "Token missing or not valid")
    ACCESS_DENIED = ("access-denied", 403, "Access denied")
    CALLER_UNKNOWN = ("caller-unknown", 403, "Caller unknown")
    UNKNOWN_USE_CASE = ("unknown-use-case", 404, "Unknown use case")
    UNKNOWN_DECISION = ("unknown-decision", 404, "Unknown decision")
    DECISION_FINAL = ("decision-final", 409, "The decision is final")
    DECISION_NOT_FINAL = ("decision-not-final", 409, "The decision is not final yet")
    ALREADY_CONTESTED = ("already-contested", 409, "The decision is contested already")
    REQUEST_TOO_LARGE = ("request-too-large", 413, "Request too large")
    IDEMPOTENCY_KEY_REUSED = ("idempotency-key-reused", 422, "Idempotency key reused with another body")
    TOO_MANY_REQUESTS = ("too-many-requests", 429, "Too many requests")
    PREDICTION_FAILED = ("prediction-failed", 502, "The model gave no usable prediction")
    KILL_SWITCH_ON = ("kill-switch-on", 503, "The model is switched off")
    ROUTING_POLICY_UNAVAILABLE = ("routing-policy-unavailable", 503, "No routing policy to decide by")
    INTERNAL_ERROR = ("internal-error", 500, "Internal error")
    TEMPORARILY_UNAVAILABLE = ("temporarily-unavailable", 503, "Temporarily unavailable")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title

    @property
    def type(self) -> str:
        """The problem's URN, as the reply's member `type` carries it."""
        return f"urn:overread:problem:{self.slug}"


class OverreadError(Exception):
    """Root of every error that Overread raises on purpose."""


class RequestRefusedError(OverreadError):
    """A request that gets a problem document instead of a decision; `field` names the part at fault."""

    def __init__(self, problem: Problem, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.field = field


class InvalidDataError(OverreadError):
    """Data that statistics must not be made of; `faults` lists what is wrong, each with its first rows.

    Rows count from 1, without a header.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class InvalidGuaranteeError(OverreadError):
    """A threshold guarantee with faults; `faults` lists them all: path, value got, what is allowed."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class InvalidPolicyError(OverreadError):
    """A routing policy document with faults; `faults` lists them all: path, value got, what is allowed."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("routing policy invalid: " + "; ".join(faults))
        self.faults = tuple(faults)


class InvalidRosterError(OverreadError):
    """A roster with faults; `faults` lists them all."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("roster invalid: " + "; ".join(faults))
        self.faults = tuple(faults)


class RecordConflictError(OverreadError):
    """A conditional write that did not happen because the record had changed meanwhile."""


class ChainMovedError(OverreadError):
    """A write that did not happen because another entry of the audit chain, or another switch, came first."""


class KillSwitchOnError(OverreadError):
    """A decision by the model that did not happen because a kill switch is on."""


class QueueFullError(OverreadError):
    """A human loop that gets no place in its team's queue yet."""


class PoisonedAnswerError(OverreadError):
    """A review's output that cannot be used; `code` says why, in a word fit for the record."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class WebhookRefusedError(OverreadError):
    """A webhook that must not be believed."""


class MissingSettingsError(OverreadError):
    """Environment variables that a function needs and does not have."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("environment variables missing or empty: " + ", ".join(names))
        self.names = tuple(names)


class ServiceError(OverreadError):
    """A service that did not do what it was asked; `code` is the service's own error code."""

    def __init__(self, code: str, *, operation: str, message: str = "") -> None:
        super().__init__(f"{operation}: {code}" + (f": {message}" if message else ""))
        self.code = code
        self.operation = operation
        self.message = message


class RetryableError(ServiceError):
    """Nothing happened, and the same call may succeed later."""


class PolicyUnavailableError(RetryableError):
    """No good routing policy document is at hand and none could be fetched."""


class AmbiguousError(ServiceError):
    """The reply was lost or says nothing: the effect may or may not have happened."""


class PermanentError(ServiceError):
    """Nothing happened, and repeating the same call cannot help."""


class NameTakenError(PermanentError):
    """The name is in use by something with other content."""


class FlowDefinitionGoneError(PermanentError):
    """The flow definition does not exist any more, or is being deleted."""
