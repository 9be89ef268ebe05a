"""AWS addresses as name resolution would lead to them here: to the emulator's address for the same thing."""

import re
from collections.abc import Callable

_STAGE = re.compile(
    r"https://(?P<api>[a-z0-9]+)(?:-vpce-[a-z0-9]+)?\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
    r"/(?P<stage>[\w-]+)"
)
_SIGN_IN = re.compile(r"https://[a-z0-9-]+\.auth(?:-fips)?\.[a-z0-9-]+\.amazoncognito\.com")
_KEYS = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?(?P<path>/[\w-]+/\.well-known/)")

Localised = Callable[[str], str]


def stage_address(emulator_url: str, *, api_id: str, stage: str) -> str:
    """The emulator's address of a deployed REST API's stage."""
    return f"{emulator_url}/_aws/execute-api/{api_id}/{stage}"


def localised(text: str, *, emulator_url: str) -> str:
    """`text` with the addresses in it that the emulator serves: API stages, sign-in pages, token keys.

    A user pool's issuer is a name, which tokens repeat, and stays as it is.
    """
    text = _STAGE.sub(
        lambda found: stage_address(emulator_url, api_id=found["api"], stage=found["stage"]), text
    )
    return _KEYS.sub(lambda found: emulator_url + found["path"], _SIGN_IN.sub(emulator_url, text))
