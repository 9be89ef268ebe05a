"""What differs between deployments of the review service."""

from __future__ import annotations

import re
from dataclasses import dataclass

from overread_review.service.errors import RequestInvalidError
from overread_review.service.model import ResourceKind


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """One account and region; `status_lag_s` is how long resources take to become active or to vanish."""

    account: str
    region: str
    status_lag_s: float = 0.5
    partition: str = "aws"
    portal_host: str = "localhost"
    read_url_s: int = 900

    def arn(self, path: str) -> str:
        """The ARN of a SageMaker resource of this account and region."""
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{path}"

    def own_name(self, arn: str, *, kind: ResourceKind) -> str:
        """The name inside an ARN of this account and region.

        Raises:
            RequestInvalidError: the ARN is of another kind, account or region.
        """
        expected = self.arn(f"{kind}/")
        name = arn.removeprefix(expected)
        if name == arn or not re.fullmatch(r"[A-Za-z0-9-]+(/[A-Za-z0-9-]+)?", name):
            raise RequestInvalidError(
                f"Invalid ARN '{arn}': expected {expected}NAME of this account and region"
            )
        return name
