"""The three models, trained once a session and written as `train.py` writes them."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "examples/models"))

from example_models import (  # noqa: E402
    digit_reading,
    inference,
    loan_approval,
    packing,
    tumor_screening,
)
from example_models.use_case import TrainedModel  # noqa: E402

TRAINERS = {module.USE_CASE: module.train for module in (digit_reading, loan_approval, tumor_screening)}


@pytest.fixture(scope="session")
def trained() -> Mapping[str, TrainedModel]:
    return {name: train() for name, train in TRAINERS.items()}


@pytest.fixture(scope="session")
def packed(trained: Mapping[str, TrainedModel], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("models")
    for model in trained.values():
        packing.write(model, output=output)
    return output


@pytest.fixture(scope="session")
def unpacked(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Each archive's content, where SageMaker would unpack it."""
    folders = {}
    for name in TRAINERS:
        folders[name] = tmp_path_factory.mktemp(name)
        with tarfile.open(packed / f"{name}.tar.gz") as archive:
            archive.extractall(folders[name], filter="data")
    return folders


@pytest.fixture(scope="session")
def served(unpacked: Mapping[str, Path]) -> Mapping[str, dict[str, Any]]:
    """Each model as `inference.py` loads it."""
    return {name: inference.model_fn(str(folder)) for name, folder in unpacked.items()}
