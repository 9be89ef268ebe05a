"""Flow definitions for CloudFormation, which has no type for them: create until active, delete with care."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from overread.errors import AmbiguousError, PermanentError, RetryableError
from overread_aws.failures import RETRYABLE_CODES, calling, error_code, error_message
from overread_aws.provisioning import (
    ACCESS_DENIED,
    NOT_FOUND,
    PROPAGATION_S,
    Patience,
    ProvisioningRefusedError,
    delete_unless_gone,
    is_account_refused,
    out_of_time,
    refusal,
)

_ROLE_NOT_READY = re.compile(r"assume|\brole\b|not authori[sz]ed|access denied|permission", re.IGNORECASE)
_OPEN = {"InProgress", "Stopping"}


class FlowDefinitions:
    """Creates and deletes flow definitions."""

    def __init__(self, sagemaker: Any, a2i: Any, *, patience: Patience) -> None:
        self._sagemaker = sagemaker
        self._a2i = a2i
        self._patience = patience

    def create(self, definition: Mapping[str, Any]) -> str:
        """The ARN of the flow definition once it is active. One that exists already and is the same will do.

        Raises:
            ProvisioningRefusedError: AWS refused it, it failed, or it did not become active in time.
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
            ProvisioningRefusedError: human loops are open and `drain` is false.
        """
        described = self._describe(name)
        if described is None or described["FlowDefinitionStatus"] == "Deleting":
            return
        if not drain:
            self._refuse_open_loops(name, str(described["FlowDefinitionArn"]))
        delete_unless_gone(
            lambda: self._sagemaker.delete_flow_definition(FlowDefinitionName=name),
            operation="DeleteFlowDefinition",
            patience=self._patience,
        )

    def _request(self, definition: Mapping[str, Any]) -> None:
        """CreateFlowDefinition, repeated only while throttled or while the new role is unknown somewhere."""
        operation = "CreateFlowDefinition"
        name = definition["FlowDefinitionName"]
        last = "throttled all the time"
        with calling(operation):
            for waited_s in self._patience.tries():
                try:
                    self._sagemaker.create_flow_definition(**definition)
                    return
                except ClientError as error:
                    code, last = error_code(error), error_message(error)
                    if code == "ResourceInUse":
                        self._refuse_foreign(definition)
                        return
                    if code not in RETRYABLE_CODES:
                        is_role = code == "ValidationException" and _ROLE_NOT_READY.search(last)
                        if not is_role or waited_s >= PROPAGATION_S or is_account_refused(error):
                            raise refusal(error, name=name, operation=operation) from error
        raise out_of_time(last, operation=operation, is_ours=False)

    def _refuse_foreign(self, definition: Mapping[str, Any]) -> None:
        name = definition["FlowDefinitionName"]
        described = self._describe(name)
        wanted = {key: value for key, value in definition.items() if key != "Tags"}
        if described is None or not _contains(described, wanted):
            message = f"the name {name} is in use by another flow definition"
            raise ProvisioningRefusedError(message, operation="CreateFlowDefinition", is_ours=False)

    def _wait_until_active(self, name: str) -> str:
        status = "unknown"
        for _ in self._patience.tries():
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
                raise ProvisioningRefusedError(message, operation="CreateFlowDefinition", is_ours=True)
        raise out_of_time(f"{name} is {status}", operation="CreateFlowDefinition", is_ours=True)

    def _wait_until_gone(self, name: str) -> None:
        """A name is free again only when its deletion is over."""
        for waited_s in self._patience.tries():
            try:
                described = self._describe(name)
            except (RetryableError, AmbiguousError):
                continue
            except PermanentError as error:
                # The policy that allows it is as new: IAM may not know it everywhere yet.
                if error.code != ACCESS_DENIED or waited_s >= PROPAGATION_S:
                    raise
                continue
            if described is None or described["FlowDefinitionStatus"] != "Deleting":
                return
        raise out_of_time(
            f"an older {name} is being deleted", operation="CreateFlowDefinition", is_ours=False
        )

    def _refuse_open_loops(self, name: str, arn: str) -> None:
        count = sum(1 for status in self._loop_statuses(arn) if status in _OPEN)
        if count:
            message = (
                f"{name} has {count} open human loop{'s' if count > 1 else ''}: let reviewers finish, then "
                "delete again; or set OnDelete to drain, which stops the loops that nobody has begun"
            )
            raise ProvisioningRefusedError(message, operation="DeleteFlowDefinition", is_ours=True)

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
                if error_code(error) in NOT_FOUND:
                    return None
                raise
        return described


def _contains(described: Any, wanted: Any) -> bool:
    """Whether everything wanted stands in what is described, which may hold defaults besides."""
    if isinstance(wanted, Mapping):
        return isinstance(described, Mapping) and all(
            key in described and _contains(described[key], value) for key, value in wanted.items()
        )
    return bool(described == wanted)
