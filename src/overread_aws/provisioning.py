"""What making resources for CloudFormation has in common: patience while time lasts, and refusals."""

import re
from collections.abc import Callable, Iterator

from botocore.exceptions import ClientError

from overread.errors import PermanentError
from overread_aws.failures import RETRYABLE_CODES, calling, error_code, error_message

POLL_FIRST_S = 0.5
POLL_LONGEST_S = 4.0
PROPAGATION_S = 90.0
ACCESS_DENIED = "AccessDeniedException"
NOT_FOUND = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_ACCOUNT_REFUSED = re.compile(
    r"new customer|existing customer|not enrolled|no longer available|no longer open|not available to new",
    re.IGNORECASE,
)
_ADVICE_REFUSED = (
    "Amazon A2I refuses this account: the service is closed to new customers. "
    "Deploy with review.backend overread instead. AWS says: "
)


class ProvisioningRefusedError(PermanentError):
    """AWS refused; the message is its reason. `is_ours`: the resource exists all the same."""

    def __init__(self, message: str, *, operation: str, is_ours: bool) -> None:
        super().__init__("ProvisioningRefused", operation=operation, message=message)
        self.is_ours = is_ours


class Patience:
    """How long to try: `budget_s` tells the seconds left, `sleep` passes them."""

    def __init__(self, *, budget_s: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._budget_s = budget_s
        self._sleep = sleep

    def tries(self) -> Iterator[float]:
        """Seconds waited so far, one turn after another with growing pauses, until the budget is used up."""
        pause_s, waited_s = POLL_FIRST_S, 0.0
        yield waited_s
        while self._budget_s() > pause_s:
            self._sleep(pause_s)
            waited_s += pause_s
            pause_s = min(POLL_LONGEST_S, 2 * pause_s)
            yield waited_s


def is_account_refused(error: ClientError) -> bool:
    """Whether A2I refuses the account itself, so that waiting does not help."""
    return says_account_is_refused(error_message(error))


def says_account_is_refused(message: str) -> bool:
    """Whether an error's words are those with which A2I turns an account away."""
    return _ACCOUNT_REFUSED.search(message) is not None


def refusal(error: ClientError, *, name: str, operation: str) -> ProvisioningRefusedError:
    """AWS's refusal to make `name`, in its words; an account that A2I refuses is told what to do."""
    message = error_message(error)
    if is_account_refused(error):
        text = _ADVICE_REFUSED + message
    else:
        text = f"{name}: {error_code(error)}: {message}"
    return ProvisioningRefusedError(text, operation=operation, is_ours=False)


def out_of_time(what: str, *, operation: str, is_ours: bool) -> ProvisioningRefusedError:
    """The refusal to try any longer."""
    return ProvisioningRefusedError(f"out of time: {what}", operation=operation, is_ours=is_ours)


def delete_unless_gone(call: Callable[[], object], *, operation: str, patience: Patience) -> None:
    """Repeats the deletion `call` while it is throttled; what is gone already is fine.

    Raises:
        ProvisioningRefusedError: it was throttled all the time.
    """
    with calling(operation):
        for _ in patience.tries():
            try:
                call()
                return
            except ClientError as error:
                if error_code(error) in NOT_FOUND:
                    return
                if error_code(error) not in RETRYABLE_CODES:
                    raise
    raise out_of_time("throttled all the time", operation=operation, is_ours=True)
