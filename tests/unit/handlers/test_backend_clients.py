"""Which service the functions talk to: Amazon A2I, or the review service whose address is set."""

from collections.abc import Callable
from typing import Any

import pytest

from overread_lambda.backend_clients import make_a2i_client, make_sagemaker_client

URL = "https://abc.execute-api.eu-west-1.amazonaws.com/live"
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.mark.parametrize("make", [make_a2i_client, make_sagemaker_client])
def test_with_an_address_calls_go_to_the_review_service(make: Make) -> None:
    assert make({"OVERREAD_REVIEW_URL": URL}).meta.endpoint_url == URL


@pytest.mark.parametrize(
    ("make", "host"),
    [
        (make_a2i_client, "https://a2i-runtime.sagemaker.eu-west-1.amazonaws.com"),
        (make_sagemaker_client, "https://api.sagemaker.eu-west-1.amazonaws.com"),
    ],
)
@pytest.mark.parametrize("environ", [{}, {"OVERREAD_REVIEW_URL": ""}])
def test_without_one_calls_go_to_aws(make: Make, host: str, environ: dict[str, str]) -> None:
    assert make(environ).meta.endpoint_url == host


@pytest.mark.parametrize("environ", [{}, {"OVERREAD_REVIEW_URL": URL}])
def test_both_give_up_in_bounded_time(environ: dict[str, str]) -> None:
    config = make_a2i_client(environ, read_timeout_s=7.0, attempts=1).meta.config
    assert (config.connect_timeout, config.read_timeout) == (2.0, 7.0)
    assert config.retries["total_max_attempts"] == 1
