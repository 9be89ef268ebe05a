"""Every labeling model of the examples under the model contract: trained, served, broken lines answered."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

LABELING = Path(__file__).parents[3] / "examples/models/labeling"
MODELS = sorted(path.parent for path in LABELING.glob("*/train"))
URI = "s3://objects/digits"


@dataclass(frozen=True)
class Task:
    """What a model learns in a test: labeled lines, and how many of others it must get right."""

    lines: list[dict[str, Any]]
    others: list[dict[str, Any]]
    attribute: str
    categories: list[str]
    least_right: int


def sentences(_folder: Path) -> Task:
    lines = [{"source": "a fine day", "mood": "good"}, {"source": "an awful day", "mood": "bad"}] * 5
    others = [{"source": "fine", "mood": "good"}, {"source": "awful", "mood": "bad"}]
    return Task(lines, others, attribute="mood", categories=["good", "bad"], least_right=2)


def digits(folder: Path) -> Task:
    spec = importlib.util.spec_from_file_location("digits_data", LABELING / "digits_data.py")
    assert spec is not None
    assert spec.loader is not None
    data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(data)
    objects = folder / "input/data/objects"
    objects.mkdir(parents=True)
    lines = [json.loads(line) for line in data.write(objects, uri=URI).read_text().splitlines()]
    # `serve` reads addresses in S3 with the job's role; without one its lines are errors.
    others = [{**line, "source-ref": str(line["source-ref"])} for line in lines[300:302]]
    return Task(
        lines[:300], others, attribute="digit", categories=[str(one) for one in range(10)], least_right=0
    )


TASKS: dict[str, Callable[[Path], Task]] = {"sentences": sentences, "digits": digits}


def test_each_model_has_a_task_here() -> None:
    assert [path.name for path in MODELS] == sorted(TASKS)


def run(model: Path, program: str, ml: Path, *, port: int = 0) -> list[Any]:
    variables = {
        **os.environ,
        "OVERREAD_ML_ROOT": str(ml),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    return [[sys.executable, model / program], variables]


@pytest.fixture(params=MODELS, ids=lambda path: path.name)
def model(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def prepared(model: Path, ml: Path, *, seed: str = "1") -> Task:
    for name in ("input/config", "input/data/train", "model", "output"):
        (ml / name).mkdir(parents=True)
    task = TASKS[model.name](ml)
    parameters = {
        "label-attribute": task.attribute,
        "categories": json.dumps(task.categories),
        "objects-uri": f"{URI}/",
        "seed": seed,
    }
    (ml / "input/config/hyperparameters.json").write_text(json.dumps(parameters))
    (ml / "input/data/train/a.manifest").write_text("\n".join(map(json.dumps, task.lines)))
    return task


def train(model: Path, ml: Path) -> subprocess.CompletedProcess[str]:
    command, variables = run(model, "train", ml)
    return subprocess.run(
        command, env=variables, cwd=model, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_learns_leaves_a_model_and_scores_line_by_line(model: Path, tmp_path: Path) -> None:
    task = prepared(model, tmp_path)
    trained = train(model, tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert list((tmp_path / "model").iterdir())
    with serving(model, tmp_path) as url:
        body = b"".join(json.dumps(line).encode() + b"\n" for line in [*task.others, {"x": 1}])
        reply = httpx.post(f"{url}/invocations", content=body, timeout=60, trust_env=False)
        empty = httpx.post(f"{url}/invocations", content=b"", timeout=60, trust_env=False)
    assert (reply.status_code, empty.status_code, empty.text) == (200, 200, "")
    *scored, broken = [json.loads(line) for line in reply.text.splitlines()]
    assert len(scored) == len(task.others)
    assert list(broken) == ["error"]
    right = 0
    for line, answer in zip(task.others, scored, strict=True):
        if "error" in answer:
            continue
        assert answer["label"] in task.categories
        assert 0 <= answer["confidence"] <= 1
        assert abs(sum(answer["probabilities"].values()) - 1) < 1e-5
        right += answer["label"] == str(line[task.attribute])
    assert right >= task.least_right


def test_a_channel_without_two_categories_fails_with_a_reason(model: Path, tmp_path: Path) -> None:
    task = prepared(model, tmp_path)
    first = task.lines[0][task.attribute]
    same = [line for line in task.lines if line[task.attribute] == first]
    (tmp_path / "input/data/train/a.manifest").write_text("\n".join(map(json.dumps, same)))
    assert train(model, tmp_path).returncode != 0
    assert "fewer than two categories" in (tmp_path / "output/failure").read_text()


class serving:  # noqa: N801 - a context manager
    """The model's `serve` with what was trained; gives its address once it answers /ping."""

    def __init__(self, model: Path, ml: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        command, variables = run(model, "serve", ml, port=self._port)
        self._process = subprocess.Popen(command, env=variables, cwd=model)

    def __enter__(self) -> str:
        url = f"http://127.0.0.1:{self._port}"
        deadline = time.monotonic() + 20
        with httpx.Client(trust_env=False) as http:
            while time.monotonic() < deadline:
                try:
                    assert http.get(f"{url}/ping").status_code == 200
                    return url
                except httpx.TransportError:
                    time.sleep(0.05)
        self._process.kill()
        raise AssertionError("serve did not answer")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
