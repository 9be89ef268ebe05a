"""`overread review export`: whole lines only, resumable, and nobody else's file is touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from overread_cli.review.exporting import Export, ExportRefusedError, export
from overread_cli.review.targets import Target

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow"
CREATED = datetime(2026, 11, 1, tzinfo=UTC)


class FakeA2I(Target):
    """Loops by name with their status; every ended one but the stopped has an output document."""

    operations = None
    sandbox = None
    sagemaker = None
    portal_url = ""

    def __init__(self, loops: dict[str, str]) -> None:
        super().__init__(name="fake", session=None)
        self.loops = loops
        self.unreadable: set[str] = set()
        self.breaks_at: str = ""
        self.read: list[str] = []

    @property
    def a2i(self) -> Any:
        return self

    def client(self, service: str) -> Any:
        return self

    def review_service(self, url: str) -> Target:
        return self

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        names = list(self.loops)
        for start in range(0, len(names), 100):
            yield {"HumanLoopSummaries": [self._summary(name) for name in names[start : start + 100]]}

    def _summary(self, name: str) -> dict[str, Any]:
        return {"HumanLoopName": name, "HumanLoopStatus": self.loops[name], "CreationTime": CREATED}

    def describe_human_loop(self, *, HumanLoopName: str) -> dict[str, Any]:  # noqa: N803 - AWS's word
        if HumanLoopName == self.breaks_at:
            raise EndpointConnectionError(endpoint_url="https://gone.example")
        if self.loops[HumanLoopName] == "Stopped":
            return {}
        return {"HumanLoopOutput": {"OutputS3Uri": f"s3://outputs/{HumanLoopName}/output.json"}}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - AWS's words
        assert Bucket == "outputs"
        name = Key.split("/", maxsplit=1)[0]
        self.read.append(name)
        if name in self.unreadable:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "It is gone."}}, "GetObject")
        return {"Body": BytesIO(json.dumps(document(name), indent=2).encode())}


def document(name: str, *, arn: str = ARN) -> dict[str, Any]:
    return {"flowDefinitionArn": arn, "humanLoopName": name, "inputContent": {"text": "ä\nb"}}


def run(target: FakeA2I, output: Path) -> Export:
    return export(target, ARN, output=output, now=CREATED, progress=lambda _state: None)


def names(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line)["humanLoopName"] for line in text.splitlines()]


def test_finished_loops_are_exported_one_a_line_and_the_others_counted(tmp_path: Path) -> None:
    loops = {"a": "Completed", "b": "InProgress", "c": "Failed", "d": "Stopped", "e": "Stopping"}
    result = run(FakeA2I(loops), tmp_path / "out.jsonl")
    assert names(tmp_path / "out.jsonl") == ["a", "c"]
    assert str(result) == "2 exported, 2 not finished yet, 1 ended without an answer"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_later_export_adds_what_has_finished_since_and_reads_nothing_twice(tmp_path: Path) -> None:
    target = FakeA2I({"a": "Completed", "b": "InProgress"})
    run(target, tmp_path / "out.jsonl")
    target.loops["b"], target.read = "Completed", []
    result = run(target, tmp_path / "out.jsonl")
    assert names(tmp_path / "out.jsonl") == ["a", "b"]
    assert target.read == ["b"]
    assert (result.written, result.known) == (1, 1)


def test_an_export_that_was_broken_off_leaves_the_file_alone_and_is_gone_on_with(tmp_path: Path) -> None:
    target = FakeA2I({f"loop-{number}": "Completed" for number in range(150)})
    target.breaks_at = "loop-140"
    with pytest.raises(EndpointConnectionError):
        run(target, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()
    kept = names(tmp_path / "out.jsonl.part")
    assert len(kept) >= 128
    target.breaks_at, target.read = "", []
    run(target, tmp_path / "out.jsonl")
    assert sorted(names(tmp_path / "out.jsonl")) == sorted(target.loops)
    assert set(target.read).isdisjoint(kept)
    assert not (tmp_path / "out.jsonl.part").exists()


@pytest.mark.parametrize("half", ['{"humanLoopName": "b", "flowDef', "x" * 200_000])
def test_half_a_line_of_a_killed_run_is_written_anew(tmp_path: Path, half: str) -> None:
    whole = json.dumps(document("a")) + "\n"
    (tmp_path / "out.jsonl.part").write_text(whole + half)
    run(FakeA2I({"a": "Completed", "b": "Completed"}), tmp_path / "out.jsonl")
    assert names(tmp_path / "out.jsonl") == ["a", "b"]


def test_a_document_that_cannot_be_read_is_named_and_tried_again_next_time(tmp_path: Path) -> None:
    target = FakeA2I({"a": "Completed", "b": "Completed"})
    target.unreadable = {"a"}
    result = run(target, tmp_path / "out.jsonl")
    assert result.failures == ["a: It is gone. (NoSuchKey)"]
    target.unreadable = set()
    run(target, tmp_path / "out.jsonl")
    assert names(tmp_path / "out.jsonl") == ["b", "a"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("ten years of work\n", "out.jsonl:1 is no line of an export"),
        (json.dumps(document("a", arn="arn:other")) + "\n", "out.jsonl:1 is of arn:other, not of"),
        ("[1]\n", "is no line of an export"),
    ],
)
def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path, content: str, words: str) -> None:
    precious = tmp_path / "out.jsonl"
    precious.write_text(content)
    with pytest.raises(ExportRefusedError, match=words.replace(".", r"\.")):
        run(FakeA2I({"a": "Completed"}), precious)
    assert precious.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
