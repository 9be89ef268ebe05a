"""`overread threshold`: what is promised of a file of scores, how it is told, and what is refused."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from overread.risk.guarantee import parse_guarantee
from overread_cli.main import main

EXAMPLES = Path(__file__).parents[3] / "examples" / "statistics"
SENTIMENT = EXAMPLES / "sentiment.csv"
PROMISE = ("--alpha", "0.05", "--delta", "0.05")
GUARANTEE = (
    *("--use-case", "film-reviews", "--model-version", "sha256:1f2e", "--reference", "one-reader"),
    *("--date", "2026-11-23"),
)


def run(*arguments: object, given: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["threshold", *map(str, arguments)], input=given)


def _scores(path: Path, rows: list[tuple[float, int]]) -> Path:
    path.write_text(
        "confidence,correct\n" + "".join(f"{confidence},{correct}\n" for confidence, correct in rows)
    )
    return path


def test_a_certificate_has_the_figures_of_the_file() -> None:
    result = run("certify", "--scores", SENTIMENT, *PROMISE, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    rows = [line.split(",") for line in SENTIMENT.read_text().splitlines()[1:]]
    accepted = [row for row in rows if float(row[1]) >= found["threshold"]]
    assert found["certified"] is True
    assert found["points"] == len(rows) == 2000
    assert found["n"] == len(accepted)
    assert found["errors"] == sum(row[2] == "0" for row in accepted)
    assert found["coverage"] == pytest.approx(len(accepted) / len(rows))
    assert found["errors"] / found["n"] < found["upper_bound"] <= 0.05


def test_too_few_points_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    # 0.95^n <= 0.05 needs n = 59 error-free points: 40 are 19 too few.
    scores = _scores(tmp_path / "s.csv", [(0.9, 1)] * 40)
    result = run("certify", "--scores", scores, *PROMISE)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cannot guarantee 5 % from 40 points")
    assert not result.stdout
    told = run("certify", "--scores", scores, *PROMISE, "--json")
    assert told.exit_code == 0
    document = json.loads(told.stdout)
    assert (document["certified"], document["threshold"], document["needed"]) == (False, None, 19)
    assert document["message"] in result.stderr


def test_the_same_scores_in_any_format_give_the_same_certificate(tmp_path: Path) -> None:
    import pandas

    frame = pandas.read_csv(SENTIMENT)
    frame.to_parquet(tmp_path / "s.parquet")
    frame.to_json(tmp_path / "s.jsonl", orient="records", lines=True)
    lines = [
        {
            "source-ref": f"s3://b/{row.id}",
            "model": 0,
            "model-metadata": {"class-name": row.label, "confidence": row.confidence},
            "people": 0,
            "people-metadata": {"class-name": row.truth, "confidence": 0.0},
        }
        for row in frame.itertuples()
    ]
    (tmp_path / "s.manifest").write_text("\n".join(map(json.dumps, lines)))
    expected = run("certify", "--scores", SENTIMENT, *PROMISE, "--json").stdout
    attributes = ("--prediction-attribute", "model", "--truth-attribute", "people")
    for name, options in (("s.parquet", ()), ("s.jsonl", ()), ("s.manifest", attributes)):
        result = run("certify", "--scores", tmp_path / name, *options, *PROMISE, "--json")
        assert result.stdout == expected, result.output
    piped = run("certify", "--scores", "-", *PROMISE, "--json", given=SENTIMENT.read_bytes())
    assert piped.stdout == expected


def test_a_guarantee_is_written_for_the_routing_policy(tmp_path: Path) -> None:
    output = tmp_path / "guarantee.json"
    result = run(
        *("certify", "--scores", SENTIMENT, *PROMISE, "--guarantee", output, *GUARANTEE, "--json"),
        *("--reference-errors", 6, "--reference-points", 300),
    )
    assert result.exit_code == 0, result.output
    told, guarantee = json.loads(result.stdout), parse_guarantee(output.read_bytes())
    assert told["guarantee"] == guarantee.id
    assert (guarantee.threshold, guarantee.n, guarantee.errors) == (
        told["threshold"],
        told["n"],
        told["errors"],
    )
    assert guarantee.data_sha256 == sha256(SENTIMENT.read_bytes()).hexdigest()
    assert (guarantee.use_case, guarantee.date.isoformat()) == ("film-reviews", "2026-11-23")
    assert guarantee.reference.error is not None
    assert guarantee.reference.error.estimate == pytest.approx(0.02)
    assert 0.02 < guarantee.reference.error.upper < 0.06


def test_a_refused_promise_leaves_no_guarantee(tmp_path: Path) -> None:
    output = tmp_path / "guarantee.json"
    output.write_text("the one before")
    result = run(
        "certify",
        "--scores",
        SENTIMENT,
        "--alpha",
        "0.001",
        "--delta",
        "0.05",
        "--guarantee",
        output,
        *GUARANTEE,
    )
    assert result.exit_code == 1
    assert f"{output} was not written" in result.stderr
    assert output.read_text() == "the one before"


def test_a_promise_for_each_label_is_a_guarantee_with_their_thresholds(tmp_path: Path) -> None:
    output = tmp_path / "guarantee.json"
    result = run(
        *("certify", "--scores", SENTIMENT, "--alpha", "0.1", "--delta", "0.05", "--by", "label", "--json"),
        *("--guarantee", output, *GUARANTEE),
    )
    assert result.exit_code == 0, result.output
    told, guarantee = json.loads(result.stdout), parse_guarantee(output.read_bytes())
    assert set(told["certificates"]) == {"negative", "positive"}
    assert guarantee.label_thresholds == {
        name: one["threshold"] for name, one in told["certificates"].items()
    }
    assert guarantee.threshold == 1.0
    assert guarantee.n == sum(one["n"] for one in told["certificates"].values())


def test_missed_positives_are_bounded_among_automatic_negatives() -> None:
    result = run("certify", "--scores", SENTIMENT, *PROMISE, "--missed", "positive", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    rows = [line.split(",") for line in SENTIMENT.read_text().splitlines()[1:]]
    passed = [row for row in rows if row[3] != "positive" and float(row[1]) >= found["threshold"]]
    assert found["certified"] is True
    assert (found["n"], found["errors"]) == (len(passed), sum(row[4] == "positive" for row in passed))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--alpha", "0", "--delta", "0.05"), "greater than 0 and less than 1"),
        (("--alpha", "nan", "--delta", "0.05"), "greater than 0 and less than 1"),
        (("--alpha", "0.05", "--delta", "1"), "greater than 0 and less than 1"),
        (("--alpha", "0.05"), "Missing option '--delta'"),
        ((*PROMISE, "--by", "label", "--missed", "positive"), "different promises"),
        ((*PROMISE, "--by", "group"), "--by group needs a column group"),
        ((*PROMISE, "--missed", "neutral"), "neutral"),
        ((*PROMISE, "--use-case", "x"), "--guarantee FILE writes one"),
        ((*PROMISE, "--guarantee", "g.json"), "--guarantee needs --use-case, --model-version, --reference"),
        ((*PROMISE, "--guarantee", "g.json", *GUARANTEE, "--by", "group"), "no thresholds by group"),
        ((*PROMISE, "--guarantee", "g.json", *GUARANTEE, "--missed", "positive"), "something else"),
        ((*PROMISE, "--guarantee", "g.json", *GUARANTEE, "--reference-errors", "1"), "belong together"),
        ((*PROMISE, "--guarantee", "g.json", *GUARANTEE, "--use-case", "No Name"), "use_case"),
        ((*PROMISE, "--date", "yesterday"), "must be a day"),
        ((*PROMISE, "--column", "confidence"), "must be OURS=THEIRS"),
        (
            (*PROMISE, "--column", "confidence=score"),
            "the column confidence is missing; found: id, confidence",
        ),
    ],
)
def test_faulty_options_are_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("certify", "--scores", SENTIMENT, *options)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["is empty"]),
        ("confidence,correct\n", ["there are no rows"]),
        ("score,right\n0.5,1\n", ["the columns confidence and correct are missing; found: score, right"]),
        ("confidence,truth\n0.5,1\n", ["the column correct is missing"]),
        (
            "confidence,correct\n0.9,1\n1.2,1\n-1,0\n",
            ["confidence must be a probability in [0, 1], got 1.2 (rows 2, 3)"],
        ),
        ("confidence,correct\nnan,1\n0.4,0\n", ["got NaN (row 1)"]),
        ("confidence,correct\nhigh,1\n0.4,0\n", ["confidence must be a number, got 'high' (row 1)"]),
        ("confidence,correct\n,1\n0.4,0\n", ["confidence must be a number, got '' (row 1)"]),
        (
            "confidence,correct\n0.4,yes\n0.4,2\n",
            ["correct must be true or false (1 or 0), got 'yes' (rows 1, 2)"],
        ),
        ("id,confidence,correct\na,0.4,1\na,0.5,0\n", ["id must be unique, got 'a' (row 2)"]),
        ("id,confidence,correct\na,7,1\na,0.5,maybe\n", ["(row 1)", "id must be unique", "correct must be"]),
        ("confidence,correct\n0.4\n", ["row 1: not 2 fields"]),
    ],
)
def test_faulty_scores_are_told_with_their_rows(tmp_path: Path, text: str, messages: list[str]) -> None:
    scores = tmp_path / "s.csv"
    scores.write_text(text)
    result = run("certify", "--scores", scores, *PROMISE, "--json")
    assert result.exit_code == 2
    assert not result.stdout
    assert isinstance(result.exception, SystemExit)
    for message in messages:
        assert message in result.stderr
    assert all(str(scores) in line for line in result.stderr.splitlines())
    assert scores.read_text() == text


def test_texts_and_numbers_mixed_are_refused(tmp_path: Path) -> None:
    scores = tmp_path / "s.jsonl"
    scores.write_text('{"confidence": 0.5, "correct": 1}\n{"confidence": "0.5", "correct": 1}\n')
    result = run("certify", "--scores", scores, *PROMISE)
    assert result.exit_code == 2
    assert "confidence must be of one type, got texts and numbers mixed (row" in result.stderr


def test_a_file_that_is_not_there_is_the_command_lines_fault() -> None:
    result = run("certify", "--scores", "nowhere.csv", *PROMISE)
    assert result.exit_code == 2
    assert "nowhere.csv" in result.stderr


@pytest.mark.parametrize("package", ["numpy", "pyarrow", "matplotlib"])
def test_a_missing_package_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    scores = tmp_path / "s.parquet"
    scores.write_bytes(b"PAR1")
    output = tmp_path / "r.html"
    file = scores if package == "pyarrow" else SENTIMENT
    for name in [name for name in sys.modules if name.startswith("overread.risk") and package == "numpy"]:
        monkeypatch.delitem(sys.modules, name)
    result = run("report", "--scores", file, *PROMISE, "--output", output)
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"Error: this needs {package}, which is not installed: pip install overread[statistics]\n"
    )
    assert not output.exists()
