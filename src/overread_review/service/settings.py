"""What differs between deployments of the review service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from overread_review.service.errors import RequestInvalidError
from overread_review.service.model import ResourceKind

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class VendorTeam:
    """A company whose people review: exactly those who sign in with the identity provider `provider`."""

    name: str
    title: str
    seller: str
    provider: str


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """One account and region; `status_lag_s` is how long resources take to become active or to vanish.

    A claim's deadline moves by its pauses, `max_pause_s` at most. `lead_groups` make a reviewer a lead.
    `statistics` are figures about single people: none, under pseudonyms, or by name.
    """

    account: str
    region: str
    status_lag_s: float = 0.5
    partition: str = "aws"
    portal_host: str = "localhost"
    portal_url: str = ""
    read_url_s: int = 900
    max_pause_s: int = 3600
    max_answer_bytes: int = 6 * _MEBIBYTE
    lead_groups: frozenset[str] = frozenset({"leads"})
    statistics: Literal["off", "pseudonymous", "named"] = "off"
    sandbox: bool = False
    vendor_teams: tuple[VendorTeam, ...] = ()

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
