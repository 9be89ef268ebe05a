"""Steps of a labeling run: done twice they make one job, and fail under names of the run's own."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from overread.errors import InvalidDataError
from overread_lambda.run_labeling import JobRefused, LabelingRunRetryable, run_step

START = {"step": "start", "request": {"LabelingJobName": "cats-label-1"}}
WATCH = {"step": "watch", "job": "cats-label-1"}


class Jobs:
    """Labeling jobs as SageMaker keeps them: a name is taken for ever. `fails`: errors to raise, in order."""

    def __init__(self, *fails: Exception, is_made_first: bool = False) -> None:
        self.made: list[str] = []
        self._fails = list(fails)
        self._is_made_first = is_made_first

    def create_labeling_job(self, **request: Any) -> None:
        name = request["LabelingJobName"]
        if name in self.made:
            raise refusal("ResourceInUse")
        if self._is_made_first:
            self.made.append(name)
        if self._fails:
            raise self._fails.pop(0)
        self.made.append(name)

    def describe_labeling_job(self, **request: Any) -> dict[str, Any]:
        if self._fails:
            raise self._fails.pop(0)
        if request["LabelingJobName"] not in self.made:
            raise refusal("ResourceNotFound")
        return {
            "LabelingJobStatus": "Completed",
            "LabelCounters": {"TotalLabeled": 8, "FailedNonRetryableError": 2, "Unlabeled": 1},
            "LabelingJobOutput": {"OutputDatasetS3Uri": "s3://bucket/out"},
        }


def refusal(code: str, *, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Op",
    )


def test_a_start_done_twice_makes_one_job() -> None:
    jobs = Jobs()
    assert run_step(START, sagemaker=jobs) == run_step(START, sagemaker=jobs) == {"job": "cats-label-1"}
    assert jobs.made == ["cats-label-1"]


def test_a_start_whose_answer_was_lost_is_done_again_and_finds_its_job() -> None:
    jobs = Jobs(ReadTimeoutError(endpoint_url="https://sagemaker"), is_made_first=True)
    with pytest.raises(LabelingRunRetryable):
        run_step(START, sagemaker=jobs)
    assert run_step(START, sagemaker=jobs) == {"job": "cats-label-1"}
    assert jobs.made == ["cats-label-1"]


@pytest.mark.parametrize("event", [START, WATCH])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refusal("ThrottlingException"), LabelingRunRetryable),
        (refusal("InternalFailure", status=500), LabelingRunRetryable),
        (refusal("ValidationException"), JobRefused),
    ],
)
def test_services_fail_under_the_runs_own_names_and_without_their_words(
    event: dict[str, Any], error: Exception, told: type[Exception]
) -> None:
    with pytest.raises(told) as raised:
        run_step(event, sagemaker=Jobs(error))
    assert "words" not in str(raised.value)


def test_a_watched_job_is_told_with_what_a_follow_up_needs() -> None:
    jobs = Jobs()
    run_step(START, sagemaker=jobs)
    told = run_step(WATCH, sagemaker=jobs)
    assert told == run_step(WATCH, sagemaker=jobs)
    assert told == {
        "job": "cats-label-1",
        "outcome": "DONE_WITH_FAILURES",
        "labeled": 8,
        "failed": 2,
        "left": 1,
        "output_uri": "s3://bucket/out",
    }


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"step": "other"},
        {"step": "start"},
        {"step": "start", "request": {}},
        {"step": "watch", "job": "a b"},
    ],
)
def test_an_event_without_step_or_job_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidDataError):
        run_step(event, sagemaker=Jobs())
