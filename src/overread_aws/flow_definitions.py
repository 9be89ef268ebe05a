"""Flow definitions for CloudFormation, which has no type for them: create until active, delete with care."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from overread.errors import AmbiguousError, PermanentError, RetryableError
from overread_aws.failures import RETRYABLE_CODES, calling, error_code, error_message

POLL_FIRST_S = 0.5
POLL_LONGEST_S = 4.0
PROPAGATION_S = 90.0
_NOT_FOUND = {"ResourceNotFound", "ResourceNotFoundException"}
_ROLE_NOT_READY = re.compile(r"assume|\brole\b|not authori[sz]ed|access denied|permission", re.IGNORECASE)
_ACCOUNT_REFUSED = re.compile(
    r"new customer|existing customer|not enrolled|no longer available|no longer open|not available to new",
    re.IGNORECASE,
)
_ADVICE_REFUSED = (
    "Amazon A2I refuses this account: the service is closed to new customers. "
    "Deploy with review.backend overread instead. AWS says: "
)
_OPEN = {"InProgress", "Stopping"}


class FlowDefinitionRefusedError(PermanentError):
    """AWS refused; the message is its reason. `is_ours`: the flow definition exists all the same."""

    def __init__(self, message: str, *, operation: str, is_ours: bool) -> None:
        super().__init__("FlowDefinitionRefused", operation=operation, message=message)
        self.is_ours = is_ours


class FlowDefinitions:
    """Creates and deletes flow definitions. `budget_s` tells the seconds left, `sleep` passes them."""

    def __init__(
        self, sagemaker: Any, a2i: Any, *, budget_s: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._sagemaker = sagemaker
        self._a2i = a2i
        self._budget_s = budget_s
        self._sleep = sleep

    def create(self, definition: Mapping[str, Any]) -> str:
        """The ARN of the flow definition once it is active. One that exists already and is the same will do.

        Raises:
            FlowDefinitionRefusedError: AWS refused it, it failed, or it did not become active in time.
        """
        name = definition["FlowDefinitionName"]
        self._wait_until_gone(name)
        self._request(definition)
        return self._wait_until_active(name)

    def arn_of(self, name: str) -> str:
        """The ARN of the flow definition; empty when there is none."""
        described = self._describe(name)
        return "" if described is None else str(described["FlowDefinitionArn"])

    def delete(self, name: str, *, drain: bool) -> None:
        """Deletes the flow definition; one that is gone already is fine.

        Raises:
            FlowDefinitionRefusedError: human loops are open and `drain` is false.
        """
        described = self._describe(name)
        if described is None or described["FlowDefinitionStatus"] == "Deleting":
            return
        if not drain:
            self._refuse_open_loops(name, str(described["FlowDefinitionArn"]))
        with calling("DeleteFlowDefinition"):
            for _ in self._tries():
                try:
                    self._sagemaker.delete_flow_definition(FlowDefinitionName=name)
                    return
                except ClientError as error:
                    if error_code(error) in _NOT_FOUND:
                        return
                    if error_code(error) not in RETRYABLE_CODES:
                        raise
        raise self._out_of_time("DeleteFlowDefinition", "throttled all the time", is_ours=True)

    def _request(self, definition: Mapping[str, Any]) -> None:
        """CreateFlowDefinition, repeated only while throttled or while the new role is unknown somewhere."""
        operation = "CreateFlowDefinition"
        name = definition["FlowDefinitionName"]
        last = "throttled all the time"
        with calling(operation):
            for waited_s in self._tries():
                try:
                    self._sagemaker.create_flow_definition(**definition)
                    return
                except ClientError as error:
                    code, last = error_code(error), error_message(error)
                    if code == "ResourceInUse":
                        self._refuse_foreign(definition)
                        return
                    if _ACCOUNT_REFUSED.search(last):
                        message = _ADVICE_REFUSED + last
                        raise FlowDefinitionRefusedError(
                            message, operation=operation, is_ours=False
                        ) from error
                    if code not in RETRYABLE_CODES:
                        is_role = code == "ValidationException" and _ROLE_NOT_READY.search(last)
                        if not is_role or waited_s >= PROPAGATION_S:
                            message = f"{name}: {code}: {last}"
                            raise FlowDefinitionRefusedError(
                                message, operation=operation, is_ours=False
                            ) from error
        raise self._out_of_time(operation, last, is_ours=False)

    def _refuse_foreign(self, definition: Mapping[str, Any]) -> None:
        name = definition["FlowDefinitionName"]
        described = self._describe(name)
        wanted = {key: value for key, value in definition.items() if key != "Tags"}
        if described is None or not _contains(described, wanted):
            message = f"the name {name} is in use by another flow definition"
            raise FlowDefinitionRefusedError(message, operation="CreateFlowDefinition", is_ours=False)

    def _wait_until_active(self, name: str) -> str:
        status = "unknown"
        for _ in self._tries():
            try:
                described = self._describe(name)
            except (RetryableError, AmbiguousError) as error:
                status = error.code
                continue
            if described is None:
                continue
            status = described["FlowDefinitionStatus"]
            if status == "Active":
                return str(described["FlowDefinitionArn"])
            if status == "Failed":
                reason = described.get("FailureReason", "AWS gives no reason")
                message = f"{name} failed: {reason}"
                raise FlowDefinitionRefusedError(message, operation="CreateFlowDefinition", is_ours=True)
        raise self._out_of_time("CreateFlowDefinition", f"{name} is {status}", is_ours=True)

    def _wait_until_gone(self, name: str) -> None:
        """A name is free again only when its deletion is over."""
        for _ in self._tries():
            try:
                described = self._describe(name)
            except (RetryableError, AmbiguousError):
                continue
            if described is None or described["FlowDefinitionStatus"] != "Deleting":
                return
        raise self._out_of_time("CreateFlowDefinition", f"an older {name} is being deleted", is_ours=False)

    def _refuse_open_loops(self, name: str, arn: str) -> None:
        count = sum(1 for status in self._loop_statuses(arn) if status in _OPEN)
        if count:
            message = (
                f"{name} has {count} open human loop{'s' if count > 1 else ''}: let reviewers finish, then "
                "delete again; or set OnDelete to drain, which stops the loops that nobody has begun"
            )
            raise FlowDefinitionRefusedError(message, operation="DeleteFlowDefinition", is_ours=True)

    def _loop_statuses(self, arn: str) -> Iterator[str]:
        request = {"FlowDefinitionArn": arn, "MaxResults": 100}
        while True:
            with calling("ListHumanLoops"):
                page = self._a2i.list_human_loops(**request)
            yield from (summary["HumanLoopStatus"] for summary in page["HumanLoopSummaries"])
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _describe(self, name: str) -> dict[str, Any] | None:
        with calling("DescribeFlowDefinition"):
            try:
                described: dict[str, Any] = self._sagemaker.describe_flow_definition(FlowDefinitionName=name)
            except ClientError as error:
                if error_code(error) in _NOT_FOUND:
                    return None
                raise
        return described

    def _tries(self) -> Iterator[float]:
        """Seconds waited so far, one turn after another with growing pauses, until the budget is used up."""
        pause_s, waited_s = POLL_FIRST_S, 0.0
        yield waited_s
        while self._budget_s() > pause_s:
            self._sleep(pause_s)
            waited_s += pause_s
            pause_s = min(POLL_LONGEST_S, 2 * pause_s)
            yield waited_s

    def _out_of_time(self, operation: str, what: str, *, is_ours: bool) -> FlowDefinitionRefusedError:
        return FlowDefinitionRefusedError(f"out of time: {what}", operation=operation, is_ours=is_ours)


def _contains(described: Any, wanted: Any) -> bool:
    """Whether everything wanted stands in what is described, which may hold defaults besides."""
    if isinstance(wanted, Mapping):
        return isinstance(described, Mapping) and all(
            key in described and _contains(described[key], value) for key, value in wanted.items()
        )
    return bool(described == wanted)
