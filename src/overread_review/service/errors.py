"""What the review service refuses, and why.

ReviewError
├── TaskRefusedError           a reviewer's action that cannot happen
│   ├── TaskUnknownError         no such task, or not for this reviewer
│   ├── TaskConflictError        taken by others, already answered, or not claimed by this reviewer
│   ├── TaskGoneError            expired, stopped or completed
│   ├── AnswerInvalidError       the answer is no JSON object of a sane size
│   ├── NoteInvalidError         the note, comment or reason is empty or too long
│   ├── NotLeadError             only a lead may do that
│   ├── PersonDisabledError      the person may not work here any more
│   ├── PersonUnknownError       no such person, or none of this lead's
│   ├── PersonUnsuitableError    the person cannot get this task
│   ├── InvitationInvalidError   nobody can be invited like that
│   ├── QueueUnknownError        no such queue, or none of this lead's
│   ├── QualificationInvalidError  the document of a qualification has faults
│   ├── QualificationUnknownError  no such qualification
│   └── SandboxOffError          answers from programs are not taken here
├── RequestRefusedError        an API call that fails; carries AWS's error code
│   ├── RequestInvalidError      ValidationException
│   ├── ResourceMissingError     ResourceNotFound
│   ├── ResourceTakenError       ResourceInUse
│   ├── ResourceLimitError       ResourceLimitExceeded
│   ├── ConflictError            ConflictException
│   └── QuotaExceededError       ServiceQuotaExceededException
├── RecordExistsError          conditional create lost: the record is there already
├── PersonSeparatedError       the person has answered another loop with the same separation
├── RecordChangedError         conditional write lost: read again, decide again
├── OpenLimitReachedError      one more open loop would pass the flow definition's limit
├── DocumentRefusedError       S3 refuses to read or write the document, for good
├── UnavailableError           something cannot be served now; trying again may help
│   ├── DocumentUnavailableError  S3
│   └── StoreUnavailableError     the store
└── EventUndeliveredError      the event could not be handed over; it stays due
"""

from typing import ClassVar

from overread.errors import OverreadError


class ReviewError(OverreadError):
    """Root of what the review service refuses."""


class TaskRefusedError(ReviewError):
    """A reviewer's action that cannot happen; the text says why, in words for the reviewer."""

    slug: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]


class TaskUnknownError(TaskRefusedError):
    """No such task for this reviewer."""

    slug, status, title = "task-unknown", 404, "Unknown task"


class TaskConflictError(TaskRefusedError):
    """Others hold the task, or this reviewer has no claim on it."""

    slug, status, title = "task-conflict", 409, "The task is not yours"


class TaskGoneError(TaskRefusedError):
    """The task ended or the time for it is over."""

    slug, status, title = "task-gone", 410, "The task is over"


class AnswerInvalidError(TaskRefusedError):
    """The answer cannot be stored as it is."""

    slug, status, title = "answer-invalid", 400, "The answer is not valid"


class NoteInvalidError(TaskRefusedError):
    """What somebody wrote on the task cannot be kept as it is."""

    slug, status, title = "note-invalid", 400, "The note is not valid"


class NotLeadError(TaskRefusedError):
    """Only a lead may do that."""

    slug, status, title = "not-a-lead", 403, "Only for leads"


class PersonDisabledError(TaskRefusedError):
    """A lead has ended this person's access."""

    slug, status, title = "person-disabled", 403, "Your access has ended"


class PersonUnknownError(TaskRefusedError):
    """No such person among those whom this lead leads."""

    slug, status, title = "person-unknown", 404, "Unknown person"


class PersonUnsuitableError(TaskRefusedError):
    """The person is there, but cannot get this task."""

    slug, status, title = "person-unsuitable", 409, "Not possible for this person"


class InvitationInvalidError(TaskRefusedError):
    """Nobody can be invited like that."""

    slug, status, title = "invitation-invalid", 400, "The invitation is not valid"


class QueueUnknownError(TaskRefusedError):
    """No such queue among those of this lead's teams."""

    slug, status, title = "queue-unknown", 404, "Unknown queue"


class QualificationInvalidError(TaskRefusedError):
    """The document of a qualification has faults; the text names all of them."""

    slug, status, title = "qualification-invalid", 400, "The qualification is not valid"


class QualificationUnknownError(TaskRefusedError):
    """No such qualification."""

    slug, status, title = "qualification-unknown", 404, "Unknown qualification"


class SandboxOffError(TaskRefusedError):
    """Answers from programs are taken in a sandbox only."""

    slug, status, title = "sandbox-off", 403, "This is no sandbox"


class RequestRefusedError(ReviewError):
    """An API call that fails with AWS's error `code`."""

    code: ClassVar[str]


class RequestInvalidError(RequestRefusedError):
    """A request that AWS answers with ValidationException."""

    code = "ValidationException"


class ResourceMissingError(RequestRefusedError):
    """The named resource does not exist."""

    code = "ResourceNotFound"


class ResourceTakenError(RequestRefusedError):
    """The name is in use, or the resource is."""

    code = "ResourceInUse"


class ResourceLimitError(RequestRefusedError):
    """The account has as many of these resources as it may have."""

    code = "ResourceLimitExceeded"


class ConflictError(RequestRefusedError):
    """The request contradicts what is there: another loop of that name, teams that hold on to a workforce."""

    code = "ConflictException"


class QuotaExceededError(RequestRefusedError):
    """As many loops are open as a flow definition may have."""

    code = "ServiceQuotaExceededException"


class RecordExistsError(ReviewError):
    """A record that should be new is there already."""


class RecordChangedError(ReviewError):
    """A record changed between reading and writing."""


class PersonSeparatedError(ReviewError):
    """The answer's author has answered another loop with the same separation."""


class OpenLimitReachedError(ReviewError):
    """The flow definition has as many open loops as it may have."""


class DocumentRefusedError(ReviewError):
    """S3 refuses the document: missing bucket or key, or no permission."""


class UnavailableError(ReviewError):
    """What is needed cannot be served now; trying again may help."""


class DocumentUnavailableError(UnavailableError):
    """S3 cannot serve the document now."""


class StoreUnavailableError(UnavailableError):
    """The store cannot serve the record now."""


class EventUndeliveredError(ReviewError):
    """The event could not be handed over."""
