"""The local endpoints' log of invocations is read like SageMaker's data capture."""

from pathlib import Path

from overread.audit.captured import endpoint_of, invocations_in
from overread.instants import format_instant
from overread_local.sagemaker.captures import Captures


def test_invocations_are_noted_by_endpoint_and_hour(tmp_path: Path) -> None:
    captures = Captures(tmp_path, clock=lambda: 1_795_381_260.5)
    captures.add(endpoint="loans", variant="AllTraffic", inference_id="d-1/1")
    captures.add(endpoint="loans", variant="AllTraffic", inference_id=None)
    (path,) = (found for found in tmp_path.rglob("*") if found.is_file())
    name = path.relative_to(tmp_path).as_posix()
    assert name == "loans/AllTraffic/2026/11/22/21/capture.jsonl"
    found = list(invocations_in(path.read_bytes().splitlines(), endpoint=endpoint_of(f"x/{name}")))
    assert [(one.inference_id, one.endpoint, format_instant(one.at)) for one in found] == [
        ("d-1/1", "loans", "2026-11-22T21:01:00.000Z"),
        ("", "loans", "2026-11-22T21:01:00.000Z"),
    ]
