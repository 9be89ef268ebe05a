"""`overread consensus`: what is written, what is told of it, and how honestly it is measured."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread_cli.main import main

PATIENTS = Path(__file__).parents[3] / "examples" / "statistics" / "anaesthetists.csv"
HITSPAM = Path(__file__).parents[2] / "data" / "labels"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["consensus", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    result = run("run", *arguments, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[tuple[Any, ...]], *, head: str) -> Path:
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def _crowd(folder: Path, *, items: int = 600, right: float = 0.7) -> tuple[Path, Path]:
    """Three workers who are right so often, and the truth."""
    chance = random.Random(7)
    truth = [chance.choice("ab") for _ in range(items)]
    votes = [
        (f"i{place:04}", worker, label if chance.random() < right else "ab".replace(label, ""))
        for place, label in enumerate(truth)
        for worker in ("w1", "w2", "w3")
    ]
    labels = _write(folder / "labels.csv", votes, head="item,worker,label")
    gold = _write(
        folder / "gold.csv", [(f"i{place:04}", label) for place, label in enumerate(truth)], head="item,label"
    )
    return labels, gold


def test_most_votes_win_and_their_share_is_the_confidence(tmp_path: Path) -> None:
    votes = [(1, "x", "a"), (1, "y", "a"), (1, "z", "b"), (2, "x", "b"), (3, "x", "a"), (3, "y", "b")]
    labels = _write(tmp_path / "l.csv", votes, head="item,worker,label")
    document = told("--labels", labels, "--method", "majority", "--output", tmp_path / "o.csv")
    assert [tuple(row.values()) for row in rows_of(tmp_path / "o.csv")] == [
        ("1", "a", "0.666667"),
        ("2", "b", "1"),
        ("3", "a", "0.5"),
    ]
    assert {name: document[name] for name in ("method", "items", "workers", "votes", "classes")} == {
        "method": "majority",
        "items": 3,
        "workers": 3,
        "votes": 6,
        "classes": ["a", "b"],
    }
    assert document["mean_confidence"] == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert (document["accuracy"], document["gold"], document["is_calibrated"]) == (None, None, False)


def test_the_published_table_is_read_and_decided(tmp_path: Path) -> None:
    document = told("--labels", PATIENTS, "--method", "dawid-skene", "--output", tmp_path / "o.csv")
    assert (document["items"], document["workers"], document["votes"]) == (45, 5, 315)
    assert document["repeats"] == 90  # the first observer's second and third look at 45 patients
    assert document["is_converged"] is True
    assert document["iterations"] > 3
    rows = rows_of(tmp_path / "o.csv")
    assert len(rows) == 45
    shares = [sum(row["label"] == name for row in rows) / 45 for name in "1234"]
    # Dawid and Skene 1979, Table 2: .40 .42 .11 .07 of the patients.
    assert shares == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.03)


def test_gold_measures_votes_alone_although_the_output_knows_it(tmp_path: Path) -> None:
    labels, gold = _crowd(tmp_path)
    known = {row["item"]: row["label"] for row in rows_of(gold)}
    document = told(
        "--labels", labels, "--gold", gold, "--method", "majority", "--output", tmp_path / "o.csv"
    )
    blind = told("--labels", labels, "--method", "majority", "--output", tmp_path / "blind.csv")
    right = sum(known[row["item"]] == row["label"] for row in rows_of(tmp_path / "blind.csv"))
    assert document["accuracy"] == pytest.approx(right / 600)
    assert blind["accuracy"] is None
    assert {row["item"]: row["label"] for row in rows_of(tmp_path / "o.csv")} == known
    assert any("every item is gold" in note for note in document["notes"])


def test_gold_that_only_measures_changes_no_label(tmp_path: Path) -> None:
    labels, gold = _crowd(tmp_path)
    options = ("--labels", labels, "--method", "dawid-skene", "--output")
    told(*options, tmp_path / "blind.csv")
    document = told(*options, tmp_path / "o.csv", "--gold", gold, "--measure-only")
    assert [row["label"] for row in rows_of(tmp_path / "o.csv")] == [
        row["label"] for row in rows_of(tmp_path / "blind.csv")
    ]
    assert document["gold"] == {"items": 600, "without_votes": 0, "is_learnt": False}


def test_with_enough_gold_confidence_is_calibrated_and_says_so(tmp_path: Path) -> None:
    # Two of three votes agree: majority says 2/3; three: it says 1. Right are about 0.7 and 0.93 of those
    # (0.343 right and 0.027 wrong unanimous ones): stated 1 is too much.
    labels, gold = _crowd(tmp_path)
    options = ("--labels", labels, "--method", "majority", "--output", tmp_path / "o.csv")
    document = told(*options, "--gold", gold, "--measure-only")
    assert document["is_calibrated"] is True
    assert document["calibration"] == "confidence is calibrated on 600 gold items (isotonic regression)"
    confidences = sorted({float(row["confidence"]) for row in rows_of(tmp_path / "o.csv")})
    assert confidences == pytest.approx([0.7, 0.93], abs=0.05)
    assert document["expected_calibration_error_calibrated"] < document["expected_calibration_error"]


def test_known_labels_stay_certain_when_the_others_are_calibrated(tmp_path: Path) -> None:
    labels, gold = _crowd(tmp_path)
    half = tmp_path / "half.csv"
    half.write_text("\n".join(gold.read_text().splitlines()[:301]))
    document = told(
        "--labels", labels, "--gold", half, "--method", "majority", "--output", tmp_path / "o.csv"
    )
    assert document["is_calibrated"] is True
    confidences = [float(row["confidence"]) for row in rows_of(tmp_path / "o.csv")]
    assert set(confidences[:300]) == {1.0}
    assert max(confidences[300:]) < 1.0


def test_with_little_gold_confidence_is_as_stated_and_says_so(tmp_path: Path) -> None:
    labels, gold = _crowd(tmp_path)
    few = tmp_path / "few.csv"
    few.write_text("\n".join(gold.read_text().splitlines()[:100]))
    document = told("--labels", labels, "--gold", few, "--method", "majority", "--output", tmp_path / "o.csv")
    assert document["is_calibrated"] is False
    assert "not calibrated: there is too little gold" in document["calibration"]
    assert any("99 gold items are too few" in note for note in document["notes"])
    assert document["accuracy"] is not None


def test_an_item_without_any_label_is_left_out_and_told(tmp_path: Path) -> None:
    labels = _write(tmp_path / "l.csv", [(1, "x", "a"), (2, "x", "")], head="item,worker,label")
    document = told("--labels", labels, "--output", tmp_path / "o.csv")
    assert [row["item"] for row in rows_of(tmp_path / "o.csv")] == ["1"]
    assert (document["items"], document["missing"]) == (1, 1)
    assert any("1 item without any label left out" in note for note in document["notes"])


def test_the_degenerate_set_is_reported_and_not_hidden(tmp_path: Path) -> None:
    import gzip

    labels = tmp_path / "hitspam.csv"
    labels.write_bytes(gzip.decompress((HITSPAM / "hitspam.csv.gz").read_bytes()))
    document = told(
        "--labels", labels, "--gold", HITSPAM / "hitspam.gold.csv", "--output", tmp_path / "o.csv"
    )
    assert document["gold"] == {"items": 100, "without_votes": 1, "is_learnt": True}
    assert any("no item has votes that differ" in note for note in document["notes"])
    # About certain of everything, and right in two thirds: gold says what that is worth.
    assert document["expected_calibration_error"] > 0.3
    assert document["expected_calibration_error_calibrated"] < 0.1
    assert document["is_calibrated"] is True
    assert any("1 gold items have no votes" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("gold", "options", "message"),
    [
        ("item,label\n1,c\n", (), "label must be one of a, b, got 'c' (row 1)"),
        ("item,label\n1,a\n1,b\n", (), "item must be unique"),
        ("item,truth\n1,a\n", (), "the column label is missing; found: item, truth"),
        ("item,label\n", (), "there are no rows"),
        ("item,label\n1,a\n", ("--classes", "a"), "label must be one of a, got 'b' (row 2)"),
        ("item,label\n1,a\n", ("--classes", "a,a"), "must be different labels"),
        ("item,label\n1,a\n", ("--method", "vibes"), "'vibes' is not one of"),
    ],
)
def test_faulty_input_leaves_the_output_as_it_was(
    tmp_path: Path, gold: str, options: tuple[str, ...], message: str
) -> None:
    labels = _write(tmp_path / "l.csv", [(1, "x", "a"), (1, "y", "b")], head="item,worker,label")
    (tmp_path / "g.csv").write_text(gold)
    output = tmp_path / "o.csv"
    output.write_text("before")
    result = run("run", "--labels", labels, "--gold", tmp_path / "g.csv", "--output", output, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert output.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.csv", "l.csv", "o.csv"]


def test_gold_options_without_gold_are_refused(tmp_path: Path) -> None:
    result = run("run", "--labels", PATIENTS, "--measure-only", "--output", tmp_path / "o.csv")
    assert result.exit_code == 2
    assert "there is none" in result.stderr


@pytest.mark.parametrize("option", ["--labels", "--gold"])
def test_what_is_read_is_never_replaced(tmp_path: Path, option: str) -> None:
    labels, gold = _crowd(tmp_path, items=4)
    (tmp_path / "same.csv").symlink_to({"--labels": labels, "--gold": gold}[option])
    before = labels.read_text(), gold.read_text()
    result = run("run", "--labels", labels, "--gold", gold, "--output", tmp_path / "same.csv")
    assert result.exit_code == 2
    assert "is a file that is read; it would be replaced" in result.stderr
    assert (labels.read_text(), gold.read_text()) == before
    assert (tmp_path / "same.csv").is_symlink()
