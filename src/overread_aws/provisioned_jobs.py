"""Labeling jobs for CloudFormation, which has no type for them: create until they run, stop, never delete."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from overread.errors import AmbiguousError, RetryableError
from overread_aws.failures import RETRYABLE_CODES, calling, error_code, error_message
from overread_aws.provisioning import (
    NOT_FOUND,
    PROPAGATION_S,
    Patience,
    ProvisioningRefusedError,
    is_account_refused,
    out_of_time,
)

_ROLE_NOT_READY = re.compile(r"assume|\brole\b|not authori[sz]ed|access denied|permission", re.IGNORECASE)
_NOT_STARTED = re.compile(r"not found|does not exist|could not find|no such", re.IGNORECASE)
_RUNS = frozenset({"InProgress", "Completed"})
_ENDED = frozenset({"Failed", "Stopping", "Stopped"})
_CREATE = "CreateLabelingJob"
_ADVICE = (
    "Amazon SageMaker Ground Truth refuses this account: the service is closed to new customers. "
    "Deploy with labeling.backend overread instead. AWS says: "
)


class ProvisionedJobs:
    """Creates and stops labeling jobs, and keeps their tags."""

    def __init__(self, sagemaker: Any, *, patience: Patience) -> None:
        self._sagemaker = sagemaker
        self._patience = patience

    def create(self, requests: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
        """Name and ARN of the job once it runs. `requests`: the same job under names to try, in order.

        A job of that name that runs, or has completed, will do; one that was stopped or failed has used its
        name up for ever, and the next name is tried.

        Raises:
            ProvisioningRefusedError: AWS refused it, it failed, no name is left, or time was up.
        """
        tried = ""
        for request in requests:
            tried = str(request["LabelingJobName"])
            if self._is_used_up(tried) or not self._request(request):
                continue
            return tried, self._wait_until_running(tried)
        message = f"{tried}: this very job was made and stopped too often: no name for it is left"
        raise ProvisioningRefusedError(message, operation=_CREATE, is_ours=False)

    def arn_of(self, name: str) -> str:
        """The ARN of the job; empty when there is none."""
        described = self._describe(name)
        return "" if described is None else str(described["LabelingJobArn"])

    def stop(self, name: str) -> None:
        """Stops the job if it runs; one that ended or never was is fine. Its answers stay.

        Raises:
            ProvisioningRefusedError: it did not leave Initializing in time, or was throttled all the time.
        """
        status = "unknown"
        for _ in self._patience.tries():
            try:
                described = self._describe(name)
            except (RetryableError, AmbiguousError) as error:
                status = error.code
                continue
            status = "" if described is None else str(described["LabelingJobStatus"])
            if status not in ("Initializing", "InProgress"):
                return
            if status == "InProgress" and self._stop(name):
                return
        raise out_of_time(f"{name} is {status}", operation="StopLabelingJob", is_ours=True)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Gives the job these tags; those that it had besides go, but for CloudFormation's."""
        with calling("ListTags"):
            listed = [
                one["Key"]
                for page in self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
                for one in page["Tags"]
            ]
        gone = [key for key in listed if key not in tags and not key.startswith("aws:")]
        if gone:
            with calling("DeleteTags"):
                self._sagemaker.delete_tags(ResourceArn=arn, TagKeys=gone)
        if tags:
            with calling("AddTags"):
                self._sagemaker.add_tags(
                    ResourceArn=arn,
                    Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
                )

    def _is_used_up(self, name: str) -> bool:
        described = self._describe(name)
        return described is not None and described["LabelingJobStatus"] in _ENDED

    def _request(self, request: Mapping[str, Any]) -> bool:
        """CreateLabelingJob, repeated while throttled or while the new role is unknown somewhere.

        False: the name is taken by a job that ended meanwhile, or cannot be seen.
        """
        name, last = str(request["LabelingJobName"]), "throttled all the time"
        with calling(_CREATE):
            for waited_s in self._patience.tries():
                try:
                    self._sagemaker.create_labeling_job(**request)
                    return True
                except ClientError as error:
                    code, last = error_code(error), error_message(error)
                    if code == "ResourceInUse":
                        described = self._describe(name)
                        return described is not None and described["LabelingJobStatus"] not in _ENDED
                    if code not in RETRYABLE_CODES:
                        is_role = code == "ValidationException" and _ROLE_NOT_READY.search(last)
                        if not is_role or waited_s >= PROPAGATION_S or is_account_refused(error):
                            raise _refusal(error, name=name) from error
        raise out_of_time(last, operation=_CREATE, is_ours=False)

    def _wait_until_running(self, name: str) -> str:
        status = "unknown"
        for _ in self._patience.tries():
            try:
                described = self._describe(name)
            except (RetryableError, AmbiguousError) as error:
                status = error.code
                continue
            if described is None:
                continue
            status = str(described["LabelingJobStatus"])
            if status in _RUNS:
                return str(described["LabelingJobArn"])
            if status in _ENDED:
                reason = described.get("FailureReason") or "without a reason"
                message = f"{name} is {status}: {reason}"
                raise ProvisioningRefusedError(message, operation=_CREATE, is_ours=True)
        raise out_of_time(f"{name} is {status}", operation=_CREATE, is_ours=True)

    def _stop(self, name: str) -> bool:
        """Whether the job is told to stop, or is none; a throttled call is for the next turn."""
        with calling("StopLabelingJob"):
            try:
                self._sagemaker.stop_labeling_job(LabelingJobName=name)
            except ClientError as error:
                if error_code(error) in RETRYABLE_CODES:
                    return False
                if not _is_not_found(error):
                    raise
        return True

    def _describe(self, name: str) -> dict[str, Any] | None:
        with calling("DescribeLabelingJob"):
            try:
                described: dict[str, Any] = self._sagemaker.describe_labeling_job(LabelingJobName=name)
            except ClientError as error:
                if _is_not_found(error):
                    return None
                raise
        return described


def _is_not_found(error: ClientError) -> bool:
    if error_code(error) in NOT_FOUND:
        return True
    return error_code(error) == "ValidationException" and bool(_NOT_STARTED.search(error_message(error)))


def _refusal(error: ClientError, *, name: str) -> ProvisioningRefusedError:
    message = error_message(error)
    text = _ADVICE + message if is_account_refused(error) else f"{name}: {error_code(error)}: {message}"
    return ProvisioningRefusedError(text, operation=_CREATE, is_ours=False)
