"""What decided cases teach the next model: lines of an augmented manifest, as Ground Truth writes them."""

from collections.abc import Mapping
from typing import Any

from overread.strict_json import canonical_json

_TYPE = "groundtruth/text-classification"


def manifest_line(lesson: Mapping[str, Any]) -> bytes:
    """One line for one case: where its input lies, its label as a class number, and how it came by it.

    The label's attribute is the use case's name; the class number is the label's place among the use case's
    labels. What people decided, and what turned out to be true, are both `human-annotated`.
    """
    use_case, labels = lesson["use_case"], lesson["labels"]
    source = lesson["input"]
    attribute = f"{use_case}"
    document = {
        "source-ref": f"s3://{source['bucket']}/{source['key']}",
        "source-version": source["version_id"],
        attribute: labels.index(lesson["label"]) if lesson["label"] in labels else -1,
        f"{attribute}-metadata": {
            "class-name": lesson["label"],
            "confidence": 1.0 if lesson["source"] == "outcome" else 0.95,
            "human-annotated": "yes",
            "creation-date": lesson["at"][:19],
            "type": _TYPE,
            "job-name": f"overread/{use_case}/{lesson['source']}",
        },
    }
    return canonical_json(document) + b"\n"


def manifest_key(lesson: Mapping[str, Any]) -> str:
    """Where the line is kept: a prefix a use case and day, an object a case."""
    name = lesson["dedupe_key"].replace("/", "-")
    return f"feedback/{lesson['use_case']}/{lesson['at'][:10]}/{name}.jsonl"
