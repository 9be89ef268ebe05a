"""Clients of whatever serves human review: Amazon A2I, or the review service where its address is set."""

from collections.abc import Mapping
from typing import Any

from overread_aws.clients import client_config, make_client, make_session
from overread_client import a2i_client, sagemaker_client

REVIEW_URL = "OVERREAD_REVIEW_URL"


def make_a2i_client(environ: Mapping[str, str], *, read_timeout_s: float = 5.0, attempts: int = 3) -> Any:
    """A `sagemaker-a2i-runtime` client that gives up in bounded time."""
    config = client_config(read_timeout_s=read_timeout_s, attempts=attempts)
    if url := environ.get(REVIEW_URL):
        return a2i_client(url, session=make_session(), config=config)
    return make_client("sagemaker-a2i-runtime", read_timeout_s=read_timeout_s, attempts=attempts)


def make_sagemaker_client(
    environ: Mapping[str, str], *, read_timeout_s: float = 5.0, attempts: int = 3
) -> Any:
    """A `sagemaker` client that gives up in bounded time."""
    config = client_config(read_timeout_s=read_timeout_s, attempts=attempts)
    if url := environ.get(REVIEW_URL):
        return sagemaker_client(url, session=make_session(), config=config)
    return make_client("sagemaker", read_timeout_s=read_timeout_s, attempts=attempts)
