"""A batch of objects to its labels; the answers themselves tell what task they are of."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from types import MappingProxyType

from overread.labeling.consolidation.answers import Consolidated, RawObject
from overread.labeling.consolidation.boxes import boxes
from overread.labeling.consolidation.classification import multiple, single
from overread.labeling.consolidation.entities import entities
from overread.labeling.consolidation.masks import masks
from overread.labeling.consolidation.text import texts

_Family = Callable[..., list[Consolidated]]
_BY_KEY: MappingProxyType[str, _Family] = MappingProxyType(
    {
        "boundingBoxes": boxes,
        "labeledImage": masks,
        "entities": entities,
        "labels": multiple,
        "label": single,
    }
)


def consolidate(objects: Sequence[RawObject], *, categories: Sequence[str] = ()) -> list[Consolidated]:
    """The label of each object that has a valid answer, in the order of `objects`.

    Most answers decide which task this is; the others are malformed ones of it.
    """
    kinds = Counter(_kind(content) for each in objects for _, content in each.answers)
    kinds.pop("", None)
    if not kinds:
        return []
    family = _BY_KEY.get(kinds.most_common(1)[0][0], texts)
    return family(objects, categories=categories)


def _kind(content: str) -> str:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, dict):
        return ""
    elements = [each for each in answer.values() if isinstance(each, dict)]
    for key in _BY_KEY:
        if any(key in each for each in elements):
            return key
    return "text" if any(isinstance(each, str) for each in answer.values()) else ""
