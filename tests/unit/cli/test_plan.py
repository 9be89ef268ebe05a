"""`overread plan`: its figures for a committed configuration, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from overread_cli.main import main

ROOT = Path(__file__).parents[3]


def plan(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plan", *arguments], env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def _in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_plan_of_production() -> None:
    done = plan("--config", "config/prod.yaml", "--volume", "7300", "--hourly-wage", "30", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    by_name = {one["use_case"]: one for one in found["use_cases"]}
    digits = by_name["digit-reading"]
    assert digits["review_share"] == pytest.approx(1 - 0.8 * 0.99)
    assert digits["people_hours_a_month"] == pytest.approx(7300 * (1 - 0.8 * 0.99) * 60 / 3600)
    assert digits["assumed"] == ["review_seconds", "coverage"]
    guarantee = json.loads((ROOT / "config/guarantees/loan-renewal.json").read_text())
    assert "coverage" not in by_name["loan-renewal"]["assumed"]
    assert by_name["loan-renewal"]["review_share"] >= 1 - guarantee["coverage"]
    lines = {line["what"]: line for line in found["bill"]}
    assert lines["people"]["usd"] == pytest.approx(30 * found["people_hours_a_month"])
    assert lines["Amazon A2I"]["quantity"] == pytest.approx(
        sum(one["reviews_a_month"] for one in by_name.values())
    )
    assert lines["endpoint of digit-reading"]["quantity"] == 2 * 730
    assert found["usd_a_month"] == pytest.approx(sum(line["usd"] for line in found["bill"]))
    assert "Amazon A2I" in found["unverified"]
    assert "people" not in found["unverified"]


def test_the_own_review_service_pays_no_fee_to_a2i() -> None:
    done = plan("--config", "config/review-service.yaml", "--volume", "100", "--json")
    assert "Amazon A2I" not in {line["what"] for line in json.loads(done.output)["bill"]}


def test_the_table_says_what_was_assumed_and_not_verified() -> None:
    done = plan("--config", "config/prod.yaml", "--volume", "1000")
    assert done.exit_code == 0
    assert "digit-reading: assumed: review_seconds, coverage" in done.output
    assert "not verified" in done.output
    assert "prices of 2026-11-22, us-east-1" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
        (("--config", "config/prod.yaml", "--prices", "nowhere.json"), "nowhere.json: No such file"),
        (("--config", "config/prod.yaml", "--volume", "-1"), "-1"),
        (("--config", "config/prod.yaml", "--coverage", "2"), "2"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    done = plan(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_a_price_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"as_of": "2026-11-22", "region": "eu-west-1", "prices": {}}))
    done = plan("--config", "config/prod.yaml", "--prices", str(prices))
    assert done.exit_code == 2
    assert "there is no price 'a2i-review' in the price file" in done.output
