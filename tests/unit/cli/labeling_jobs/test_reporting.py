"""`overread label report`: figures worked by hand, the page, and files that nobody can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.labeling_jobs.conftest import Office

from overread_cli.labeling_jobs.answers import Answer, Answers
from overread_cli.labeling_jobs.files import WorkerResponse
from overread_cli.labeling_jobs.report_figures import Label, job_figures, label_of_line

FOLDER = "s3://out/jobs/animals/annotations/worker-response"


def response(object_id: str, *answers: tuple[str, Any]) -> WorkerResponse:
    """A file of answers, one second apart."""
    told = [
        {
            "workerId": worker,
            "answerContent": content,
            "timeSpentInSeconds": 10 + number,
            "submissionTime": f"2026-03-02T09:00:{int(object_id):02}Z",
        }
        for number, (worker, content) in enumerate(answers)
    ]
    return WorkerResponse(
        object_id, f"{FOLDER}/iteration-1/{object_id}/t.json", json.dumps({"answers": told})
    )


def chose(label: str) -> dict[str, Any]:
    return {"kind": {"label": label}}


def final(object_id: str, label: str | None, *, confidence: float = 1.0) -> Label:
    return Label(
        object_id, f"text {object_id}", label, confidence, has_failed=label is None, by_machine=False
    )


def read(*responses: WorkerResponse) -> Answers:
    answers = Answers()
    for one in responses:
        answers.add(one)
    return answers


# figures


def test_workers_agree_with_the_final_label_as_often_as_they_do() -> None:
    answers = read(
        response("0", ("ada", chose("cat")), ("bob", chose("cat"))),
        response("1", ("ada", chose("dog")), ("bob", chose("cat"))),
        response("2", ("ada", chose("dog")), ("bob", chose("cat"))),
    )
    found = job_figures(
        answers, [final("0", "cat"), final("1", "dog", confidence=0.6), final("2", None, confidence=0.0)]
    )
    by_name = {one.worker: one for one in found.workers}
    assert (by_name["ada"].compared, by_name["ada"].agreed) == (2, 2), "object 2 has no label"
    assert (by_name["bob"].compared, by_name["bob"].agreed) == (2, 1)
    assert found.confusion == {"cat": {"cat": 2, "dog": 0}, "dog": {"cat": 1, "dog": 1}}
    assert (found.objects, found.labeled, found.failed, found.answers) == (3, 2, 1, 6)
    assert found.median_s == pytest.approx(10.5)
    assert found.hours == pytest.approx(3 * (10 + 11) / 3600)
    assert found.agreement is not None
    # Votes: cat cat, dog cat, dog cat: observed 2/3; expected 2·(4·2)/(6·5) = 16/30; alpha = 1 − 1.25.
    assert found.agreement.value == pytest.approx(-0.25)
    assert [one.object_id for one in found.hardest] == ["2", "1"], "the least sure first, disputed ones only"
    assert found.hardest[1].said == {"dog": 1, "cat": 1}


def test_gold_tells_accuracy_with_its_exact_upper_bound() -> None:
    answers = read(*(response(str(n), ("ada", chose("cat" if n < 3 else "dog"))) for n in range(10)))
    labels = [final(str(n), "cat") for n in range(10)]
    truth = {f"text {n}": "cat" for n in range(10)} | {"text 99": "dog"}
    (ada,) = job_figures(answers, labels, truth=truth).workers
    assert (ada.gold_right, ada.gold_total) == (3, 10)
    assert ada.gold_upper == pytest.approx(0.6525, abs=1e-3), "Clopper-Pearson for 3 of 10"


def test_a_worker_who_gets_worse_is_seen() -> None:
    answers = read(*(response(str(n), ("ada", chose("cat" if n < 12 else "dog"))) for n in range(24)))
    (ada,) = job_figures(answers, [final(str(n), "cat") for n in range(24)]).workers
    assert (ada.early, ada.late) == (1.0, 0.0)


def test_the_last_of_several_answers_counts_and_malformed_files_are_counted() -> None:
    answers = read(
        response("0", ("ada", chose("cat")), ("ada", chose("dog"))),
        WorkerResponse("1", "uri-1", "nonsense"),
        WorkerResponse("2", "uri-2", '{"answers": [{"workerId": "ada"}]}'),
        WorkerResponse("3", "uri-3", '{"answers": [null]}'),
    )
    assert [one.label for one in answers.rows.values()] == ["dog"]
    assert answers.unreadable == ["uri-1", "uri-2", "uri-3"]


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ({"topics": {"labels": ["refund", "billing"]}}, "billing + refund"),
        ({"topics": {"labels": []}}, "none"),
        ({"boxes": {"boundingBoxes": []}}, None),
        ({"note": "text", "kind": {"label": "cat"}}, "cat"),
    ],
)
def test_a_choice_is_found_in_an_answer(content: Any, label: str | None) -> None:
    assert [one.label for one in read(response("0", ("ada", content))).rows.values()] == [label]


def test_answers_that_are_no_choices_have_no_agreement() -> None:
    found = job_figures(read(response("0", ("ada", {"boxes": {"boundingBoxes": []}}))), [final("0", "car")])
    assert found.agreement is None
    assert found.workers[0].compared == 0


def test_a_line_tells_its_label_or_why_it_has_none() -> None:
    metadata = {"class-name": "cat", "confidence": 0.8, "human-annotated": "no"}
    one = label_of_line(
        {"source": "x", "kind": 0, "kind-metadata": metadata}, object_id="4", attribute="kind"
    )
    assert one == Label("4", "x", "cat", 0.8, has_failed=False, by_machine=True)
    failed = label_of_line(
        {"source": "x", "kind-metadata": {"failure-reason": "expired"}}, object_id="5", attribute="kind"
    )
    assert (failed.label, failed.has_failed) == (None, True)


def test_nothing_at_all_is_reported_without_a_fault() -> None:
    found = job_figures(Answers(), [])
    assert (found.objects, found.answers, found.agreement, found.median_s) == (0, 0, None, None)
    assert Answer("0", "ada", None, None, "").label is None


# the command


def test_a_finished_job_is_reported_to_people_and_programs(office: Office, tmp_path: Path) -> None:
    office.finished()
    gold = tmp_path / "gold.manifest"
    metadata = {"class-name": "cat", "type": "groundtruth/text-classification"}
    gold.write_text(json.dumps({"source": "miaow 1", "truth": 0, "truth-metadata": metadata}) + "\n")
    page = tmp_path / "report.html"
    done = office.run("report", "animals", "--html", str(page), "--gold", str(gold))
    assert done.exit_code == 0, done.output
    assert "6 of 6 objects have a label." in done.output
    assert "12 answers of 2 people" in done.output
    assert "1 of 1 gold right" in done.output
    text = page.read_text()
    for told in ("Labeling job animals", "Workers", "Right on gold", "Krippendorff", "<svg"):
        assert told in text
    assert "<script" not in text
    document = json.loads(office.run("report", "animals", "--json").output)
    assert document["agreement"]["value"] == 1
    assert [one["median_s"] for one in document["workers"]] == [7, 7]
    assert document["labels"] == {"cat": 3, "dog": 3}
    assert document["job"]["status"] == "Completed"


def test_a_job_that_runs_is_reported_as_far_as_it_is(office: Office) -> None:
    office.create()
    office.work(most=2)
    done = office.run("report", "animals")
    assert done.exit_code == 0, done.output
    assert "animals: InProgress" in done.output
    assert "2 of 6 objects are labeled; no labels are written yet." in done.output
    assert "no answers are written yet" in done.output


def test_what_people_wrote_cannot_script_the_page(office: Office, tmp_path: Path) -> None:
    office.finished()
    evil = [{"workerId": "<script>alert(1)</script>", "answerContent": chose("<img src=x onerror=a>")}]
    office.lab.objects.put(f"{FOLDER}/iteration-9/0/late.json", json.dumps({"answers": evil}))
    office.lab.objects.put(f"{FOLDER}/iteration-9/1/late.json", "no JSON")
    page = tmp_path / "report.html"
    done = office.run("report", "animals", "--html", str(page))
    assert done.exit_code == 0, done.output
    assert "1 answer file could not be read" in done.output
    assert "<script" not in page.read_text()
    assert "<img" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody",), "no labeling job 'nobody'"),
        (("animals", "--gold", "nowhere"), "nowhere: No such file"),
        (("animals", "--gold", "s3://data/categories.json"), "has no labels"),
    ],
)
def test_what_cannot_be_reported_is_told_in_a_sentence(
    office: Office, arguments: tuple[str, ...], told: str
) -> None:
    office.finished()
    refused = office.run("report", *arguments)
    assert refused.exit_code == 1
    assert told in refused.output.splitlines()[-1]
