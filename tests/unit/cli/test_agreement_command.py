"""`overread agreement`, and the page that `overread consensus report` makes."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread_cli.main import main
from overread_testing.report_pages import ReportPage

PATIENTS = Path(__file__).parents[3] / "examples" / "statistics" / "anaesthetists.csv"
MEG, OWEN = "0100000010", "1110010000"
"""K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, section A: ten items, two observers."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def _pairs(path: Path, *others: str) -> Path:
    rows = ["item,worker,label"]
    for worker, labels in zip(("meg", "owen", "third"), (MEG, OWEN, *others), strict=False):
        rows += [f"{item},{worker},{label}" for item, label in enumerate(labels)]
    path.write_text("\n".join(rows))
    return path


def _agreement(*arguments: object) -> dict[str, Any]:
    result = run("agreement", *arguments, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


def test_a_published_example_and_kappa_by_hand(tmp_path: Path) -> None:
    document = _agreement("--labels", _pairs(tmp_path / "l.csv"))
    # 14 zeros and 6 ones in 20 values, 4 items in disagreement: 1 - 19 x 4 / (14 x 6) = 0.0952.
    assert document["value"] == pytest.approx(1 - 19 * 4 / (14 * 6))
    assert document["low"] < document["value"] < document["high"]
    # Both say the same of 6 in 10; by chance 0.2 x 0.4 + 0.8 x 0.6 = 0.56: (0.6 - 0.56) / 0.44.
    assert document["agreement"][-1]["value"] == pytest.approx(0.04 / 0.44)
    assert (document["items"], document["workers"], document["votes"]) == (10, 2, 20)
    assert len(document["agreement"]) == 3


def test_a_pair_and_several_metrics_may_be_asked_for(tmp_path: Path) -> None:
    labels = _pairs(tmp_path / "l.csv", "0110000010")
    options = ("--labels", labels, "--metric", "ordinal", "--metric", "interval", "--pair", "owen", "third")
    statistics = _agreement(*options)["agreement"]
    assert len(statistics) == 4
    # Two classes only: how far they are apart cannot matter.
    assert statistics[0]["value"] == pytest.approx(statistics[1]["value"])


def test_where_there_is_one_label_only_agreement_is_undefined(tmp_path: Path) -> None:
    labels = tmp_path / "l.csv"
    labels.write_text("item,worker,label\n1,a,x\n1,b,x\n2,a,x\n2,b,x\n")
    document = _agreement("--labels", labels)
    assert document["value"] is None
    told = run("agreement", "--labels", labels)
    assert told.exit_code == 0
    assert "undefined" in told.stdout


def test_an_unknown_worker_of_a_pair_is_told_with_those_there(tmp_path: Path) -> None:
    result = run("agreement", "--labels", _pairs(tmp_path / "l.csv"), "--pair", "meg", "nobody")
    assert result.exit_code == 2
    assert "no worker 'nobody'; there are: meg, owen" in result.stderr


def test_intervals_need_numbers(tmp_path: Path) -> None:
    labels = tmp_path / "l.csv"
    labels.write_text("item,worker,label\n1,a,x\n1,b,y\n")
    result = run("agreement", "--labels", labels, "--metric", "interval")
    assert result.exit_code == 2
    assert "number" in result.stderr


def test_the_page_ranks_workers_and_shows_their_confusions(tmp_path: Path) -> None:
    output = tmp_path / "c.html"
    options = ("consensus", "report", "--labels", PATIENTS, "--date", "2026-11-23", "--output")
    assert run(*options, output).exit_code == 0
    page = ReportPage(output.read_text())
    assert page.faults == []
    assert "Of 45 items" in page.text
    assert ["SHA-256 of the file", sha256(PATIENTS.read_bytes()).hexdigest()] in page.rows
    ranks = [row for row in page.rows if len(row) == 7 and row[0].isdecimal()]
    assert {row[1] for row in ranks} == set("12345")
    learnt = [float(row[5].removesuffix(" %")) for row in ranks]
    assert learnt == sorted(learnt, reverse=True)
    assert sum(caption.endswith("votes") for caption in page.captions) == 5
    again = tmp_path / "again.html"
    assert run(*options, again).exit_code == 0
    assert again.read_bytes() == output.read_bytes()


def test_with_gold_the_page_ranks_by_gold_and_shows_calibration(tmp_path: Path) -> None:
    rows, gold = ["item,worker,label"], ["item,label"]
    for item in range(300):
        gold.append(f"{item},yes")
        rows += [f"{item},<b>good</b>,yes", f"{item},bad,{'yes' if item % 3 else 'no'}"]
        rows += [f"{item},fair,{'no' if item % 5 == 0 else 'yes'}"]
    (tmp_path / "l.csv").write_text("\n".join(rows))
    (tmp_path / "g.csv").write_text("\n".join(gold))
    output = tmp_path / "c.html"
    result = run(
        *("consensus", "report", "--labels", tmp_path / "l.csv", "--gold", tmp_path / "g.csv"),
        *("--method", "majority", "--measure-only", "--output", output),
    )
    assert result.exit_code == 0, result.output
    page = ReportPage(output.read_text())
    assert page.faults == []
    ranks = [row for row in page.rows if len(row) == 7 and row[0].isdecimal()]
    assert [(row[1], row[3]) for row in ranks] == [
        ("<b>good</b>", "300 of 300"),
        ("fair", "240 of 300"),
        ("bad", "200 of 300"),
    ]
    # Wrong are the 20 items (every fifteenth) where two of three say no: 280 of 300 are right.
    assert "in 93.3 % of cases" in page.text
    assert "when calibrated on other gold items" in page.text


def test_a_worker_is_never_named_as_markup_and_many_are_not_all_shown(tmp_path: Path) -> None:
    rows = ["item,worker,label"] + [
        f"{item},<i>{worker}</i>,{(item + worker) % 2}" for item in range(3) for worker in range(230)
    ]
    (tmp_path / "l.csv").write_text("\n".join(rows))
    output = tmp_path / "c.html"
    result = run("consensus", "report", "--labels", tmp_path / "l.csv", "--output", output)
    assert result.exit_code == 0, result.output
    page = ReportPage(output.read_text())
    assert page.faults == []
    assert any("30 more are not shown" in caption for caption in page.captions)
    assert "how right they are, as learnt from votes alone" in page.text
