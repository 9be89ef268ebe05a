"""What the review service's functions read from their environment, typed, with all faults at once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

from overread.errors import MissingSettingsError, OverreadError
from overread_review.service.settings import ServiceSettings, VendorTeam

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""What fits, in base64, into the 6 MB that a function takes."""
_STATISTICS = ("off", "pseudonymous", "named")
_PROVIDER_TEXTS = ("id", "title", "issuer", "client_id", "groups_claim")
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_T = TypeVar("_T")


class ReviewSettingsError(OverreadError):
    """A variable says something that cannot be meant."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to sign in; `user_pool_id` is empty unless it is this deployment's own Cognito pool.

    `client_secret_arn` is empty for a public client, which proves itself by PKCE alone.
    """

    id: str
    title: str
    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    logout_endpoint: str
    groups_claim: str
    client_secret_arn: str
    user_pool_id: str


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """Settings of `review_sign_in`, and what `review_service` knows of signing in."""

    portal_url: str
    session_secret: str
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """Settings of `review_service` and `sweep_reviews`; shares of events by which chaos is made."""

    table: str
    bucket: str
    bus: str
    service: ServiceSettings
    sign_in: SignInSettings
    chaos_duplicate: float
    chaos_delay: float


def sign_in_settings(environ: Mapping[str, str]) -> SignInSettings:
    """The settings of `review_sign_in`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
        ReviewSettingsError: a variable cannot be read; all of them together.
    """
    faults: list[str] = []
    settings = _sign_in(environ, faults=faults)
    _raise(faults)
    return settings


def review_settings(environ: Mapping[str, str]) -> ReviewSettings:
    """The settings of `review_service` and `sweep_reviews`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
        ReviewSettingsError: a variable cannot be read; all of them together.
    """
    table, bucket, bus, text = _required(
        environ,
        *("OVERREAD_REVIEW_TABLE", "OVERREAD_REVIEW_BUCKET", "OVERREAD_REVIEW_BUS"),
        *("OVERREAD_REVIEW_SETTINGS", "OVERREAD_PORTAL_URL", "OVERREAD_SESSION_SECRET", "OVERREAD_IDENTITY"),
    )[:4]
    faults: list[str] = []
    sign_in = _sign_in(environ, faults=faults)
    members = _Members(_object(text, name="OVERREAD_REVIEW_SETTINGS", faults=faults), faults=faults)
    chaos = _Members(members.value("chaos", dict, {}), faults=faults, path="chaos.")
    statistics = members.value("statistics", str, "off")
    if statistics not in _STATISTICS:
        faults.append(f"statistics must be one of {', '.join(_STATISTICS)}, got {statistics!r}")
    partition, region, account = _place(sign_in.session_secret, faults=faults)
    service = ServiceSettings(
        account=account,
        region=region,
        partition=partition,
        portal_host=urlsplit(sign_in.portal_url).netloc,
        portal_url=sign_in.portal_url,
        max_answer_bytes=MAX_ANSWER_BYTES,
        lead_groups=frozenset(members.texts("lead_groups", ["leads"])),
        statistics=cast(Literal["off", "pseudonymous", "named"], statistics),
        sandbox=members.value("sandbox", bool, False),
        vendor_teams=tuple(_vendor_teams(members, faults=faults)),
    )
    duplicate, delay = chaos.share("duplicate"), chaos.share("delay")
    _raise(faults)
    return ReviewSettings(
        table=table,
        bucket=bucket,
        bus=bus,
        service=service,
        sign_in=sign_in,
        chaos_duplicate=duplicate,
        chaos_delay=delay,
    )


class _Members:
    """Members of a JSON object, each with a type; faults are collected, defaults stand in for them."""

    def __init__(self, document: Mapping[str, Any], *, faults: list[str], path: str = "") -> None:
        self._document = document
        self._faults = faults
        self._path = path

    def value(self, name: str, kind: type, default: Any) -> Any:
        """The member, or `default` when it is absent or of another type."""
        found = self._document.get(name, default)
        return found if self._holds(isinstance(found, kind), name, kind.__name__, found) else default

    def texts(self, name: str, default: list[str]) -> list[str]:
        """A list of texts."""
        found = self._document.get(name, default)
        is_list = isinstance(found, list) and all(isinstance(one, str) for one in found)
        return found if self._holds(is_list, name, "a list of texts", found) else default

    def share(self, name: str) -> float:
        """A number from 0 to 1; absent is 0."""
        found = self._document.get(name, 0)
        is_share = isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= 1
        return float(found) if self._holds(is_share, name, "a share from 0 to 1", found) else 0.0

    def _holds(self, holds: bool, name: str, what: str, found: object) -> bool:
        if not holds:
            self._faults.append(f"{self._path}{name} must be {what}, got {found!r}")
        return holds


def _sign_in(environ: Mapping[str, str], *, faults: list[str]) -> SignInSettings:
    url, secret, identity = _required(
        environ, "OVERREAD_PORTAL_URL", "OVERREAD_SESSION_SECRET", "OVERREAD_IDENTITY"
    )
    if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).netloc:
        faults.append(f"OVERREAD_PORTAL_URL must be an http(s) address, got {url!r}")
    given = _object(identity, name="OVERREAD_IDENTITY", faults=faults).get("providers")
    if not isinstance(given, list) or not given:
        faults.append(f"OVERREAD_IDENTITY must have a list of providers, got {given!r}")
        given = []
    providers = tuple(_each(given, _provider, name="providers", faults=faults))
    return SignInSettings(portal_url=url.rstrip("/"), session_secret=secret, providers=providers)


def _provider(document: Mapping[str, Any], *, path: str, faults: list[str]) -> Provider:
    for name in _PROVIDER_TEXTS:
        if not isinstance(document.get(name), str) or not document[name]:
            faults.append(f"{path}.{name} must be a text, got {document.get(name)!r}")
    for name in _ENDPOINTS:
        if not str(document.get(name, "")).startswith(("https://", "http://")):
            faults.append(f"{path}.{name} must be an http(s) address, got {document.get(name)!r}")
    names = (*_PROVIDER_TEXTS, *_ENDPOINTS, "logout_endpoint", "client_secret_arn", "user_pool_id")
    return Provider(**{name: str(document.get(name) or "") for name in names})


def _vendor_teams(members: _Members, *, faults: list[str]) -> list[VendorTeam]:
    def vendor_team(document: Mapping[str, Any], *, path: str, faults: list[str]) -> VendorTeam:
        names = ("name", "title", "seller", "provider")
        for name in names:
            if not isinstance(document.get(name), str) or not document[name]:
                faults.append(f"{path}.{name} must be a text, got {document.get(name)!r}")
        return VendorTeam(**{name: str(document.get(name, "")) for name in names})

    return _each(members.value("vendor_teams", list, []), vendor_team, name="vendor_teams", faults=faults)


def _each(given: list[Any], read: Callable[..., _T], *, name: str, faults: list[str]) -> list[_T]:
    found = []
    for index, one in enumerate(given):
        path = f"{name}[{index}]"
        if isinstance(one, Mapping):
            found.append(read(one, path=path, faults=faults))
        else:
            faults.append(f"{path} must be an object, got {one!r}")
    return found


def _object(text: str, *, name: str, faults: list[str]) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        faults.append(f"{name} is not JSON: {error}")
        return {}
    if not isinstance(found, dict):
        faults.append(f"{name} must be a JSON object, got {text[:80]!r}")
        return {}
    return found


def _place(secret_arn: str, *, faults: list[str]) -> tuple[str, str, str]:
    """Partition, region and account: those of the secret, which is this deployment's own."""
    parts = secret_arn.split(":")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "secretsmanager":
        faults.append(f"OVERREAD_SESSION_SECRET must be the ARN of a secret, got {secret_arn!r}")
        return "aws", "", ""
    return parts[1], parts[3], parts[4]


def _required(environ: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise MissingSettingsError(missing)
    return [environ[name] for name in names]


def _raise(faults: list[str]) -> None:
    if faults:
        raise ReviewSettingsError("; ".join(faults))
