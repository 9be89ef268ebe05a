"""AWS clients, made by botocore alone: boto3 on top would cost every cold start its resource layer."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


@cache
def make_session() -> Any:
    """The one botocore session of this process."""
    return botocore.session.get_session()


def client_config(*, read_timeout_s: float = 5.0, attempts: int = 3) -> Config:
    """What makes a client give up in bounded time; `attempts` counts the first call too."""
    return Config(
        connect_timeout=2.0,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra="overread",
    )


def make_client(service: str, *, read_timeout_s: float = 5.0, attempts: int = 3) -> Any:
    """A client of `service` that gives up in bounded time; `attempts` counts the first call too."""
    config = client_config(read_timeout_s=read_timeout_s, attempts=attempts)
    if service == "dynamodb":
        # DynamoDB checks items itself, and ours are typed before: botocore's walk over every one of their
        # values would be a fifth of the router's CPU time.
        config = config.merge(Config(parameter_validation=False))
    return make_session().create_client(service, config=config)
