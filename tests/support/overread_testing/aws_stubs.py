"""botocore clients that answer from a script and fail on every call that is not in it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client and its script; at the end every scripted call must have been made."""
    client = botocore.session.get_session().create_client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def body_of(content: bytes) -> StreamingBody:
    """A reply's body as botocore streams it."""
    return StreamingBody(io.BytesIO(content), len(content))
