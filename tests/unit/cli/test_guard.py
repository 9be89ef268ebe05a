"""The replacement guard: each way to lose what a stack keeps, planted; and what is harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread_cli.guard.create_only import create_only
from overread_cli.guard.dangers import Danger, dangers
from overread_cli.main import main

TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {"TableName": "decisions", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]},
    "DeletionPolicy": "Retain",
    "UpdateReplacePolicy": "Retain",
}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "router"}}
OLD = {"Resources": {"Table": TABLE, "Bucket": BUCKET, "Function": FUNCTION}}


def new(**changes: Any) -> dict[str, Any]:
    resources = OLD["Resources"] | changes
    return {"Resources": {name: one for name, one in resources.items() if one is not None}}


def found(after: dict[str, Any]) -> list[Danger]:
    return list(dangers("data", OLD, after, create_only=create_only))


def changed(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return resource | {"Properties": resource["Properties"] | properties}


@pytest.mark.parametrize(
    ("after", "name", "words"),
    [
        (new(Table=None), "Table", "is not in the new template: the old one stays, in no stack"),
        (
            new(Bucket=None),
            "Bucket",
            "is not in the new template: the old one is deleted with all that it holds",
        ),
        (new(Table=None, Renamed=TABLE), "Table", "is called Renamed now"),
        (new(Table=TABLE | {"Type": "AWS::S3::Bucket"}), "Table", "becomes another type, AWS::S3::Bucket"),
        (
            new(Table=changed(TABLE, TableName="other")),
            "Table",
            "is replaced by an empty one, because TableName changes: the old one stays",
        ),
        (
            new(Table=changed(TABLE, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])),
            "Table",
            "may be replaced by an empty one, because KeySchema changes",
        ),
        (new(Bucket=changed(BUCKET, BucketName="named")), "Bucket", "because BucketName changes"),
        (new(Table=TABLE | {"DeletionPolicy": "Delete"}), "Table", "loses its DeletionPolicy Retain"),
        (
            new(Table={key: value for key, value in TABLE.items() if key != "UpdateReplacePolicy"}),
            "Table",
            "loses its UpdateReplacePolicy Retain",
        ),
    ],
)
def test_each_way_to_lose_it_is_found(after: dict[str, Any], name: str, words: str) -> None:
    (danger,) = found(after)
    assert danger.logical_id == name
    assert words in danger.what
    assert danger.instead


@pytest.mark.parametrize(
    "after",
    [
        OLD,
        new(Function=None),
        new(Function=changed(FUNCTION, FunctionName="other")),
        new(Table=changed(TABLE, BillingMode="PAY_PER_REQUEST")),
        new(Bucket=BUCKET | {"DeletionPolicy": "Retain"}),
        new(More=TABLE),
    ],
)
def test_what_keeps_everything_is_let_through(after: dict[str, Any]) -> None:
    assert found(after) == []


def guard(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["guard", *map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    old, changed_ = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(OLD))
    changed_.write_text(json.dumps(new(Table=None)))
    return old, changed_


def test_the_command_refuses_and_says_what_to_do(files: tuple[Path, Path]) -> None:
    old, after = files
    done = guard("--old", old, "--new", after)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "REFUSED  old/Table (AWS::DynamoDB::Table) is not in the new template: "
        "the old one stays, in no stack",
        "         instead: keep it, or take it out of the stack first with DeletionPolicy Retain deployed",
        "1 found, 1 refused",
    ]
    document = json.loads(guard("--old", old, "--new", after, "--json").output)
    assert document["refused"] is True
    assert document["dangers"][0]["logical_id"] == "Table"
    accepted = guard("--old", old, "--new", after, "--accept", "old/Table")
    assert accepted.exit_code == 0
    assert "1 found, 0 refused" in accepted.output
    same = guard("--old", old, "--new", old)
    assert (same.exit_code, same.output) == (0, "nothing that is kept would be destroyed\n")


def test_a_stack_that_is_gone_takes_what_it_holds(tmp_path: Path) -> None:
    for folder, stacks in (("old", ("data", "more")), ("new", ("more",))):
        (tmp_path / folder).mkdir()
        artifacts = {
            name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.json"}}
            for name in stacks
        }
        (tmp_path / folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        for name in stacks:
            (tmp_path / folder / f"{name}.json").write_text(json.dumps(OLD))
    done = guard("--old", tmp_path / "old", "--new", tmp_path / "new", "--json")
    assert done.exit_code == 1
    assert {danger["stack"] for danger in json.loads(done.output)["dangers"]} == {"data"}


def test_a_single_stack_under_another_name_is_gone(tmp_path: Path) -> None:
    for folder, name in (("old", "data"), ("new", "other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.template.json").write_text(json.dumps(OLD))
    assert guard("--old", tmp_path / "old", "--new", tmp_path / "new").exit_code == 1


def test_an_assembly_without_stacks_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    done = guard("--old", tmp_path, "--new", tmp_path)
    assert done.exit_code == 2
    assert "no stack in it" in done.output


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), ("{", "not JSON"), ("[]", "not a JSON object"), ("{}", "it has no Resources")],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "template.json"
    if content is not None:
        path.write_text(content)
    done = guard("--old", path, "--new", path)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_our_own_stateful_types_are_all_known() -> None:
    golden = Path(__file__).parents[3] / "tests/synth/stacks_synth/golden"
    for path in sorted(golden.glob("*.json")):
        template = json.loads(path.read_text())
        assert list(dangers(path.stem, template, template, create_only=create_only)) == []
