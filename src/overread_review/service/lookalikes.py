"""Chances and names under a secret of the deployment: always the same for the same words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import string
from collections.abc import Iterator

_SEPARATOR = "\x1f"
_RUN = re.compile(r"[A-Za-z0-9]+")
_HEX = string.digits + "abcdef"
_BASE32 = string.ascii_lowercase + "234567"
_KINDS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_MIXED = "".join(_KINDS)
_FEWEST = 1000
_NAME_LENGTH = 26


class KeyedChance:
    """Draws that only the owner of the secret can foretell."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def share(self, *words: str) -> float:
        """A number from [0, 1), evenly distributed over the words."""
        return (int.from_bytes(self._digest(words)[:8], "big") >> 11) / 2**53

    def name(self, *words: str) -> str:
        """A name of the form that Overread gives its human loops."""
        return f"h-{base64.b32encode(self._digest(words)).decode().lower()[:_NAME_LENGTH]}"

    def lookalike(self, text: str, *words: str) -> str:
        """Another text of the same form as `text`: words stay, numbers and random characters are others.

        Empty when there are too few such texts to choose from.
        """
        if _variants(text) < _FEWEST:
            return ""
        draws = _Stream(self._key, _SEPARATOR.join((text, *words)))
        return _RUN.sub(lambda run: _other(run[0], draws), text)

    def _digest(self, words: tuple[str, ...]) -> bytes:
        return hmac.new(self._key, _SEPARATOR.join(words).encode(), hashlib.sha256).digest()


class _Stream(Iterator[int]):
    """Endless 32-bit numbers from a key and a seed."""

    def __init__(self, key: bytes, seed: str) -> None:
        self._key, self._seed, self._count, self._left = key, seed, 0, b""

    def __next__(self) -> int:
        if not self._left:
            text = f"{self._seed}{_SEPARATOR}{self._count}"
            self._left = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
            self._count += 1
        drawn, self._left = self._left[:4], self._left[4:]
        return int.from_bytes(drawn, "big")


def _other(run: str, draws: Iterator[int]) -> str:
    zeros = _leading_zeros(run)
    return run[:zeros] + "".join(_drawn(one, _alphabet(run), next(draws)) for one in run[zeros:])


def _alphabet(run: str) -> str:
    """The characters of which a run of letters and digits seems to be made; empty for a word, which stays."""
    if run.isdigit():
        return string.digits
    if not any(one.isdigit() for one in run):
        return "" if len(run) < _NAME_LENGTH else _BASE32
    return next((alphabet for alphabet in (_HEX, _BASE32) if set(run) <= set(alphabet)), _MIXED)


def _drawn(one: str, alphabet: str, draw: int) -> str:
    if alphabet == _MIXED:
        alphabet = next(kind for kind in _KINDS if one in kind)
    return alphabet[draw % len(alphabet)] if alphabet else one


def _variants(text: str) -> int:
    sizes = [(len(_alphabet(run)) or 1, len(run) - _leading_zeros(run)) for run in _RUN.findall(text)]
    return math.prod(min(size, 10) ** length for size, length in sizes)


def _leading_zeros(run: str) -> int:
    """Counted names are padded with zeros, which the next ones have as well."""
    return len(run) - len(run.lstrip("0")) if run.isdigit() else 0
