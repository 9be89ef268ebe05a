"""The sentence model under the model contract: trained, served, a bad line answered as such."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

FOLDER = Path(__file__).parents[3] / "examples/models/labeling/sentences"


def test_sentences_are_learnt_and_scored_line_by_line(tmp_path: Path) -> None:
    for name in ("input/config", "input/data/train", "model", "output"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "input/config/hyperparameters.json").write_text(
        json.dumps({"label-attribute": "mood", "categories": '["good", "bad"]', "seed": "1"})
    )
    lines = [{"source": "a fine day", "mood": "good"}, {"source": "an awful day", "mood": "bad"}] * 5
    (tmp_path / "input/data/train/a.manifest").write_text("\n".join(map(json.dumps, lines)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**os.environ, "OVERREAD_ML_ROOT": str(tmp_path), "SAGEMAKER_BIND_TO_PORT": str(port)}
    subprocess.run([sys.executable, FOLDER / "train"], env=variables, check=True, cwd=FOLDER)
    with subprocess.Popen([sys.executable, FOLDER / "serve"], env=variables, cwd=FOLDER) as server:
        try:
            reply = _asked(f"http://127.0.0.1:{port}", b'{"source": "fine"}\n{"x": 1}\n')
        finally:
            server.terminate()
    good, bad = [json.loads(line) for line in reply.splitlines()]
    assert (good["label"], good["source"]) == ("good", "fine")
    assert abs(sum(good["probabilities"].values()) - 1) < 1e-5
    assert list(bad) == ["error"]


def _asked(url: str, body: bytes) -> str:
    deadline = time.monotonic() + 20
    with httpx.Client(trust_env=False) as http:
        while time.monotonic() < deadline:
            try:
                http.get(f"{url}/ping")
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            return http.post(f"{url}/invocations", content=body).text
    raise AssertionError("serve did not answer")
