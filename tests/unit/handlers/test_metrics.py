"""Lines of the embedded metric format, as CloudWatch reads them."""

import json
from datetime import UTC, datetime

import pytest

from overread_lambda.metrics import COUNT, SECONDS, Metric, emit, metric_line

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DONE, AGE = Metric("Done", COUNT, "what was done"), Metric("Age", SECONDS, "how old it is")


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERREAD_DEPLOYMENT", "overread-test")


def test_a_line_holds_what_cloudwatch_needs_to_make_metrics_of_it() -> None:
    line = metric_line({DONE: 2, AGE: 0.5}, deployment="d", at=AT, dimensions={"UseCase": "loan-approval"})
    assert line == {
        "_aws": {
            "Timestamp": 1772366400000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Overread",
                    "Dimensions": [["Deployment"], ["Deployment", "UseCase"]],
                    "Metrics": [{"Name": "Done", "Unit": "Count"}, {"Name": "Age", "Unit": "Seconds"}],
                }
            ],
        },
        "Deployment": "d",
        "UseCase": "loan-approval",
        "Done": 2,
        "Age": 0.5,
    }


def test_without_further_dimensions_there_is_one_set() -> None:
    (directive,) = metric_line({DONE: 1}, deployment="d", at=AT)["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Deployment"]]


def test_each_time_one_line_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    emit({DONE: 1}, at=AT)
    emit({DONE: 0, AGE: 3}, at=AT)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["Deployment"], first["Done"], second["Done"], second["Age"]) == ("overread-test", 1, 0, 3)


def test_what_cloudwatch_would_refuse_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    emit({DONE: 1, AGE: float("nan")}, at=AT)
    emit({AGE: float("inf")}, at=AT)
    (line,) = capsys.readouterr().out.splitlines()
    assert "Age" not in line


def test_nothing_is_written_without_a_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OVERREAD_DEPLOYMENT")
    emit({DONE: 1}, at=AT)
    assert capsys.readouterr().out == ""
