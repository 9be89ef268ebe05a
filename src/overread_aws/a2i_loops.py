"""Human loops of Amazon A2I, and of the review service, which speaks the same API."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from overread.errors import FlowDefinitionGoneError, NameTakenError
from overread.review.limits import CONTENT_CLASSIFIER_NO_PERSONAL_DATA
from overread.review.wire import HumanLoop, LoopStatus
from overread_aws.failures import calling, error_code, error_message

_NOT_FOUND = {"ResourceNotFound", "ResourceNotFoundException"}
_ENDED = {LoopStatus.COMPLETED, LoopStatus.FAILED, LoopStatus.STOPPED, LoopStatus.STOPPING}
_LIST_PAGE = 100
_FLOW_DEFINITION = re.compile(r"flow.?definition", re.IGNORECASE)
_GONE = re.compile(
    r"not exist|not found|not be found|could not find|cannot find|not active|deleting|deleted|no such",
    re.IGNORECASE,
)


class A2iLoops:
    """The port `HumanLoops`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(
        self, name: str, *, flow_definition_arn: str, input_content: bytes, free_of_personal_data: bool
    ) -> None:
        """Starts the loop; with the same name and content again it stays one.

        Raises:
            NameTakenError: the name is in use with other content.
            FlowDefinitionGoneError: the flow definition does not exist any more.
        """
        request: dict[str, Any] = {
            "HumanLoopName": name,
            "FlowDefinitionArn": flow_definition_arn,
            "HumanLoopInput": {"InputContent": input_content.decode()},
        }
        if free_of_personal_data:
            request["DataAttributes"] = {"ContentClassifiers": [CONTENT_CLASSIFIER_NO_PERSONAL_DATA]}
        operation = "StartHumanLoop"
        with calling(operation):
            try:
                self._client.start_human_loop(**request)
            except ClientError as error:
                code, message = error_code(error), error_message(error)
                if code == "ConflictException":
                    raise NameTakenError(code, operation=operation, message=message) from error
                if code in _NOT_FOUND or (_FLOW_DEFINITION.search(message) and _GONE.search(message)):
                    raise FlowDefinitionGoneError(code, operation=operation, message=message) from error
                raise

    def describe(self, name: str) -> HumanLoop | None:
        """The loop as it stands, None when there is none."""
        with calling("DescribeHumanLoop"):
            try:
                reply = self._client.describe_human_loop(HumanLoopName=name)
            except ClientError as error:
                if error_code(error) in _NOT_FOUND:
                    return None
                raise
        return HumanLoop(
            name=reply["HumanLoopName"],
            arn=reply["HumanLoopArn"],
            flow_definition_arn=reply["FlowDefinitionArn"],
            status=reply["HumanLoopStatus"],
            output_uri=reply.get("HumanLoopOutput", {}).get("OutputS3Uri", ""),
            failure_code=reply.get("FailureCode", ""),
            failure_reason=reply.get("FailureReason", ""),
        )

    def stop(self, name: str) -> None:
        """Asks for the loop's end; one that ended, or never was, stays as it is.

        People who have begun may still answer: only `describe` tells that the loop has ended.
        """
        with calling("StopHumanLoop"):
            try:
                self._client.stop_human_loop(HumanLoopName=name)
            except ClientError as error:
                if error_code(error) in _NOT_FOUND:
                    return
                # Ended meanwhile, says the service in its own words, under the code of any bad request.
                if error_code(error) != "ValidationException" or not self._has_ended(name):
                    raise

    def names(self, flow_definition_arn: str) -> Iterator[str]:
        """The names of the flow definition's loops that are in progress; oldest first.

        Of a flow definition that is gone there are none to be seen.
        """
        request: dict[str, Any] = {
            "FlowDefinitionArn": flow_definition_arn,
            "SortOrder": "Ascending",
            "MaxResults": _LIST_PAGE,
        }
        while True:
            page = self._page(request)
            for loop in page["HumanLoopSummaries"]:
                if loop["HumanLoopStatus"] == LoopStatus.IN_PROGRESS:
                    yield loop["HumanLoopName"]
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _has_ended(self, name: str) -> bool:
        loop = self.describe(name)
        return loop is None or loop.status in _ENDED

    def _page(self, request: dict[str, Any]) -> dict[str, Any]:
        with calling("ListHumanLoops"):
            try:
                page: dict[str, Any] = self._client.list_human_loops(**request)
            except ClientError as error:
                if error_code(error) in _NOT_FOUND:
                    return {"HumanLoopSummaries": []}
                raise
        return page
