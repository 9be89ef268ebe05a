"""What decided cases teach the next model: lines of an augmented manifest, as Ground Truth writes them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from overread.errors import PermanentError
from overread.instants import parse_instant
from overread.strict_json import canonical_json

_TYPE = "groundtruth/text-classification"
_RESERVED = re.compile(r"source|source-ref|.*-(?:metadata|ref)")
_TRUTH = "outcome"
_UNKNOWN_CLASS = -1
FEEDBACK = "feedback/"
"""What the keys of all lines begin with."""


def label_attribute(use_case: str) -> str:
    """The use case's name, with `-label` where Ground Truth keeps such a name for itself."""
    return f"{use_case}-label" if _RESERVED.fullmatch(use_case) else use_case


def manifest_line(lesson: Mapping[str, Any]) -> bytes:
    """One line for one case: where its input lies, its label as a class number, and how it came by it.

    The class number is the label's place among the use case's labels, -1 for one that is none of them. What
    people decided, and what turned out to be true, are both `human-annotated`. `confidence` is 0.0 for
    people's labels, as Ground Truth writes it where no consolidation measured any, and 1.0 for the truth.
    """
    attribute, source = label_attribute(lesson["use_case"]), lesson["input"]
    label, labels = lesson["label"], lesson["labels"]
    document = {
        "source-ref": f"s3://{source['bucket']}/{source['key']}",
        "source-ref-version": source["version_id"],
        attribute: labels.index(label) if label in labels else _UNKNOWN_CLASS,
        f"{attribute}-metadata": {
            "class-name": label,
            "confidence": 1.0 if lesson["source"] == _TRUTH else 0.0,
            "human-annotated": "yes",
            "creation-date": parse_instant(lesson["at"]).strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "type": _TYPE,
            "job-name": f"labeling-job/{lesson['use_case']}-{lesson['source']}",
        },
    }
    return canonical_json(document) + b"\n"


def manifest_key(lesson: Mapping[str, Any]) -> str:
    """Where the line is kept: a prefix a use case and day, an object a case."""
    name = lesson["dedupe_key"].replace("/", "-")
    return f"{manifest_prefix(lesson['use_case'])}{lesson['at'][:10]}/{name}.jsonl"


def manifest_prefix(use_case: str) -> str:
    """What the keys of the use case's lines begin with."""
    return f"{FEEDBACK}{use_case}/"


def latest_keys(keys: Iterable[str]) -> list[str]:
    """Of each decision the line that was written last, since it knows more; sorted.

    A decision's lines are numbered like its audit entries.
    """
    latest: dict[str, tuple[int, str]] = {}
    for key in keys:
        decision_id, _, number = key.rpartition("/")[2].removesuffix(".jsonl").rpartition("-")
        if decision_id and number.isdecimal():
            latest[decision_id] = max(latest.get(decision_id, (0, "")), (int(number), key))
    return sorted(key for _, key in latest.values())


def one_line_an_input(lines: Iterable[bytes], *, use_case: str) -> list[bytes]:
    """Of the lines about one input the one that knows best: the truth before what people said; the later.

    A contested decision and the one that follows it are about the same input.

    Raises:
        PermanentError: a line is none of the use case's.
    """
    metadata = f"{label_attribute(use_case)}-metadata"
    best: dict[str, tuple[bool, str, bytes]] = {}
    for line in lines:
        document = json.loads(line)
        source = document["source-ref"]
        try:
            told = document[metadata]
            known = (told["job-name"].endswith(f"-{_TRUTH}"), str(told["creation-date"]), line)
        except (LookupError, TypeError, AttributeError) as error:
            raise PermanentError("NoManifestLine", operation="ReadFeedback", message=source) from error
        best[source] = max(best.get(source, known), known)
    return [line for *_, line in best.values()]
