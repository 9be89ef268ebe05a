"""What the review service refuses, and why.

ReviewError
├── TaskRefused           a reviewer's action that cannot happen
│   ├── TaskUnknown         no such task, or not for this reviewer
│   ├── TaskConflict        taken by others, already answered, or not claimed by this reviewer
│   ├── TaskGone            expired, stopped or completed
│   └── AnswerInvalid       the answer is no JSON object of a sane size
├── RequestRefused        an API call that fails; carries AWS's error code
│   ├── RequestInvalid      ValidationException
│   ├── ResourceMissing     ResourceNotFound
│   ├── ResourceTaken       ResourceInUse
│   ├── ResourceLimit       ResourceLimitExceeded
│   ├── Conflict            ConflictException
│   └── QuotaExceeded       ServiceQuotaExceededException
├── RecordExists          conditional create lost: the record is there already
├── RecordChanged         conditional write lost: read again, decide again
├── OpenLimitReached      one more open loop would pass the flow definition's limit
├── DocumentRefused       S3 refuses to read or write the document, for good
├── DocumentUnavailable   S3 cannot serve the document now
└── EventUndelivered      the event could not be handed over; it stays due
"""

from typing import ClassVar

from overread.errors import OverreadError


class ReviewError(OverreadError):
    """Root of what the review service refuses."""


class TaskRefused(ReviewError):
    """A reviewer's action that cannot happen; the text says why, in words for the reviewer."""

    slug: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]


class TaskUnknown(TaskRefused):
    """No such task for this reviewer."""

    slug, status, title = "task-unknown", 404, "Unknown task"


class TaskConflict(TaskRefused):
    """Others hold the task, or this reviewer has no claim on it."""

    slug, status, title = "task-conflict", 409, "The task is not yours"


class TaskGone(TaskRefused):
    """The task ended or the time for it is over."""

    slug, status, title = "task-gone", 410, "The task is over"


class AnswerInvalid(TaskRefused):
    """The answer cannot be stored as it is."""

    slug, status, title = "answer-invalid", 400, "The answer is not valid"


class RequestRefused(ReviewError):
    """An API call that fails with AWS's error `code`."""

    code: ClassVar[str]


class RequestInvalid(RequestRefused):
    """A request that AWS answers with ValidationException."""

    code = "ValidationException"


class ResourceMissing(RequestRefused):
    """The named resource does not exist."""

    code = "ResourceNotFound"


class ResourceTaken(RequestRefused):
    """The name is in use, or the resource is."""

    code = "ResourceInUse"


class ResourceLimit(RequestRefused):
    """The account has as many of these resources as it may have."""

    code = "ResourceLimitExceeded"


class Conflict(RequestRefused):
    """The request contradicts what is there: another loop of that name, teams that hold on to a workforce."""

    code = "ConflictException"


class QuotaExceeded(RequestRefused):
    """As many loops are open as a flow definition may have."""

    code = "ServiceQuotaExceededException"


class RecordExists(ReviewError):
    """A record that should be new is there already."""


class RecordChanged(ReviewError):
    """A record changed between reading and writing."""


class OpenLimitReached(ReviewError):
    """The flow definition has as many open loops as it may have."""


class DocumentRefused(ReviewError):
    """S3 refuses the document: missing bucket or key, or no permission."""


class DocumentUnavailable(ReviewError):
    """S3 cannot serve the document now; trying again may help."""


class EventUndelivered(ReviewError):
    """The event could not be handed over."""
