"""`overread label plan`: its figures by hand, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from overread.errors import InvalidDataError
from overread.planning.labeling_plan import (
    LabelingDemand,
    Span,
    plan_labeling,
    times_to_finish,
    typical_seconds,
)
from overread_cli.main import main

JOB = """\
name: sentences
task_type: TextMultiClass
categories: [{label: praise}, {label: blame}]
title: What is it
description: Praise or blame
label_attribute: kind
template: template.html
team: labelers
data: {class: personal}
"""


class Folder:
    """A job's file with its template and manifest."""

    def __init__(self, path: Path) -> None:
        self.job, self.manifest = path / "sentences.yaml", path / "sentences.manifest"
        (path / "template.html").write_text("<crowd-form></crowd-form>")
        self.write()
        self.manifest.write_text("".join(json.dumps({"source": f"text {n}"}) + "\n" for n in range(40)))

    def write(self, more: str = "") -> None:
        """The job with more settings."""
        self.job.write_text(JOB + more)

    def run(self, *arguments: str) -> Result:
        """`overread label plan` of the job."""
        return CliRunner().invoke(main, ["label", "plan", *arguments], env={"COLUMNS": "120"})

    def document(self, *arguments: str) -> Any:
        """The plan as JSON, over 1,000 objects unless a manifest is given."""
        objects = () if "--manifest" in arguments else ("--objects", "1000")
        done = self.run(str(self.job), *objects, "--json", *arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.output)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def both(figure: float) -> Any:
    """A span that is known."""
    return {"low": pytest.approx(figure), "high": pytest.approx(figure)}


# figures


def test_answers_hours_and_money_of_a_plain_job(folder: Folder) -> None:
    arguments = (
        "--backend",
        "ground-truth",
        "--seconds-per-task",
        "18",
        "--hourly-wage",
        "20",
        "--people",
        "5",
    )
    found = folder.document(*arguments)
    assert found["votes"] == both(3000), "three workers by default"
    assert found["people_hours"] == both(15), "3000 × 18 s"
    assert found["times"] == [{"people": 5, "hours": both(3), "days": both(0.5)}]
    lines = {line["what"]: line for line in found["bill"]}
    assert lines["people"]["usd"] == both(300)
    assert (lines["Ground Truth"]["quantity"], lines["Ground Truth"]["usd"]) == (both(1000), both(80))
    assert found["usd"] == both(380)
    assert found["unverified"] == ["Ground Truth"]


def test_more_votes_where_people_disagree_are_a_span(folder: Folder) -> None:
    folder.write("redundancy: {workers: 2, adaptive: {most: 5, confidence: 0.9}}\n")
    assert folder.document()["votes"] == {"low": 2000, "high": 5000}
    folder.write(
        "redundancy: {workers: 2, adaptive: {most: 5, confidence: 0.9}}\n"
        "budget: {votes: 3000, objects: 900}\n"
    )
    assert folder.document()["votes"] == {"low": 1800, "high": 3000}, "the budget ends it"


def test_gold_and_spot_checks_come_on_top(folder: Folder) -> None:
    folder.write("quality: {gold: {manifest: gold, share: 0.1}, spot_check: {p: 0.05, delta: 0.05}}\n")
    found = folder.document()
    assert found["gold"] == both(100)
    assert found["spot_checks"] == 57, "0.95^n ≤ 0.05 at 59; of 1000 without replacement two fewer do"
    assert found["votes"] == both(3 * 1100 + 57)


@pytest.mark.parametrize(
    ("mode", "arguments", "people"),
    [
        ("active", (), (200, 1000)),
        ("active", ("--machine-share", "0.7"), (300, 300)),
        ("automated", (), (0, 1000)),
    ],
)
def test_what_a_model_may_label_is_a_span_until_somebody_says_it(
    folder: Folder, mode: str, arguments: tuple[str, ...], people: tuple[int, int]
) -> None:
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/model:1"
    folder.write(f"mode: {mode}\nmodel: {{image: '{image}', archive: model.tar.gz}}\n")
    found = folder.document(*arguments)
    assert found["objects_by_people"] == {"low": people[0], "high": people[1]}
    assert any("--machine-share" in one for one in found["remarks"]) == (people[0] != people[1])


def test_objects_that_have_their_label_are_not_labeled_again(folder: Folder) -> None:
    folder.manifest.write_text('{"source": "a", "kind": 0}\n{"source": "b"}\n')
    found = folder.document("--manifest", str(folder.manifest))
    assert (found["objects"], found["labeled_already"], found["votes"]) == (1, 1, both(3))


def test_too_few_people_and_too_long_a_job_are_said(folder: Folder) -> None:
    arguments = ("--backend", "ground-truth", "--seconds-per-task", "3000", "--people", "2", "--people", "3")
    found = folder.document(*arguments)
    assert found["times"][0] == {"people": 2, "hours": None, "days": None}
    assert "2 people are too few: every object has 3 different workers." in found["remarks"]
    assert any("longer than 30 days" in one for one in found["remarks"]), "139 days for three people"


def test_what_is_guessed_or_not_verified_is_said_to_people_too(folder: Folder) -> None:
    done = folder.run(str(folder.job), "--manifest", str(folder.manifest), "--backend", "ground-truth")
    assert done.exit_code == 0, done.output
    assert "12 s a task is a guess for TextMultiClass" in done.output
    assert "nobody verified: Ground Truth" in done.output
    assert "Without a price: people (give --hourly-wage)" in done.output
    assert "answers (votes)" in done.output


def test_public_workers_cost_what_the_job_says(folder: Folder) -> None:
    folder.write("price_usd: 0.012\n")
    found = folder.document("--backend", "ground-truth")
    assert {line["what"]: line["usd"] for line in found["bill"]}["public workers"] == both(36)


# refusals


def test_all_faults_of_the_file_are_told_with_their_lines(folder: Folder) -> None:
    folder.job.write_text(JOB.replace("TextMultiClass", "Poetry") + "workers: 3\nmode: magic\n")
    refused = folder.run(str(folder.job), "--objects", "10")
    assert refused.exit_code == 2
    for place in (f"{folder.job}:2: task_type", f"{folder.job}:10: workers", f"{folder.job}:11: mode"):
        assert place in refused.output


def test_faults_of_manifest_and_figures_are_told_together(folder: Folder) -> None:
    folder.manifest.write_text('{"source": "a"}\n{"source": "a"}\n\n')
    refused = folder.run(
        str(folder.job),
        "--manifest",
        str(folder.manifest),
        "--seconds-per-task",
        "9999",
        "--machine-share",
        "1",
    )
    assert refused.exit_code == 2
    assert f"{folder.manifest}:2: is the object of line 1 again" in refused.output
    assert f"{folder.manifest}:3: " in refused.output
    assert "time_limits.task_s (3,600)" in refused.output
    assert "machine share means nothing in mode human" in refused.output


def test_a_job_that_ground_truth_would_not_take_is_refused(folder: Folder) -> None:
    refused = folder.run(str(folder.job), "--objects", "25000", "--backend", "ground-truth")
    assert refused.exit_code == 2
    assert "at most 10,000" in refused.output
    assert "--parts 3" in refused.output
    assert folder.run(str(folder.job), "--objects", "25000", "--backend", "overread").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing.yaml", "--objects", "1"), "nothing.yaml"),
        (("sentences", "--objects", "1"), "--config"),
        (("JOB", "--manifest", "none"), "none: No such file"),
        (("JOB", "--objects", "1", "--manifest", "x"), "--manifest or --objects"),
        (("JOB", "--objects", "1", "--prices", "none"), "none: No such file"),
        (("JOB", "--state-dir", "no-stack"), "give --manifest or --objects"),
    ],
)
def test_what_cannot_be_planned_is_told_in_a_sentence(
    folder: Folder, arguments: tuple[str, ...], told: str
) -> None:
    refused = folder.run(*(str(folder.job) if one == "JOB" else one for one in arguments))
    assert refused.exit_code == 2, refused.output
    assert told in refused.output
    assert "Traceback" not in refused.output


# pure


def demand(**changes: Any) -> LabelingDemand:
    given = {
        "objects": 10,
        "by_people": Span(10, 10),
        "checked": 0,
        "gold_share": 0.0,
        "workers": 3,
        "most_workers": 3,
        "seconds_per_vote": 60.0,
    }
    return LabelingDemand(**(given | changes))


def test_a_plan_over_nothing_asks_for_nothing() -> None:
    made = plan_labeling(demand(objects=0, by_people=Span(0, 0), gold_share=0.1))
    assert (made.votes, made.people_hours) == (Span(0, 0), Span(0, 0))


def test_people_share_the_work_evenly() -> None:
    (one,) = times_to_finish(plan_labeling(demand()), [3], hours_a_day=5)
    assert one.hours == Span(pytest.approx(30 / 60 / 3), pytest.approx(30 / 60 / 3))
    assert one.days is not None
    assert one.days.high == pytest.approx(30 / 60 / 3 / 5)


def test_all_faults_of_a_demand_are_named() -> None:
    with pytest.raises(InvalidDataError) as refused:
        plan_labeling(demand(by_people=Span(5, 11), workers=4, seconds_per_vote=float("nan"), gold_share=2.0))
    for told in ("objects for people", "workers must be", "seconds per task", "share of gold"):
        assert told in str(refused.value)


def test_a_guess_exists_for_every_task_type() -> None:
    assert typical_seconds("TextMultiClass") < typical_seconds("SemanticSegmentation")
    assert typical_seconds("3DPointCloudObjectDetection") > typical_seconds("custom") > 0
