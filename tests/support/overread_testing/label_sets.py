"""Label sets for tests: those that lie beside the tests, and those that a machine may have elsewhere."""

import csv
import gzip
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overread.consensus.result import Consensus
from overread.consensus.votes import Votes, votes

FOLDER = Path(__file__).parents[2] / "data" / "labels"


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Columns item, worker, label, and the truth as far as it is known."""

    items: list[str]
    workers: list[str]
    labels: list[str]
    truth: Mapping[str, str]

    @property
    def votes(self) -> Votes:
        """The votes of the set."""
        return votes(self.items, self.workers, self.labels)

    def accuracy(self, consensus: Consensus) -> float:
        """The share of items with known truth that the consensus labels right."""
        found = dict(zip(consensus.items, consensus.labels, strict=True))
        return float(np.mean([found[item] == label for item, label in self.truth.items() if item in found]))


def dawid_skene_1979() -> LabelSet:
    """45 patients, five anaesthetists, four classes; see tests/data/labels/NOTICE.md."""
    return _read((FOLDER / "dawid_skene_1979.csv").read_text(), gold=None)


def hitspam() -> LabelSet:
    """Spam or not, by 153 workers who never differ; see tests/data/labels/NOTICE.md."""
    text = gzip.decompress((FOLDER / "hitspam.csv.gz").read_bytes()).decode()
    return _read(text, gold=(FOLDER / "hitspam.gold.csv").read_text())


def unlicensed(name: str) -> LabelSet | None:
    """A set that may be used but not distributed, from the folder OVERREAD_DATA; None without it."""
    folder = os.environ.get("OVERREAD_DATA")
    if not folder:
        return None
    labels, gold = (Path(folder) / f"{name}.{part}.csv" for part in ("labels", "gold"))
    return _read(labels.read_text(), gold=gold.read_text())


def _read(text: str, *, gold: str | None) -> LabelSet:
    rows = list(csv.DictReader(text.splitlines()))
    truth = {row["item"]: row["label"] for row in csv.DictReader(gold.splitlines())} if gold else {}
    items, workers, labels = ([row[name] for row in rows] for name in ("item", "worker", "label"))
    return LabelSet(items, workers, labels, truth=truth)
