"""Invocations from the files of SageMaker's data capture: JSON lines under `{endpoint}/{variant}/{hour}/`."""

import json
from collections.abc import Iterable, Iterator

from overread.audit.reconcile import Invocation
from overread.instants import parse_instant


def invocations_in(lines: Iterable[bytes], *, endpoint: str) -> Iterator[Invocation]:
    """The invocations that a file tells of.

    Raises:
        ValueError: a line is none of data capture's.
    """
    for number, line in enumerate(lines, start=1):
        try:
            metadata = json.loads(line)["eventMetadata"]
            at = parse_instant(metadata["inferenceTime"])
            yield Invocation(inference_id=metadata.get("inferenceId", ""), endpoint=endpoint, at=at)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} is none of data capture's") from error


def endpoint_of(path: str) -> str:
    """The endpoint in a path such as `…/{endpoint}/{variant}/2026/11/22/21/file.jsonl`.

    Raises:
        ValueError: the path is another one.
    """
    parts = path.split("/")
    if len(parts) < 7 or not all(part.isdecimal() for part in parts[-5:-1]):
        raise ValueError(f"{path} is no path of data capture")
    return parts[-7]
