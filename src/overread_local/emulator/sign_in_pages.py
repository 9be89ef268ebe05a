"""Cognito's sign-in pages lead back to programs that the emulator runs, and invited people get passwords."""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cognito

from overread_local.addresses import Localised

_LISTS = ("CallbackURLs", "LogoutURLs")
Reply = tuple[int, dict[str, str], bytes]
Call = Callable[[dict[str, Any]], Reply]


def install(*, localised: Localised) -> None:
    """Makes app clients accept the local form of each address that they name, beside the one on AWS."""
    cognito._create_user_pool_client = _accepting(cognito._create_user_pool_client, localised=localised)
    cognito._update_user_pool_client = _accepting(cognito._update_user_pool_client, localised=localised)
    cognito._generate_temp_password = _longer(cognito._generate_temp_password)


def _accepting(call: Call, *, localised: Localised) -> Call:
    def accepting(data: Mapping[str, Any]) -> Reply:
        return call({**data, **{name: _both(data[name], localised) for name in _LISTS if name in data}})

    return accepting


def _longer(generate: Callable[[], str]) -> Callable[[], str]:
    """Temporary passwords of 24 characters: ministack's of 12 break the policies of stricter pools."""
    return lambda: generate() + generate()


def _both(addresses: list[str], localised: Localised) -> list[str]:
    return list(dict.fromkeys([*addresses, *map(localised, addresses)]))
