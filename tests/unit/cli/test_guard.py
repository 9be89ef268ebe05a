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


VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}


@pytest.mark.parametrize(
    "refers", [{"Ref": "Network"}, {"Fn::GetAtt": ["Network", "Arn"]}, {"Fn::Sub": "x-${Network.Arn}"}]
)
@pytest.mark.parametrize("is_direct", [True, False])
def test_what_refers_to_something_replaced_may_be_replaced(refers: dict[str, Any], is_direct: bool) -> None:
    """Also where something stands between."""
    kept = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": refers}}
    between = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Kept"}}}
    old = {"Network": VPC, "Kept": kept} | ({} if is_direct else {"Last": between})
    replaced = old | {"Network": changed(VPC, CidrBlock="10.1.0.0/16")}
    found_ = {
        danger.logical_id: danger.what
        for danger in dangers("x", {"Resources": old}, {"Resources": replaced}, create_only=create_only)
    }
    assert "BucketName refers to Network, which is replaced" in found_["Kept"]
    assert is_direct or "BucketName refers to Kept, which is replaced" in found_["Last"]
    tagged = {"Resources": old | {"Network": changed(VPC, Tags=[])}}
    assert list(dangers("x", {"Resources": old}, tagged, create_only=create_only)) == []


def test_resources_that_refer_to_each_other_are_no_endless_way() -> None:
    def bucket(other: str) -> dict[str, Any]:
        return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": other}}}

    ring = {"Resources": {"A": bucket("B"), "B": bucket("A")}}
    assert list(dangers("x", ring, ring, create_only=create_only)) == []


def nested(folder: Path, resources: dict[str, Any], *, path: str | None) -> Path:
    """A stack that holds another one."""
    folder.mkdir()
    metadata = {"aws:asset:path": path} if path else {}
    inner = {"Type": "AWS::CloudFormation::Stack", "Metadata": metadata}
    (folder / "data.template.json").write_text(json.dumps({"Resources": {"Inner": inner}}))
    (folder / "inner.nested.template.json").write_text(json.dumps({"Resources": resources}))
    return folder


def test_nested_stacks_are_looked_into(tmp_path: Path) -> None:
    file = "inner.nested.template.json"
    old, after = (
        nested(tmp_path / name, {"Table": table}, path=file)
        for name, table in (("old", TABLE), ("new", changed(TABLE, TableName="other")))
    )
    for places in ((old, after), (old / "data.template.json", after / "data.template.json")):
        done = guard("--old", places[0], "--new", places[1])
        assert done.exit_code == 1
        assert "REFUSED  data/Inner/Table (AWS::DynamoDB::Table) is replaced by an empty one" in done.output
    assert guard("--old", old, "--new", old).exit_code == 0
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / "data.template.json").write_text(json.dumps({"Resources": {}}))
    assert "data/Inner/Table" in guard("--old", old, "--new", gone).output


@pytest.mark.parametrize(
    ("path", "words"), [(None, "names no aws:asset:path"), ("lost.json", "No such file")]
)
def test_a_nested_stack_that_nobody_can_read_is_no_answer(
    tmp_path: Path, path: str | None, words: str
) -> None:
    old = nested(tmp_path / "old", {}, path=path)
    done = guard("--old", old, "--new", old)
    assert done.exit_code == 2
    assert words in done.output


def test_a_type_that_nobody_knows_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    kept = {"Type": "AWS::Nothing::Here", "DeletionPolicy": "Retain"}
    path.write_text(json.dumps({"Resources": {"Kept": kept}}))
    done = guard("--old", path, "--new", path)
    assert done.exit_code == 2
    assert "do not know the type AWS::Nothing::Here" in done.output


def test_what_is_accepted_without_need_is_told(files: tuple[Path, Path]) -> None:
    done = guard("--old", files[0], "--new", files[0], "--accept", "old/Tabel")
    assert done.exit_code == 0
    assert "--accept old/Tabel: no danger to it was found" in done.output


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
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "it has no Resources"),
        ('{"Resources": []}', "its Resources are no JSON object"),
        ('{"Resources": {"A": 3}}', "the resource A has no Type"),
        ('{"Resources": {"A": {}}}', "the resource A has no Type"),
    ],
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
