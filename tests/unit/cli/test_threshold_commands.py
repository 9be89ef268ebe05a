"""`overread threshold`: what is promised of a file of scores, how it is told, and what is refused."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from overread.risk.guarantee import parse_guarantee
from overread_cli.main import main
from overread_testing.report_pages import ReportPage

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
        (
            (*PROMISE, "--guarantee", "g.json", *GUARANTEE, "--reference-errors", "1"),
            "--reference-points goes with one of",
        ),
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

    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
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


def test_a_report_has_the_promise_the_guaranteed_point_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    output = tmp_path / "r.html"
    costs = ("--cost-error", 40, "--cost-review", 1.5, "--reviewer-error", 0.02)
    load = ("--cases-per-hour", 500, "--review-seconds", 90, "--spot-checks", 0.02)
    options = (
        "--scores",
        SENTIMENT,
        *PROMISE,
        *costs,
        *load,
        "--date",
        "2026-11-23",
        "--title",
        "A <b>title</b>",
    )
    result = run("report", *options, "--output", output)
    assert result.exit_code == 0, result.output
    page = ReportPage(output.read_text())
    assert page.faults == []
    certified = json.loads(run("certify", "--scores", SENTIMENT, *PROMISE, "--json").stdout)
    threshold, coverage = f"{certified['threshold']:.6g}", f"{100 * certified['coverage']:.1f} %"
    assert "A <b>title</b>" in page.text
    assert f"from a confidence of {threshold} on, it decides {coverage} of the cases" in page.text
    assert "at most 5 % of these decisions are wrong: we are 95 % sure" in page.text
    assert f"guaranteed: from {threshold} on, with its upper bound" in page.text
    assert f"The guaranteed point is at {coverage} automatic" in "".join(page.alts)
    assert ["SHA-256 of the file", sha256(SENTIMENT.read_bytes()).hexdigest()] in page.rows
    assert ["Date", "2026-11-23"] in page.rows
    reviewed = 1 - certified["coverage"] * (1 - 0.02)
    assert f"People read {100 * reviewed:.1f} % of the cases" in page.text
    for told in ("What it costs", "What people have to do", "What is taken for what", "Learn then Test"):
        assert told in page.text
    # Readers of the file decide that nothing on the page depends on when or where it is made.
    again = tmp_path / "elsewhere" / "again.html"
    again.parent.mkdir()
    assert run("report", *options, "--output", again).exit_code == 0
    assert again.read_bytes() == output.read_bytes()


def test_a_report_on_a_refused_promise_says_so_first(tmp_path: Path) -> None:
    output = tmp_path / "r.html"
    result = run("report", "--scores", SENTIMENT, "--alpha", "0.001", "--delta", "0.05", "--output", output)
    assert result.exit_code == 0, result.output
    page = ReportPage(output.read_text())
    assert page.faults == []
    assert "Nothing is promised, and people decide every case: we cannot guarantee 0.1 %" in page.text
    assert "guaranteed: from" not in page.text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--by", "label"), "For each of 2 labels by itself (negative, positive)"),
        (("--missed", "positive"), "of those decided otherwise truly are positive"),
    ],
)
def test_a_report_tells_other_promises_in_their_words(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    output = tmp_path / "r.html"
    result = run(
        "report", "--scores", SENTIMENT, "--alpha", "0.1", "--delta", "0.05", *options, "--output", output
    )
    assert result.exit_code == 0, result.output
    page = ReportPage(output.read_text())
    assert page.faults == []
    assert told in page.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cost-error", "4"), "--cost-error and --cost-review belong together"),
        (("--cost-error", "0", "--cost-review", "1"), "cost of an error must be above 0"),
        (("--cost-error", "-1", "--cost-review", "1"), "must be a number from 0 on"),
        (("--cases-per-hour", "4"), "--cases-per-hour and --review-seconds belong together"),
        (("--cases-per-hour", "4", "--review-seconds", "0"), "review_seconds must"),
    ],
)
def test_faulty_figures_leave_the_report_as_it_was(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    output = tmp_path / "r.html"
    output.write_text("before")
    result = run("report", "--scores", SENTIMENT, *PROMISE, *options, "--output", output)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert output.read_text() == "before"


def test_two_models_are_compared_under_one_promise(tmp_path: Path) -> None:
    output, second = tmp_path / "c.html", EXAMPLES / "sentiment-second.csv"
    result = run("compare", SENTIMENT, second, *PROMISE, "--output", output, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    for file, one in zip((SENTIMENT, second), told, strict=True):
        alone = json.loads(run("certify", "--scores", file, *PROMISE, "--json").stdout)
        assert {name: one[name] for name in alone} == alone
        assert one["scores"] == file.name
    page = ReportPage(output.read_text())
    assert page.faults == []
    assert ["Decided automatically", *(f"{100 * one['coverage']:.1f} %" for one in told)] in page.rows


def test_models_with_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s.csv").write_bytes(SENTIMENT.read_bytes())
    result = run("compare", tmp_path / "a" / "s.csv", tmp_path / "b" / "s.csv", *PROMISE)
    first, second = result.stdout.splitlines()
    assert first.startswith(str(tmp_path / "a" / "s.csv"))
    assert second.startswith(str(tmp_path / "b" / "s.csv"))


def test_calibration_is_measured_on_cases_that_it_has_not_seen(tmp_path: Path) -> None:
    # Stated 0.9, right in 60 %: whatever half is fitted on, the others' error falls from about 30 points.
    scores = _scores(tmp_path / "s.csv", [(0.9, int(place % 5 < 3)) for place in range(4000)])
    rest = tmp_path / "rest.csv"
    result = run("fit", "--scores", scores, "--output", rest, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["method"], found["fitted_on"], found["measured_on"]) == ("isotonic", 2000, 2000)
    error = found["expected_calibration_error"]
    assert error["before"] == pytest.approx(0.3, abs=0.05)
    assert error["after"] < 0.05
    rows = [line.split(",") for line in rest.read_text().splitlines()[1:]]
    assert len(rows) == 2000
    assert [float(row[0]) for row in rows] == pytest.approx([0.6] * 2000, abs=0.05)
    assert run("certify", "--scores", rest, "--alpha", "0.5", "--delta", "0.05").exit_code == 0


def test_noise_that_was_fitted_is_seen_on_the_other_half(tmp_path: Path) -> None:
    # Each confidence once, right by chance: a rising map made of these very cases would be off by nothing.
    chance = random.Random(3)
    rows = [(round(0.5 + place / 10000, 5), chance.randint(0, 1)) for place in range(4000)]
    found = json.loads(run("fit", "--scores", _scores(tmp_path / "s.csv", rows), "--json").stdout)
    assert found["method"] == "isotonic"
    assert found["expected_calibration_error"]["after"] > 0.01


def test_few_cases_are_calibrated_by_temperature(tmp_path: Path) -> None:
    # Odds of 9 stated, of 1.5 seen: 9^(1/T) = 1.5 for T = ln 9 / ln 1.5 = 5.42.
    scores = _scores(tmp_path / "s.csv", [(0.9, int(place % 5 < 3)) for place in range(400)])
    found = json.loads(run("fit", "--scores", scores, "--json").stdout)
    assert found["method"] == "temperature"
    assert found["temperature"] == pytest.approx(5.42, rel=0.5)
    assert found["expected_calibration_error"]["after"] < 0.1


def test_the_cheapest_threshold_follows_from_what_errors_and_reviews_cost(tmp_path: Path) -> None:
    # Automatic pays when (1 - c - 0.02) x 40 < 1.5, so from c = 0.9425 on.
    result = run(
        *(
            "fit",
            "--scores",
            SENTIMENT,
            "--cost-error",
            40,
            "--cost-review",
            1.5,
            "--reviewer-error",
            0.02,
            "--json",
        ),
        *("--seed", 3),
    )
    assert result.exit_code == 0, result.output
    cost = json.loads(result.stdout)["cost"]
    assert cost["optimal_threshold"] == pytest.approx(0.9425)
    assert cost["cost_per_case_of_people_alone"] == pytest.approx(1.5 + 0.02 * 40)
    assert cost["best_on_these_cases"]["cost_per_case"] < 2.3
    # Where a review costs nothing and nobody errs, people decide everything.
    free = run(
        "fit", "--scores", SENTIMENT, "--cost-error", 40, "--cost-review", 0, "--method", "temperature"
    )
    assert "costs were lowest people decided everything" not in free.stdout
    assert free.exit_code == 0


def test_too_few_cases_to_part_are_refused(tmp_path: Path) -> None:
    scores = _scores(tmp_path / "s.csv", [(0.9, 1)] * 19)
    result = run("fit", "--scores", scores)
    assert result.exit_code == 2
    assert "19 cases are too few to part, 20 are needed" in result.stderr


def test_an_output_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    result = run("report", "--scores", SENTIMENT, *PROMISE, "--output", tmp_path / "no" / "r.html")
    assert result.exit_code == 1
    assert "r.html cannot be written: No such file or directory" in result.stderr
