"""How a value becomes text in a worker's page: objects as JSON, everything else HTML-escaped exactly once."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence

from liquid.undefined import is_undefined

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_BARE_AMPERSAND = re.compile(r"&(?!(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_SCRIPT_SAFE = str.maketrans(
    {
        "<": r"\u003c",
        ">": r"\u003e",
        "&": r"\u0026",
        "'": r"\u0027",
        "\u2028": r"\u2028",
        "\u2029": r"\u2029",
    }
)


class EscapedText(str):
    """Text that an escape filter or a capture block has already escaped."""

    __slots__ = ()


class JsonText(str):
    """Text that `to_json` made; every `<` in it stands inside a JSON string."""

    __slots__ = ()


class RawText(str):
    """Text whose author asked for no escaping."""

    __slots__ = ()


def to_text(value: object) -> str:
    """The text of a Liquid value: objects and arrays as compact JSON, nothing for null and undefined."""
    if isinstance(value, str):
        return value
    if value is None or is_undefined(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, bytes)):
        return to_json(value)
    return str(value)


def to_json(value: object) -> JsonText:
    """Compact JSON of any Liquid value; what Liquid does not define is null."""
    plain = None if is_undefined(value) else value
    return JsonText(json.dumps(plain, separators=(",", ":"), ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if value is None or is_undefined(value):
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, range):
        return list(value)
    return str(value)


def escape(text: str) -> EscapedText:
    """HTML-escape with the entities that AWS prints (`&quot;`, `&#39;`)."""
    return EscapedText(text.translate(_ESCAPES))


def escape_once(text: str) -> EscapedText:
    """HTML-escape, but leave entities as they are; a second time changes nothing."""
    without_bare = _BARE_AMPERSAND.sub("&amp;", text)
    return EscapedText(
        without_bare.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#39;")
    )


def unescape(text: str) -> str:
    """The plain text behind `text` when it was escaped, else `text` itself."""
    return html.unescape(text) if isinstance(text, EscapedText) else text


def raw(value: object) -> RawText:
    """The text of `value` as it is; JSON keeps its meaning but cannot end a script or an attribute."""
    if isinstance(value, JsonText):
        return RawText(value.translate(_SCRIPT_SAFE))
    if isinstance(value, str):
        return RawText(value)
    text = to_text(value)
    return RawText(text.translate(_SCRIPT_SAFE) if isinstance(text, JsonText) else text)


def printed(value: object, *, escaped_in_chain: bool) -> str:
    """What an output statement prints for `value`.

    `escaped_in_chain` says that an escape filter stood anywhere in the statement: text is then not escaped
    a second time, whatever filters came after it.
    """
    if isinstance(value, RawText):
        return str(value)
    text = to_text(value)
    if escaped_in_chain or isinstance(text, EscapedText):
        return str(escape_once(text))
    return str(escape(text))
