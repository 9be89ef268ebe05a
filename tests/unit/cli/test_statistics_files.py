"""Labels and scores out of files: the same votes from every format, and a sentence for every fault."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from overread.errors import InvalidDataError
from overread_cli.statistics.frame import Progress, rows_text, write_all
from overread_cli.statistics.inputs import read_gold, read_scores, read_votes
from overread_cli.statistics.tables import Source

ROWS = [("1", "ann", "cat"), ("1", "bob", "dog"), ("2", "ann", "dog"), ("2", "bob", "dog"), ("3", "ann", "")]
Write = Callable[[Path], None]


def _say(_text: str) -> None:
    pass


def _csv(
    path: Path, *, encoding: str = "utf-8", end: str = "\n", delimiter: str = ",", mark: str = ""
) -> None:
    lines = [delimiter.join(row) for row in [("item", "worker", "label"), *ROWS]]
    path.write_bytes((mark + end.join(lines) + end).encode(encoding))


def _json_lines(path: Path) -> None:
    rows = [{"item": int(item), "worker": worker, "label": label or None} for item, worker, label in ROWS]
    path.write_text("\n".join(map(json.dumps, rows)))


def _json_array(path: Path) -> None:
    rows = [{"item": int(item), "worker": worker, "label": label or None} for item, worker, label in ROWS]
    path.write_text(json.dumps(rows, indent=1))


def _parquet(path: Path) -> None:
    items, workers, labels = zip(*ROWS, strict=True)
    columns = {
        "item": pyarrow.array([int(item) for item in items]),
        "worker": pyarrow.array(workers).dictionary_encode(),
        "label": [label or None for label in labels],
        "note": [[1]] * len(items),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def _pandas(path: Path) -> None:
    import pandas

    items, workers, labels = zip(*ROWS, strict=True)
    frame = pandas.DataFrame({"item": [float(item) for item in items], "worker": workers, "label": labels})
    frame.to_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("plain.csv", _csv),
        ("crlf.csv", lambda path: _csv(path, end="\r\n")),
        ("marked.csv", lambda path: _csv(path, mark="\ufeff")),
        ("excel.csv", lambda path: _csv(path, encoding="utf-16")),
        ("semicolon.csv", lambda path: _csv(path, delimiter=";")),
        ("tabs.tsv", lambda path: _csv(path, delimiter="\t")),
        ("lines.jsonl", _json_lines),
        ("array.jsonl", _json_array),
        ("table.parquet", _parquet),
        ("frame.parquet", _pandas),
    ],
)
def test_every_format_gives_the_same_votes(tmp_path: Path, name: str, write: Write) -> None:
    path = tmp_path / name
    write(path)
    read = read_votes(Source(path), say=_say)
    assert read.votes.items == ("1", "2", "3")
    assert read.votes.workers == ("ann", "bob")
    assert read.votes.classes == ("cat", "dog")
    assert list(
        zip(read.votes.item.tolist(), read.votes.worker.tolist(), read.votes.label.tolist(), strict=True)
    ) == [
        (0, 0, 0),
        (0, 1, 1),
        (1, 0, 1),
        (1, 1, 1),
    ]
    assert read.votes.missing == 1
    assert read.sha256 == sha256(path.read_bytes()).hexdigest()


def test_standard_input_is_read_as_csv_or_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for form, text in (
        (None, "item,worker,label\n1,a,x\n"),
        ("jsonl", '{"item":"1","worker":"a","label":"x"}'),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        read = read_votes(Source(Path("-"), form), say=_say)
        assert read.votes.items == ("1",)
        assert read.name == "standard input"


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text('task,"who, exactly",answer\n1,a,"x, y"\n')
    read = read_votes(
        Source(path, None, {"item": "task", "worker": "who, exactly", "label": "answer"}), say=_say
    )
    assert read.votes.classes == ("x, y",)


def _manifest(path: Path) -> None:
    lines = [
        {
            "source-ref": f"s3://b/{name}",
            **_labelled("model", model, confidence),
            **_labelled("people", people, 0.0),
        }
        for name, model, confidence, people in [
            ("1", "cat", 0.9, "cat"),
            ("2", "dog", 0.7, "cat"),
            ("3", "dog", 1, "dog"),
        ]
    ]
    lines.append({"source-ref": "s3://b/4", **_labelled("model", "cat", 0.6)})
    lines.append({"source-ref": "s3://b/5"})
    path.write_text("\n".join(map(json.dumps, lines)))


def _labelled(attribute: str, name: str, confidence: float) -> dict[str, Any]:
    told = {"class-name": name, "confidence": confidence, "type": "groundtruth/image-classification"}
    return {attribute: 0, f"{attribute}-metadata": told}


@pytest.mark.parametrize("name", ["output.manifest", "feedback.jsonl"])
def test_a_label_attribute_is_a_worker(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    _manifest(path)
    read = read_votes(Source(path), say=_say)
    assert read.votes.workers == ("model", "people")
    assert read.votes.items == ("s3://b/1", "s3://b/2", "s3://b/3", "s3://b/4")
    assert len(read.votes) == 7
    only = read_votes(Source(path), attributes=("people",), say=_say)
    assert only.votes.workers == ("people",)
    gold = read_gold(Source(path), attribute="people", votes=read.votes, say=_say)
    assert [read.votes.classes[code] for code in gold.label] == ["cat", "cat", "dog"]


def test_scores_of_a_manifest_compare_two_label_attributes(tmp_path: Path) -> None:
    path = tmp_path / "output.manifest"
    _manifest(path)
    read = read_scores(Source(path), prediction="model", truth="people", say=_say)
    assert read.scores.confidence.tolist() == [0.9, 0.7, 1.0]
    assert read.scores.is_correct.tolist() == [True, False, True]
    assert read.scores.truth == ("cat", "cat", "dog")


def _payload(path: Path) -> None:
    entries = [
        {
            "datasetObjectId": str(number),
            "dataObject": {"s3Uri": f"s3://b/{number}.jpg"},
            "annotations": [
                {"workerId": worker, "annotationData": {"content": json.dumps({"kind": {"label": label}})}}
                for worker, label in (("w1", "cat"), ("w2", said))
            ],
        }
        for number, said in enumerate(["cat", "dog"])
    ]
    path.write_text(json.dumps(entries))


def _loops(path: Path) -> None:
    outputs = [
        {
            "humanLoopName": f"loop-{number}",
            "humanAnswers": [
                {"workerId": worker, "answerContent": {"kind": {"label": label}}}
                for worker, label in (("w1", "cat"), ("w2", said))
            ],
        }
        for number, said in enumerate(["cat", "dog"])
    ]
    path.write_text("\n".join(map(json.dumps, outputs)))


@pytest.mark.parametrize(("name", "write"), [("payload.json", _payload), ("loops.jsonl", _loops)])
@pytest.mark.parametrize("answer", [None, "kind.label"])
def test_workers_answers_are_votes(tmp_path: Path, name: str, write: Write, answer: str | None) -> None:
    path = tmp_path / name
    write(path)
    read = read_votes(Source(path), answer=answer, say=_say)
    assert read.votes.workers == ("w1", "w2")
    assert read.votes.label.tolist() == [0, 0, 0, 1]


def test_an_answer_with_two_labels_needs_to_be_told_which(tmp_path: Path) -> None:
    path = tmp_path / "loops.jsonl"
    answer = {"animal": {"label": "cat"}, "colour": {"label": "red"}}
    output = {"humanLoopName": "l", "humanAnswers": [{"workerId": "w", "answerContent": answer}]}
    path.write_text(json.dumps(output))
    with pytest.raises(InvalidDataError, match="row 1: an answer without worker or without one label"):
        read_votes(Source(path), say=_say)
    assert read_votes(Source(path), answer="colour.label", say=_say).votes.classes == ("red",)


def test_an_answer_without_one_label_is_told_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "payload.json"
    _payload(path)
    with pytest.raises(InvalidDataError, match=r"rows 1, 2: an answer without worker or without one label"):
        read_votes(Source(path), answer="kind.colour", say=_say)
    with pytest.raises(InvalidDataError, match=r"'kind\[' is no JMESPath"):
        read_votes(Source(path), answer="kind[", say=_say)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "l.csv: is empty"),
        (b"\n\n", "l.csv: is empty"),
        (b"item,worker,label\n", "l.csv: there are no rows"),
        (
            b"item,annotator,answer\n1,a,x\n",
            "l.csv: the columns worker and label are missing; found: item, annotator, answer",
        ),
        (b"item,item,worker,label\n1,1,a,x\n", "l.csv: the header names 'item' more than once"),
        (b"item,worker,label\n1,a,x\n2,a\n3,a,x,y\n", "l.csv: rows 2, 3: not 3 fields as the header has"),
        (b'item,worker,label\n1,a,"x\n', "l.csv: is not CSV: line 2"),
        (b"item,worker,label\n1,a,\xe9\n", "l.csv: is not text in UTF-8"),
        (b"item,worker,label\n1,,x\n,a,x\n", "l.csv: item is missing (row 2)"),
        (b"item,worker,label\n1,a,\n", "l.csv: label is missing in every row"),
    ],
)
def test_a_faulty_csv_is_refused_with_its_rows(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidDataError) as caught:
        read_votes(Source(path), say=_say)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.jsonl", '{"item": 1, "worker": "a", "label": "x"}\n{"item"', "row 2 is not JSON"),
        ("l.jsonl", '{"item": 1, "worker": "a", "label": NaN}', "row 1 is not JSON: NaN is not JSON"),
        ("l.jsonl", "[1, 2]", "row 1 is not an object"),
        ("l.jsonl", "", "is empty"),
        ("l.jsonl", "[]", "is empty"),
        ("l.parquet", "no parquet", "is not Parquet"),
        ("l.parquet", "", "is empty"),
        ("l.txt", "item", "the ending .txt tells no format; give one of csv, parquet"),
        (
            "l.jsonl",
            '{"item": 1, "worker": "a", "label": "x"}\n{"item": "1", "worker": "a", "label": "x"}\n',
            "item must be of one type",
        ),
        ("l.json", '[{"datasetObjectId": "1"}]', "no line has a label attribute"),
        (
            "l.manifest",
            '{"source-ref": "a", "x": {}, "x-metadata": {"class-map": {}}}',
            "row 1: x-metadata has no class-name",
        ),
        ("l.manifest", '{"source-ref": "a", "x": 1}', "no line has a label attribute"),
    ],
)
def test_other_faulty_files_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InvalidDataError) as caught:
        read_votes(Source(path), say=_say)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_compressed_file_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(gzip.compress(b"item,worker,label\n" * 99))
    with pytest.raises(InvalidDataError, match="is not text in UTF-8"):
        read_votes(Source(path), say=_say)


def test_rows_are_told_five_at_a_time() -> None:
    assert rows_text([3]) == "row 3"
    assert rows_text([1, 2, 3, 4, 5, 1006, 1007]) == "rows 1, 2, 3, 4, 5 and 2 more"


def test_nothing_is_written_when_one_of_two_files_cannot_be(tmp_path: Path) -> None:
    there, gone = tmp_path / "there.txt", tmp_path / "no such folder" / "x.txt"
    there.write_text("before")
    with pytest.raises(Exception, match=r"x\.txt cannot be written: No such file"):
        write_all({there: "after", gone: "x"})
    assert there.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["there.txt"]


def test_progress_without_terminal_is_a_line_every_few_seconds() -> None:
    stream, now = io.StringIO(), [0.0]
    with Progress(stream, clock=lambda: now[0]) as say:
        for second in range(12):
            now[0] = float(second)
            say(f"second {second}")
    assert stream.getvalue().splitlines() == ["second 5", "second 10"]
