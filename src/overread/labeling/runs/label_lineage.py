"""Where each published label comes from, as a document for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from overread.labeling.augmented_lines import metadata_of
from overread.labeling.manifest import Row, identity
from overread.labeling.runs.gold_mixing import has_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all labels of a job have in common."""

    run: str
    template_sha256: str
    guideline_version: str


def lineage(row: Row, *, attribute: str, workers: Sequence[str], origin: Origin) -> dict[str, Any] | None:
    """The document of one published line; None for an object without a label.

    `object` is its address or its text. `workers` are those whose answers the label was made of.
    """
    metadata = metadata_of(row, attribute=attribute)
    if metadata is None or not has_label(row, attribute=attribute):
        return None
    return {
        "object": identity(row).removeprefix("\0"),
        "job": metadata.job,
        "workers": sorted(set(workers)),
        "human_annotated": metadata.is_human,
        "created": metadata.created,
        "confidence": row[f"{attribute}-metadata"].get("confidence"),
        "run": origin.run,
        "template_sha256": origin.template_sha256,
        "guideline_version": origin.guideline_version,
    }
