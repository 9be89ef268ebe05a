"""The container's side of the model contract (docs/model-contract.md): inputs, objects, scored lines."""

import json
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

ROOT = Path(os.environ.get("OVERREAD_ML_ROOT", "/opt/ml"))
MODEL = ROOT / "model"


def hyperparameters() -> dict[str, str]:
    """The job's hyperparameters; SageMaker gives each as text."""
    found: dict[str, str] = json.loads((ROOT / "input/config/hyperparameters.json").read_text())
    return found


def labeled(channel: str, *, parameters: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each labeled data object of a channel and its category."""
    attribute, categories = parameters["label-attribute"], json.loads(parameters["categories"])
    for path in sorted((ROOT / "input/data" / channel).rglob("*.manifest")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            entry = json.loads(line)
            if attribute not in entry:
                continue
            name = entry.get(f"{attribute}-metadata", {}).get("class-name", entry[attribute])
            if name not in categories:
                raise SystemExit(f"{path.name}, line {number}: '{name}' is none of {', '.join(categories)}")
            yield entry, name


def local_object(uri: str, *, channel: str, parameters: dict[str, str]) -> bytes:
    """An object of the channel `objects`, by its source-ref."""
    return (ROOT / "input/data" / channel / uri.removeprefix(parameters["objects-uri"])).read_bytes()


def remote_object(uri: str) -> bytes:
    """An object in S3, read with the job's role."""
    parts = urlsplit(uri)
    body: bytes = (
        boto3.client("s3").get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read()
    )
    return body


def fail(reason: object) -> None:
    """Writes why the training failed where SageMaker reads it."""
    (ROOT / "output/failure").write_text(str(reason))
    raise SystemExit(1)


def serve(score: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Answers /ping and /invocations: JSON Lines of data objects in, as many scored lines out."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path == "/ping" else 404, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            lines = [_scored(line, score) for line in body.splitlines() if line.strip()]
            self._answer(200, "".join(json.dumps(line) + "\n" for line in lines).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/jsonlines")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests are not logged."""

    host = "127.0.0.1" if "OVERREAD_ML_ROOT" in os.environ else ""
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    ThreadingHTTPServer((host, port), Handler).serve_forever()


def _scored(line: bytes, score: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        key = "source-ref" if "source-ref" in entry else "source"
        return {key: entry[key], **score([entry])[0]}
    except Exception as fault:  # noqa: BLE001 - a bad line is answered as such, whatever is wrong with it
        return {"error": f"{type(fault).__name__}: {fault}"}


def prediction(categories: list[str], probabilities: list[float]) -> dict[str, Any]:
    """One scored line's members."""
    best = max(range(len(categories)), key=probabilities.__getitem__)
    return {
        "label": categories[best],
        "confidence": round(float(probabilities[best]), 6),
        "probabilities": {
            name: round(float(one), 6) for name, one in zip(categories, probabilities, strict=True)
        },
    }
