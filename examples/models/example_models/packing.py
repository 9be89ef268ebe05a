"""Writing what the demo needs of a model: archive, held-out records, card; the same bytes on every run."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from example_models.card import model_card
from example_models.use_case import Record, TrainedModel

INFERENCE = Path(__file__).with_name("inference.py")


def write(model: TrainedModel, *, output: Path) -> list[Path]:
    """Writes `{use_case}.tar.gz`, `.records.jsonl` and `.card.json` into `output`; gives the three paths."""
    output.mkdir(parents=True, exist_ok=True)
    archive = archive_bytes(model)
    card = model_card(model, archive_sha256=hashlib.sha256(archive).hexdigest())
    contents = {
        ".tar.gz": archive,
        ".records.jsonl": "".join(_line(record) for record in model.held_out).encode(),
        ".card.json": (json.dumps(card, indent=2) + "\n").encode(),
    }
    paths = []
    for suffix, content in contents.items():
        path = output / f"{model.use_case}{suffix}"
        path.write_bytes(content)
        paths.append(path)
    return paths


def archive_bytes(model: TrainedModel) -> bytes:
    """SageMaker's `model.tar.gz` in script mode: `model.json` and `code/inference.py`."""
    members = {
        "code/inference.py": INFERENCE.read_bytes(),
        "model.json": json.dumps(model.document, allow_nan=False, separators=(",", ":")).encode(),
    }
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), compresslevel=9, mtime=0)


def _line(record: Record) -> str:
    document = {"reference": record.reference, "input": dict(record.input), "truth": record.truth}
    return json.dumps(document, allow_nan=False) + "\n"
