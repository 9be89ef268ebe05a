"""The R container under SageMaker's contract: trained by `train`, asked over HTTP from `serve`."""

from __future__ import annotations

import csv
import io
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "examples/r/container"
DATA = ROOT / "examples/models/data/german_credit.csv"
WITHHELD = {"sex", "age", "foreign_worker"}
NUMBERS = {"amount", "duration_months", "dependents"}
PATIENCE_S = 60.0


def train(
    root: Path, environment: dict[str, str], **hyperparameters: str
) -> subprocess.CompletedProcess[str]:
    """The program `train` over a folder as SageMaker lays it out."""
    for folder in ("input/config", "input/data/train", "model", "output"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(DATA, root / "input/data/train")
    (root / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    return subprocess.run(
        [CONTAINER / "train"],
        env=environment | {"OVERREAD_ML_ROOT": str(root)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def trained(rscript: str, r_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ml")
    run = train(root, r_environment, method="glm", folds="3", seed="1")
    assert run.returncode == 0, run.stderr
    score = float(run.stdout.split("validation:roc=")[1].split(";")[0])
    assert score > 0.7
    return root


@pytest.fixture(scope="module")
def endpoint(trained: Path, r_environment: dict[str, str]) -> Iterator[str]:
    """The address of `serve` over the trained model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [CONTAINER / "serve"],
        env=r_environment | {"OVERREAD_ML_ROOT": str(trained), "SAGEMAKER_BIND_TO_PORT": str(port)},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(url):
            assert time.monotonic() < deadline, "serve does not answer"
            assert server.poll() is None, "serve has ended"
            time.sleep(0.2)
        yield url
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def loans(count: int) -> list[dict[str, Any]]:
    """Applications as the router sends them: without what is withheld, and without the truth."""
    with DATA.open() as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(count), strict=False)]
    return [
        {
            name: float(value) if name in NUMBERS else value
            for name, value in row.items()
            if name not in WITHHELD and name != "repaid"
        }
        for row in rows
    ]


def invoke(url: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, str) else json.dumps(body)
    sent = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): one for name, one in headers.items()
    }
    return httpx.post(f"{url}/invocations", content=content, headers=sent, trust_env=False)


def test_one_loan_gets_what_the_use_case_reads(endpoint: str) -> None:
    reply = invoke(endpoint, loans(1)[0])
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert found["label"] in {"approve", "decline"}
    assert found["confidence"] == max(found["probabilities"].values()) >= 0.5
    assert sum(found["probabilities"].values()) == pytest.approx(1)


def test_csv_and_json_say_the_same(endpoint: str) -> None:
    rows = loans(5)
    as_json = invoke(endpoint, rows).json()
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    reply = invoke(endpoint, table.getvalue(), Content_Type="text/csv")
    assert reply.status_code == 200, reply.text
    lines = list(csv.DictReader(reply.text.splitlines()))
    assert [line["label"] for line in lines] == [one["label"] for one in as_json]
    assert [float(line["confidence"]) for line in lines] == pytest.approx(
        [one["confidence"] for one in as_json]
    )


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        ("{", {}, 400, "body must be JSON"),
        ([], {}, 400, "not empty"),
        ({"amount": 1}, {}, 400, "duration_months is missing"),
        ("a,b\n", {"Content_Type": "text/csv"}, 400, "at least one loan"),
        ({}, {"Content_Type": "text/plain"}, 415, "content type must be"),
        ({}, {"Accept": "image/png"}, 406, "accept must allow"),
    ],
)
def test_bad_input_is_told_what_is_wrong(
    endpoint: str, body: Any, headers: dict[str, str], status: int, told: str
) -> None:
    reply = invoke(endpoint, body, **headers)
    assert reply.status_code == status
    assert told in reply.json()["error"]


def test_a_bad_hyperparameter_fails_with_its_reason(
    rscript: str, r_environment: dict[str, str], tmp_path: Path
) -> None:
    run = train(tmp_path, r_environment, method="magic")
    assert run.returncode == 1
    assert "method must be one of" in (tmp_path / "output/failure").read_text()
    assert not (tmp_path / "model/model.rds").exists()


def test_protected_attributes_are_not_in_the_model(rscript: str, trained: Path, tmp_path: Path) -> None:
    code = "m <- readRDS('model/model.rds'); cat(names(m$levels), names(coef(m$fit$finalModel)))"
    names = subprocess.run(
        [rscript, "-e", code], cwd=trained, check=True, capture_output=True, text=True
    ).stdout
    assert "credit_history" in names
    assert not [name for name in WITHHELD if name in names]
