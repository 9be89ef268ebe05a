"""Consensus on the masks that workers painted: the vote of each pixel."""

import base64
import binascii
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.consensus.masks import vote_masks
from overread.labeling.consolidation.answers import (
    AnswerError,
    Consolidated,
    RawObject,
    confidence_of,
    element_of,
    label_of,
    valid_objects,
)
from overread.labeling.consolidation.png import PngError, read_png, write_png

_WHITE = "#ffffff"
_Mask = tuple[dict[str, str], NDArray[np.uint8]]


def masks(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The mask of each image, with its colours in the order of classes, BACKGROUND first.

    Masks of another size than most have are skipped.
    """
    made = []
    for each in valid_objects(objects, read=lambda answer: _read(answer, categories=categories)):
        answers = each.answers
        if not answers:
            continue
        shape = Counter(mask.shape for _, mask in answers.values()).most_common(1)[0][0]
        for worker in [worker for worker, (_, mask) in answers.items() if mask.shape != shape]:
            each.skipped.append(f"{worker}: a mask of another size than the others")
            del answers[worker]
        names = list(categories) or sorted({name for colours, _ in answers.values() for name in colours})
        coded = [_recoded(mask, names=names) for mask in answers.values()]
        found = vote_masks(coded, classes=len(names) + 1)
        used = {name: colour for colours, _ in answers.values() for name, colour in colours.items()}
        colours = [_WHITE, *(used.get(name, _WHITE) for name in names)]
        present = {0, *np.unique(found.mask).tolist()}
        made.append(
            Consolidated(
                id=each.id,
                label={
                    "internal-color-map": {
                        str(code): {"class-name": name, "hex-color": colour}
                        for code, (name, colour) in enumerate(
                            zip(["BACKGROUND", *names], colours, strict=True)
                        )
                        if code in present
                    }
                },
                confidence=confidence_of(float(found.confidence.mean()), workers=len(answers)),
                workers=len(answers),
                skipped=tuple(each.skipped),
                comments=tuple(each.comments),
                png=write_png(found.mask.astype(np.uint8), palette=[_rgb(colour) for colour in colours]),
            )
        )
    return made


def _recoded(mask: _Mask, *, names: Sequence[str]) -> NDArray[np.uint8]:
    own = [0, *(names.index(name) + 1 for name in mask[0])]
    return np.asarray(np.array(own, dtype=np.uint8)[mask[1]])


def _read(answer: Mapping[str, Any], *, categories: Sequence[str]) -> _Mask:
    element = element_of(answer, key="labeledImage")
    image, mappings = element["labeledImage"], element.get("labelMappings")
    data = image.get("pngImageData") if isinstance(image, dict) else None
    if not isinstance(data, str) or not isinstance(mappings, dict) or len(mappings) > 254:
        raise AnswerError("labeledImage or labelMappings is missing")
    try:
        pixels, painted = read_png(base64.b64decode(data, validate=True))
    except (PngError, binascii.Error, ValueError) as error:
        raise AnswerError(str(error) if isinstance(error, PngError) else "the PNG is not base64") from error
    codes = np.zeros(painted.shape, dtype=np.uint8)
    colours: dict[str, str] = {}
    for code, (name, mapping) in enumerate(mappings.items(), 1):
        label_of(name, categories=categories)
        colour = mapping.get("color") if isinstance(mapping, dict) else None
        try:
            wanted = _rgb(colour)
        except ValueError as error:
            raise AnswerError("a colour is no hex colour") from error
        colours[name] = str(colour)
        codes[painted & (pixels == np.array(wanted, dtype=np.uint8)).all(axis=2)] = code
    return colours, codes


def _rgb(colour: object) -> tuple[int, int, int]:
    if not isinstance(colour, str) or len(colour) != 7 or colour[0] != "#":
        raise ValueError("no hex colour")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
