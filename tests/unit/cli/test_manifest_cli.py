"""`overread manifest` on files, standard input and a fake S3."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result

from overread_aws.s3_presence import Presence
from overread_cli.main import main
from overread_cli.manifest import objects
from overread_testing.aws_emulator import running_emulator

Run = Callable[..., Result]
A, B, C = (f'{{"source-ref":"s3://scans/{name}.jpg"}}\n' for name in "abc")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, given: str | bytes = "") -> Result:
        return CliRunner().invoke(main, ["manifest", *arguments], input=given)

    return command


def test_check_counts_and_names_every_faulty_line(run: Run) -> None:
    Path("m").write_text(A + "\n" + A + B + '{"source":"x\u2028y"}\n')
    result = run("check", "m", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "faults": [
            {"line": 2, "code": "empty_line", "reason": "must hold an object, is empty"},
            {"line": 3, "code": "duplicate_object", "reason": "is the object of line 1 again"},
        ],
        "lines": 5,
        "objects": 3,
        "counts": {"source-ref": 3, "source": 1, "duplicate_object": 1, "empty_line": 1},
    }


def test_check_of_a_good_manifest_from_standard_input(run: Run) -> None:
    result = run("check", "-", given=A + B)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "<stdin>: 2 lines, 2 objects without fault, 0 faults\n"
    assert json.loads(run("check", "-", "--json", given=A).stdout)["faults"] == []


def test_check_shows_people_a_hundred_faults_and_the_sums(run: Run) -> None:
    result = run("check", "-", given="\n" * 150)
    assert result.exit_code == 1
    assert result.stdout.count("empty_line: must") == 100
    assert "empty_line                    150" in result.stdout


def test_missing_objects_are_told_with_their_lines(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"s3://scans/a.jpg": Presence.THERE, "s3://scans/b.jpg": Presence.MISSING}
    asked: list[int] = []

    def ask(_: object, uris: Sequence[str]) -> list[Presence]:
        asked.append(len(uris))
        return [answers.get(uri, Presence.DENIED) for uri in uris]

    monkeypatch.setattr(objects, "_AT_ONCE", 2)
    monkeypatch.setattr(objects, "asked_of_s3", ask)
    monkeypatch.setattr(objects, "make_client", lambda _: None)
    result = run("check", "-", "--objects", "--json", given=A + '{"source":"x"}\n' + B + "\n" + C)
    told = json.loads(result.stdout)
    assert [(one["line"], one["code"]) for one in told["faults"]] == [
        (3, "object_missing"),
        (4, "empty_line"),
        (5, "object_unreadable"),
    ]
    assert (told["lines"], told["objects"], asked) == (5, 2, [1, 1, 1])


def test_missing_objects_are_found_in_a_bucket(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_emulator(tmp_path_factory.mktemp("aws")) as emulator:
        s3 = emulator.client("s3")
        s3.create_bucket(Bucket="scans")
        s3.put_object(Bucket="scans", Key="a.jpg", Body=b"")
        monkeypatch.setattr(objects, "make_client", lambda _: s3)
        result = run("check", "-", "--objects", given=A + B)
    assert result.stdout.splitlines()[0] == "<stdin>:2: object_missing: s3://scans/b.jpg is not there"


def test_an_s3_that_cannot_be_asked_is_no_fault_of_the_manifest(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_credentials(*_: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(objects, "make_client", lambda _: None)
    monkeypatch.setattr(objects, "presences", no_credentials)
    result = run("check", "-", "--objects", given=A)
    assert result.exit_code == 2
    assert "S3 could not be asked: Unable to locate credentials" in result.stderr


def test_a_manifest_is_made_of_keys_of_a_folder_and_of_texts(run: Run) -> None:
    assert (
        run(
            "make", "--keys", "-", "--prefix", "s3://scans/", "--output", "k", given="a.jpg\nb c.jpg\n\n"
        ).exit_code
        == 0
    )
    assert [json.loads(line) for line in Path("k").read_text().splitlines()] == [
        {"source-ref": "s3://scans/a.jpg"},
        {"source-ref": "s3://scans/b c.jpg"},
    ]
    Path("in/deep").mkdir(parents=True)
    for name in ("in/z.png", "in/deep/é.png", "in/.hidden"):
        Path(name).touch()
    assert run("make", "--folder", "in", "--prefix", "s3://scans/", "--output", "f").exit_code == 0
    assert '"s3://scans/deep/é.png"' in Path("f").read_text(encoding="utf-8")
    assert "hidden" not in Path("f").read_text(encoding="utf-8")
    Path("t.csv").write_text('id,body\n1,"two\nlines, ""quoted"""\n2,second\n')
    assert run("make", "--texts", "t.csv", "--column", "body", "--output", "t").stdout == "t: 2 objects\n"
    assert json.loads(Path("t").read_text().split("\n")[0]) == {"source": 'two\nlines, "quoted"'}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--output", "o"], "one of --keys, --folder and --texts"),
        (["--folder", ".", "--output", "o"], "--folder needs --prefix"),
        (["--texts", "t.csv", "--output", "o"], "belong together"),
        (["--texts", "t.csv", "--column", "x", "--output", "o"], "has no column 'x'"),
        (["--keys", "k.txt", "--output", "o"], "o:1: source_ref_invalid"),
        (["--keys", "k.txt", "--prefix", "s3://scans/", "--output", "o"], "o:2: duplicate_object"),
        (["--texts", "t.csv", "--column", "body", "--output", "t.csv"], "would be replaced"),
    ],
)
def test_what_cannot_be_made_is_told_and_leaves_nothing(
    run: Run, arguments: list[str], sentence: str
) -> None:
    Path("k.txt").write_text("a.jpg\na.jpg\n")
    Path("t.csv").write_text("id,body\n1,x\n")
    result = run("make", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["k.txt", "t.csv"]


def test_split_parts_the_lines_as_they_stand(run: Run) -> None:
    lines = [f'{{"source-ref":"s3://scans/{n}.jpg", "id":1.50}}' for n in range(100)]
    Path("m").write_text("\n".join(lines) + "\n")
    assert run("split", "m", "--output", ".").exit_code == 0
    parts = {
        name: Path(f"{name}.manifest").read_text().splitlines() for name in ("train", "validation", "test")
    }
    assert sorted(line for part in parts.values() for line in part) == sorted(lines)
    assert 65 < len(parts["train"]) < 95
    assert all(part == [line for line in lines if line in part] for part in parts.values())
    assert run("split", "m", "--parts", "4", "--output", ".", "--key", "k").exit_code == 0
    assert sum(len(Path(f"part-{n}.manifest").read_text().splitlines()) for n in range(1, 5)) == 100


@pytest.mark.parametrize("into", ["train", "=3", "a/b=3", "train=0", "train=x"])
def test_split_refuses_parts_that_are_none(run: Run, into: str) -> None:
    Path("m").write_text(A)
    assert run("split", "m", "--into", into, "--output", ".").exit_code == 2


def test_split_writes_nothing_of_a_manifest_with_an_unreadable_line(run: Run) -> None:
    Path("m").write_text(A + "{\n")
    result = run("split", "m", "--output", ".")
    assert (result.exit_code, [path.name for path in Path().iterdir()]) == (2, ["m"])
    assert "m:2: not_json" in result.stderr


def test_stats_tell_labels_classes_and_confidence(run: Run) -> None:
    metadata: dict[str, Any] = {"class-name": "cat", "confidence": 0.9, "human-annotated": "yes"}
    Path("m").write_text(A + json.dumps({"source": "x", "kind": 0, "kind-metadata": metadata}) + "\n")
    told = json.loads(run("stats", "m", "--json").stdout)
    assert told["attributes"]["kind"]["classes"] == {"cat": 1}
    shown = run("stats", "m").stdout
    assert "kind: 1 labeled (1 by people, 0 by machine), 1 not, 0 failed, 0 without a class" in shown
    assert "50% 0.900" in shown


def test_merge_writes_all_or_nothing(run: Run) -> None:
    label = '{"source-ref":"s3://scans/%s.jpg","k":%d,"k-metadata":{}}\n'
    Path("in").write_text(A + B)
    Path("one").write_text(label % ("a", 1))
    Path("two").write_text(label % ("b", 2))
    assert run("merge", "in", "one", "two", "--output", "out").stdout == "out: 2 objects\n"
    assert Path("out").read_text() == label % ("a", 1) + label % ("b", 2)
    Path("two").write_text(label % ("a", 2) + label % ("b", 2))
    result = run("merge", "in", "one", "two", "--output", "again")
    assert result.exit_code == 2
    assert "in:1: labeled_twice: two has another 'k'" in result.stderr
    assert not Path("again").exists()
    assert run("merge", "in", "one", "two", "--prefer", "later", "--output", "again").exit_code == 0
    assert Path("again").read_text() == label % ("a", 2) + label % ("b", 2)
    assert "would be replaced" in run("merge", "in", "one", "--output", "one").stderr
