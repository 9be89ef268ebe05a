"""PNG as masks need it: 8 bits a channel, not interlaced; read as (H, W, 3), written with a palette."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
MAXIMUM_PIXELS = 100_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class PngError(ValueError):
    """Bytes that are no PNG of this kind."""


def read_png(content: bytes) -> tuple[Pixels, NDArray[np.bool_]]:
    """The colours (H, W, 3) and whether each pixel is painted (H, W), which a transparent one is not.

    Raises:
        PngError: it is no PNG, or one of another kind.
    """
    try:
        return _read(content)
    except (struct.error, zlib.error, IndexError, KeyError, ValueError) as error:
        raise error if isinstance(error, PngError) else PngError("the PNG is damaged") from error


def write_png(codes: Pixels, *, palette: Sequence[tuple[int, int, int]]) -> bytes:
    """A palette image of codes (H, W)."""
    height, width = codes.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = codes
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours = bytes(channel for colour in palette for channel in colour)
    parts = ((b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _read(content: bytes) -> tuple[Pixels, NDArray[np.bool_]]:
    if not content.startswith(_SIGNATURE):
        raise PngError("it is no PNG")
    found: dict[bytes, bytes] = {}
    place = len(_SIGNATURE)
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        kind = content[place + 4 : place + 8]
        found[kind] = found.get(kind, b"") + content[place + 8 : place + 8 + length]
        place += length + 12
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    if depth != 8 or interlaced or colour not in _CHANNELS:
        raise PngError("the PNG must have 8 bits a channel and no interlacing")
    if not 0 < width * height <= MAXIMUM_PIXELS:
        raise PngError(f"the PNG must have 1 to {MAXIMUM_PIXELS:,} pixels")
    step = _CHANNELS[colour]
    size = (width * step + 1) * height
    raw = zlib.decompressobj().decompress(found[b"IDAT"], size)
    if len(raw) != size:
        raise PngError("the PNG ends early")
    lines = np.frombuffer(raw, dtype=np.uint8).reshape(height, width * step + 1)
    pixels = _unfiltered(lines, step=step).reshape(height, width, step)
    if colour == 3:
        palette = np.frombuffer(found[b"PLTE"], dtype=np.uint8).reshape(-1, 3)
        alpha = np.full(len(palette), 255, dtype=np.uint8)
        clear = np.frombuffer(found.get(b"tRNS", b""), dtype=np.uint8)[: len(alpha)]
        alpha[: len(clear)] = clear
        return palette[pixels[:, :, 0]], alpha[pixels[:, :, 0]] > 0
    painted = pixels[:, :, -1] > 0 if colour in (4, 6) else np.ones((height, width), dtype=np.bool_)
    colours = pixels[:, :, :3] if step > 2 else np.repeat(pixels[:, :, :1], 3, axis=2)
    return colours, painted


def _unfiltered(lines: Pixels, *, step: int) -> Pixels:
    made = np.zeros((len(lines), lines.shape[1] - 1), dtype=np.uint8)
    above = np.zeros(lines.shape[1] - 1, dtype=np.uint8)
    for place, line in enumerate(lines):
        kind, data = int(line[0]), line[1:]
        if kind == 0:
            made[place] = data
        elif kind == 1:
            made[place] = np.cumsum(data.reshape(-1, step), axis=0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            made[place] = data + above
        elif kind in (3, 4):
            made[place] = _by_pixel(data.tolist(), above.tolist(), step=step, is_paeth=kind == 4)
        else:
            raise PngError("the PNG has an unknown filter")
        above = made[place]
    return made


def _by_pixel(data: list[int], above: list[int], *, step: int, is_paeth: bool) -> list[int]:
    row = [0] * len(data)
    for place, value in enumerate(data):
        left = row[place - step] if place >= step else 0
        up = above[place]
        if is_paeth:
            corner = above[place - step] if place >= step else 0
            near = left + up - corner
            to_left, to_up, to_corner = abs(near - left), abs(near - up), abs(near - corner)
            guess = (
                left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
            )
        else:
            guess = (left + up) // 2
        row[place] = (value + guess) & 255
    return row
