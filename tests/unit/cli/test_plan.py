"""`overread plan`: its figures for a committed configuration, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from overread_aws.decision_items import WITH_PEOPLE
from overread_cli.main import main
from overread_lambda import counted, deliver_outbox, measure_operations, watch_errors

ROOT = Path(__file__).parents[3]
MEASURED = (measure_operations.PENDING_AGE, measure_operations.WAITING_AGE, measure_operations.SWITCH)


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
    assert digits["hours_reading"] == pytest.approx(7300 * (1 - 0.8 * 0.99) * 60 / 3600)
    assert digits["assumed"] == {"review_seconds": 60.0, "coverage": 0.8}
    guarantee = json.loads((ROOT / "config/guarantees/loan-renewal.json").read_text())
    assert "coverage" not in by_name["loan-renewal"]["assumed"]
    assert by_name["loan-renewal"]["review_share"] >= 1 - guarantee["coverage"]
    tumors = by_name["tumor-screening"]
    assert tumors["reviews_a_month"] == pytest.approx(2 * 7300 * tumors["review_share"]), "two persons each"
    (team,) = found["teams"]
    assert (team["team"], team["capacity"]) == ("reviewers", 40)
    assert team["hours_reading"] == pytest.approx(sum(one["hours_reading"] for one in by_name.values()))
    lines = {line["what"]: line for line in found["bill"]}
    assert lines["Amazon A2I"]["quantity"] == pytest.approx(
        sum(one["reviews_a_month"] for one in by_name.values())
    )
    assert lines["endpoint of digit-reading"]["quantity"] == 2 * 730
    assert found["usd_a_month"] == pytest.approx(sum(line["usd"] for line in found["bill"]))
    assert found["usd_a_decision"] == pytest.approx(found["usd_a_month"] / (4 * 7300))
    assert "Amazon A2I" in found["unverified"]


def test_people_are_paid_for_being_there_and_nobody_verified_their_wage() -> None:
    done = plan("--config", "config/prod.yaml", "--hourly-wage", "30", "--json")
    found = json.loads(done.output)
    (people,) = (line for line in found["bill"] if line["what"] == "people")
    assert found["hours_at_work"] > found["hours_reading"] > 0
    assert people["usd"] == pytest.approx(30 * found["hours_at_work"])
    assert (people["price"], people["source"]) == ("given", "--hourly-wage")


def test_metrics_are_no_fewer_than_functions_write() -> None:
    found = json.loads(plan("--config", "config/prod.yaml", "--json").output)
    (line,) = (line for line in found["bill"] if line["what"] == "metrics")
    by_use_case = {*counted.METRICS, *watch_errors.METRICS, *MEASURED} - {
        counted.THROTTLES,
        counted.REFUSALS,
    }
    by_target, targets, by_state = deliver_outbox.METRICS, 4, len(WITH_PEOPLE)
    deployment = {*counted.METRICS, *watch_errors.METRICS, *by_target, *measure_operations.METRICS}
    written = 4 * len(by_use_case) + len(deployment) + len(by_target) * targets + by_state
    assert written < line["quantity"] < 1.25 * written


def test_the_own_review_service_pays_no_fee_to_a2i() -> None:
    done = plan("--config", "config/review-service.yaml", "--volume", "100", "--json")
    assert "Amazon A2I" not in {line["what"] for line in json.loads(done.output)["bill"]}


def test_the_page_says_what_was_assumed_and_what_no_price_was_verified_for() -> None:
    done = plan("--config", "config/prod.yaml", "--volume", "1000")
    assert done.exit_code == 0
    assert "Assumed of digit-reading: 60 s a review, 80% of the cases reach the threshold." in done.output
    assert "not verified" in done.output
    assert "Prices are of 2026-11-22, us-east-1" in done.output
    assert "This is deployed to eu-central-1, where prices differ." in done.output
    assert "People's wages are not in it" in done.output


def test_a_use_case_without_a_volume_is_no_use_case_without_work() -> None:
    done = plan("--config", "config/prod.yaml")
    assert "No volume is known of digit-reading, loan-approval, tumor-screening" in done.output
    assert re.search(r"digit-reading +not known +20.8%\s*$", done.output, re.MULTILINE)


def test_too_small_a_team_is_told() -> None:
    done = plan("--config", "config/prod.yaml", "--volume", "2000000")
    assert re.search(r"Team reviewers needs \d{3} at once; its capacity.reviewers is 40\.", done.output)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
        (("--config", "config/prod.yaml", "--prices", "nowhere.json"), "nowhere.json: No such file"),
        (("--config", "config/prod.yaml", "--volume", "-1"), "-1"),
        (("--config", "config/prod.yaml", "--coverage", "2"), "2"),
        (
            ("--config", "config/prod.yaml", "--volume", "nan"),
            "nan is not a number that can be reckoned with",
        ),
        (("--config", "config/prod.yaml", "--hourly-wage", "inf"), "inf is not a number"),
        (("--config", "config/prod.yaml", "--volume", "1e300"), "look at the volume"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    done = plan(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_a_price_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_bytes(b"\xff\xfe")
    done = plan("--config", "config/prod.yaml", "--prices", str(prices))
    assert (done.exit_code, done.output) == (2, f"Error: {prices}: the price file is not UTF-8 text\n")


def test_what_has_no_price_is_named_and_left_out_of_the_sum(tmp_path: Path) -> None:
    stated = json.loads((ROOT / "src/overread_cli/plan/prices.json").read_text())
    del stated["prices"]["instance-hour ml.m5.large"]
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(stated))
    done = plan("--config", "config/demo.yaml", "--prices", str(prices))
    assert done.exit_code == 0, done.output
    assert "Not in the sum, because the price file has no price: endpoint of digit-reading" in done.output
    found = json.loads(plan("--config", "config/demo.yaml", "--prices", str(prices), "--json").output)
    assert found["without_price"] == [
        f"endpoint of {name}" for name in ("digit-reading", "loan-approval", "tumor-screening")
    ]
