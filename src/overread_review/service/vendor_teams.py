"""Teams of companies that review: part of the settings, each with an identity provider of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from overread_review.service.errors import RequestInvalidError
from overread_review.service.model import RESERVED_PROVIDERS
from overread_review.service.resources import decode_token, encode_token
from overread_review.service.settings import ServiceSettings, VendorTeam

_DEFAULT_PAGE = 10


class VendorTeams:
    """What AWS calls subscribed work teams."""

    def __init__(self, settings: ServiceSettings) -> None:
        for team in settings.vendor_teams:
            _check_provider(team)
        self._teams = {
            settings.arn(f"workteam/vendor-crowd/{team.name}"): team
            for team in sorted(settings.vendor_teams, key=lambda team: team.name)
        }

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeSubscribedWorkteam."""
        arn = params["WorkteamArn"]
        return {"SubscribedWorkteam": _document(arn, self.named(arn))}

    def list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListSubscribedWorkteams, by name."""
        contains, last = params.get("NameContains", ""), ""
        if token := params.get("NextToken"):
            _, last = decode_token(token)
        chosen = [
            (arn, team) for arn, team in self._teams.items() if contains in team.name and team.name > last
        ]
        size = params.get("MaxResults", _DEFAULT_PAGE)
        document: dict[str, Any] = {
            "SubscribedWorkteams": [_document(arn, team) for arn, team in chosen[:size]]
        }
        if len(chosen) > size:
            document["NextToken"] = encode_token(("", chosen[size - 1][1].name))
        return document

    def named(self, arn: str) -> VendorTeam:
        """The team of that ARN. Raises RequestInvalidError, as AWS does when there is none."""
        found = self._teams.get(arn)
        if found is None:
            raise RequestInvalidError(f"The work team {arn} does not exist")
        return found

    def arns_of(self, provider: str) -> tuple[str, ...]:
        """The teams whose people sign in with that identity provider."""
        return tuple(arn for arn, team in self._teams.items() if team.provider == provider)


def _check_provider(team: VendorTeam) -> None:
    """Keys of people begin with their provider: it must be one that nothing else begins with."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", team.provider) or team.provider in RESERVED_PROVIDERS:
        raise ValueError(
            f"the identity provider of vendor team {team.name} must be a name of lower-case letters, digits "
            f"and hyphens other than {', '.join(sorted(RESERVED_PROVIDERS))}, got {team.provider!r}"
        )


def _document(arn: str, team: VendorTeam) -> dict[str, Any]:
    return {
        "WorkteamArn": arn,
        "MarketplaceTitle": team.title,
        "SellerName": team.seller,
        "MarketplaceDescription": team.title,
        "ListingId": team.name,
    }
