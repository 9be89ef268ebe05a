"""The consolidation function's core: objects a second, against a plain majority loop over the same JSON.

Run with `python -m benchmarks.consolidation`.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from time import perf_counter

from overread.labeling.consolidation.answers import RawObject
from overread.labeling.consolidation.batch import consolidate

WORKERS = 5


def main() -> None:
    """Prints a line a task family."""
    rng = random.Random(1)
    classes = [_object(i, rng, _class) for i in range(10_000)]
    drawn = [_object(i, rng, _boxes) for i in range(1_000)]
    for name, objects in (("classification", classes), ("boxes", drawn)):
        ours = _seconds(partial(consolidate, objects))
        plain = _seconds(partial(_majority, objects))
        print(f"{name}: {len(objects) / ours:,.0f} objects/s, {ours / plain:.1f} times a majority loop")


def _object(place: int, rng: random.Random, make: Callable[[random.Random], object]) -> RawObject:
    return RawObject(str(place), [(f"w{worker}", json.dumps(make(rng))) for worker in range(WORKERS)])


def _class(rng: random.Random) -> object:
    return {"c": {"label": rng.choice("aaab")}}


def _boxes(rng: random.Random) -> object:
    found = [
        {"left": x + rng.randint(0, 4), "top": 5, "width": 30, "height": 20, "label": "car"}
        for x in (0, 99, 200)
    ]
    return {"b": {"boundingBoxes": found}}


def _majority(objects: list[RawObject]) -> list[str]:
    return [
        Counter(json.dumps(json.loads(content)) for _, content in each.answers).most_common(1)[0][0]
        for each in objects
    ]


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


if __name__ == "__main__":
    main()
