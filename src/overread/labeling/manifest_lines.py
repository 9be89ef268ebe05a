"""A manifest's physical lines as bytes: parted at line feeds only, and never more than one kept whole.

U+2028, form feeds and lone carriage returns part no lines, as they do not for Ground Truth.
"""

from collections.abc import Iterator
from typing import BinaryIO

LINE_CHARACTERS = 100_000
"""What a line may have at most."""

KEPT_BYTES = 4 * LINE_CHARACTERS + 8
"""More of a line is not kept: every line that is longer in bytes is too long in characters, too."""

_CHUNK = 1 << 18


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Each line without its line feed, cut after `KEPT_BYTES`; nothing for what follows the last line feed
    where that is empty."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        parts = chunk.split(b"\n")
        parts[0] = rest + parts[0]
        rest = parts.pop()[:KEPT_BYTES]
        for part in parts:
            yield part[:KEPT_BYTES]
    if rest:
        yield rest
