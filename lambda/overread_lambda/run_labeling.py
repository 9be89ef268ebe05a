"""Steps of a labeling run that talk to labeling jobs: start one, watch it. Repeated, they do nothing twice.

What a state machine retries or catches has names of its own here: those of SDKs differ between services. A
job's name comes from its run, step and round, so that a name that is taken is the job that this step made.
"""

import os
from collections.abc import Mapping
from typing import Any

from overread.errors import AmbiguousError, InvalidDataError, OverreadError, PermanentError, RetryableError
from overread.labeling.jobs import JOB_NAME
from overread.labeling.runs.job_watch import watched
from overread_aws.failures import calling
from overread_lambda.backend_clients import make_sagemaker_client
from overread_lambda.entry import entry

_TAKEN = "ResourceInUse"


class LabelingRunRetryable(OverreadError):  # noqa: N818 - the name is the state machine's
    """Nothing was decided: the step may be done again."""


class JobRefused(OverreadError):  # noqa: N818 - the name is the state machine's
    """The service refused a call, which another try would not change."""


@entry(LabelingRunRetryable, JobRefused)
def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """What Step Functions calls: `{"step": "start", "request": …}` or `{"step": "watch", "job": …}`."""
    return run_step(event, sagemaker=make_sagemaker_client(os.environ))


def run_step(event: Mapping[str, Any], *, sagemaker: Any) -> dict[str, Any]:
    """Does the step that the event names.

    Raises:
        LabelingRunRetryable: throttled, or nobody knows whether it was done.
        JobRefused: the service refused it.
        InvalidDataError: the event names no step, or no job.
    """
    try:
        match event.get("step"):
            case "start":
                return _start(event.get("request"), sagemaker=sagemaker)
            case "watch":
                return _watch(event.get("job"), sagemaker=sagemaker)
            case other:
                raise InvalidDataError([f"step must be start or watch, got {other!r}"])
    except (RetryableError, AmbiguousError) as error:
        raise LabelingRunRetryable(f"{error.operation}: {error.code}") from None
    except PermanentError as error:
        raise JobRefused(f"{error.operation}: {error.code}") from None


def _start(request: Any, *, sagemaker: Any) -> dict[str, Any]:
    name = _named(request.get("LabelingJobName") if isinstance(request, Mapping) else None)
    try:
        with calling("CreateLabelingJob"):
            sagemaker.create_labeling_job(**request)
    except PermanentError as error:
        if error.code != _TAKEN:
            raise
    return {"job": name}


def _watch(job: Any, *, sagemaker: Any) -> dict[str, Any]:
    name = _named(job)
    with calling("DescribeLabelingJob"):
        found = watched(sagemaker.describe_labeling_job(LabelingJobName=name))
    return {
        "job": name,
        "outcome": found.outcome.value,
        "labeled": found.labeled,
        "failed": found.failed,
        "left": found.left,
        "output_uri": found.output_uri,
    }


def _named(name: Any) -> str:
    if not isinstance(name, str) or not JOB_NAME.allows(name):
        raise InvalidDataError([f"job must have a name of {JOB_NAME}, got {name!r}"])
    return name
