"""Task UIs for CloudFormation, whose own type cannot go back to a template whose task UI was kept."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from overread.errors import AmbiguousError, RetryableError
from overread_aws.failures import RETRYABLE_CODES, calling, error_code, error_message
from overread_aws.provisioning import (
    NOT_FOUND,
    PROPAGATION_S,
    Patience,
    ProvisioningRefusedError,
    delete_unless_gone,
    is_account_refused,
    out_of_time,
    refusal,
)

DELETING_S = 120.0
"""How long a deletion waits for flow definitions that are being deleted themselves."""
_CREATE = "CreateHumanTaskUi"


class HumanTaskUis:
    """Creates or adopts task UIs, and deletes those that no flow definition shows any more.

    A task UI is named `<prefix>-<hash>`; the flow definitions that may use it begin with the same prefix.
    """

    def __init__(self, sagemaker: Any, *, patience: Patience) -> None:
        self._sagemaker = sagemaker
        self._patience = patience

    def create(self, name: str, *, content: str) -> str:
        """The ARN of the task UI; one that was kept under this name with the same content will do.

        Raises:
            ProvisioningRefusedError: AWS refused it, or the name is taken by other content.
        """
        request = {"HumanTaskUiName": name, "UiTemplate": {"Content": content}}
        last = "throttled all the time"
        with calling(_CREATE):
            for waited_s in self._patience.tries():
                try:
                    return str(self._sagemaker.create_human_task_ui(**request)["HumanTaskUiArn"])
                except ClientError as error:
                    code, last = error_code(error), error_message(error)
                    # The policy that allows it is as new as the task UI: IAM may not know it everywhere yet.
                    is_policy_new = code == "AccessDeniedException" and waited_s < PROPAGATION_S
                    is_passing = code in RETRYABLE_CODES or is_policy_new
                    if code != "ResourceInUse" and (not is_passing or is_account_refused(error)):
                        raise refusal(error, name=name, operation=_CREATE) from error
                if code == "ResourceInUse" and (arn := self._adopt(name, content=content)):
                    return arn
        raise out_of_time(f"{name}: {last}", operation=_CREATE, is_ours=False)

    def delete(self, name: str, *, content: str) -> tuple[str, ...]:
        """Deletes the task UI; gives the flow definitions for which it was kept instead.

        One that is gone already, or that has other content and so is not ours, is left alone.

        Raises:
            ProvisioningRefusedError: throttled all the time.
        """
        described = self._describe(name)
        if described is None or not _shows(described, content):
            return ()
        arn = str(described["HumanTaskUiArn"])
        if users := self._lasting_users(arn, prefix=name.rpartition("-")[0]):
            return users
        delete_unless_gone(
            lambda: self._sagemaker.delete_human_task_ui(HumanTaskUiName=name),
            operation="DeleteHumanTaskUi",
            patience=self._patience,
        )
        return ()

    def _adopt(self, name: str, *, content: str) -> str:
        """The ARN of the task UI that has the name; empty while its deletion is under way."""
        try:
            described = self._describe(name)
        except (RetryableError, AmbiguousError):
            return ""
        if described is None:
            return ""
        if not _shows(described, content):
            message = f"the name {name} is in use by a task UI with another template: delete that one first"
            raise ProvisioningRefusedError(message, operation=_CREATE, is_ours=False)
        return str(described["HumanTaskUiArn"])

    def _lasting_users(self, arn: str, *, prefix: str) -> tuple[str, ...]:
        """Flow definitions that show the task UI, once those that are being deleted have had time to go."""
        operation = "DeleteHumanTaskUi"
        users: dict[str, str] | None = None
        for waited_s in self._patience.tries():
            try:
                users = dict(self._users(arn, prefix=prefix))
            except (RetryableError, AmbiguousError):
                continue
            is_waiting_enough = waited_s >= DELETING_S
            if is_waiting_enough or any(status != "Deleting" for status in users.values()) or not users:
                break
        if users is None:
            raise out_of_time("flow definitions cannot be listed", operation=operation, is_ours=True)
        return tuple(users)

    def _users(self, arn: str, *, prefix: str) -> Iterator[tuple[str, str]]:
        """Name and status of each flow definition with the prefix that shows the task UI."""
        request: dict[str, Any] = {"MaxResults": 100}
        while True:
            with calling("ListFlowDefinitions"):
                page = self._sagemaker.list_flow_definitions(**request)
            for summary in page["FlowDefinitionSummaries"]:
                name = str(summary["FlowDefinitionName"])
                if name.rpartition("-")[0] == prefix and self._shown_by(name) == arn:
                    yield name, str(summary["FlowDefinitionStatus"])
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _shown_by(self, flow_definition: str) -> str:
        with calling("DescribeFlowDefinition"):
            try:
                found = self._sagemaker.describe_flow_definition(FlowDefinitionName=flow_definition)
            except ClientError as error:
                if error_code(error) in NOT_FOUND:
                    return ""
                raise
        return str(found.get("HumanLoopConfig", {}).get("HumanTaskUiArn", ""))

    def _describe(self, name: str) -> dict[str, Any] | None:
        """The task UI; None when there is none or it is being deleted."""
        with calling("DescribeHumanTaskUi"):
            try:
                found: dict[str, Any] = self._sagemaker.describe_human_task_ui(HumanTaskUiName=name)
            except ClientError as error:
                if error_code(error) in NOT_FOUND:
                    return None
                raise
        return None if found.get("HumanTaskUiStatus") == "Deleting" else found


def _shows(described: Mapping[str, Any], content: str) -> bool:
    digest = hashlib.sha256(content.encode()).digest()
    # The API's reference leaves the notation of the digest open.
    return described["UiTemplate"].get("ContentSha256") in {digest.hex(), b64encode(digest).decode()}
