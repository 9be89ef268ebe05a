"""The archives hold the models that scikit-learn fitted, and nothing else."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_models import inference
from example_models.use_case import TrainedModel

ROOT = Path(__file__).parents[3]
USE_CASES = ("digit-reading", "loan-approval", "tumor-screening")

WITHOUT_SKLEARN = """
import json, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in sys.stdlib_module_names | {"numpy", "inference"}:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model = inference.model_fn(sys.argv[1])
record = inference.input_fn(sys.stdin.read(), "application/json")
print(inference.output_fn(inference.predict_fn(record, model), "application/json")[0])
"""


@pytest.mark.parametrize("use_case", USE_CASES)
def test_predictions_equal_scikit_learn_s(
    trained: Mapping[str, TrainedModel], served: Mapping[str, dict[str, Any]], use_case: str
) -> None:
    model = trained[use_case]
    predictions = [_through_the_contract(record.input, served[use_case]) for record in model.held_out]
    probabilities = np.array([[p["probabilities"][label] for label in model.labels] for p in predictions])
    assert len(predictions) >= 200
    np.testing.assert_allclose(probabilities, model.held_out_probabilities, rtol=0, atol=1e-9)
    expected = [model.labels[best] for best in model.held_out_probabilities.argmax(axis=1)]
    assert [p["label"] for p in predictions] == expected
    assert [p["confidence"] for p in predictions] == [max(p["probabilities"].values()) for p in predictions]


@pytest.mark.parametrize("use_case", USE_CASES)
def test_inference_needs_numpy_only(
    trained: Mapping[str, TrainedModel], unpacked: Mapping[str, Path], use_case: str
) -> None:
    model = trained[use_case]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SKLEARN, str(unpacked[use_case])],
        input=json.dumps(dict(model.held_out[0].input)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["confidence"] == pytest.approx(model.held_out_probabilities[0].max())


def test_inference_is_python_that_sagemaker_s_oldest_image_reads() -> None:
    source = (ROOT / "examples/models/example_models/inference.py").read_text()
    tree = ast.parse(source, feature_version=(3, 7))
    assert isinstance(tree.body[1], ast.ImportFrom)
    assert tree.body[1].module == "__future__"
    strict_zips = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "strict"]
    assert strict_zips == []


def test_archive_holds_model_and_code_only(packed: Path) -> None:
    for use_case in USE_CASES:
        with tarfile.open(packed / f"{use_case}.tar.gz") as archive:
            assert archive.getnames() == ["code/inference.py", "model.json"]
            assert {member.mtime for member in archive} == {0}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    runs = []
    for run in ("one", "two"):
        command = [sys.executable, "examples/models/train.py", "--output", str(tmp_path / run)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        runs.append({path.name: path.read_bytes() for path in sorted((tmp_path / run).iterdir())})
    assert len(runs[0]) == 9
    assert runs[0] == runs[1]


def test_one_use_case_can_be_trained_alone(tmp_path: Path) -> None:
    command = [sys.executable, "examples/models/train.py", "--output", str(tmp_path / "new" / "folder")]
    done = subprocess.run(
        [*command, "--use-case", "loan-approval"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert written == ["loan-approval.card.json", "loan-approval.records.jsonl", "loan-approval.tar.gz"]


def _through_the_contract(record: Mapping[str, object], model: dict[str, Any]) -> dict[str, Any]:
    parsed = inference.input_fn(json.dumps(dict(record)).encode(), "application/json; charset=utf-8")
    body, content_type = inference.output_fn(inference.predict_fn(parsed, model), "*/*")
    assert content_type == "application/json"
    reply: dict[str, Any] = json.loads(body)
    return reply
