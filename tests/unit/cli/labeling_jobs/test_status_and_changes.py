"""`overread label status`, `stop`, `pause`, `resume` and `set` over HTTP against a review service."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from tests.unit.cli.labeling_jobs.conftest import MANIFEST, Office

from overread_cli.labeling_jobs.progress import Counters, JobView, Pace, hourly, remaining_s
from overread_cli.labeling_jobs.watching import exit_code, in_words, table, watch
from overread_cli.main import main
from overread_testing.review_fakes import GRACE

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def job(status: str = "InProgress", *, labeled: int = 0, failed: int = 0, left: int = 10) -> JobView:
    """A job that began an hour before noon."""
    return JobView(
        name="animals",
        arn="arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/animals",
        status=status,
        counters=Counters(labeled, labeled, 0, failed, left),
        created_at=NOON - timedelta(hours=1),
        changed_at=NOON,
    )


# status


def test_jobs_are_listed_with_counters_the_newest_first(office: Office) -> None:
    office.create("first")
    office.lab.clock.advance(60)
    office.create("second", objects=4)
    office.work(most=3)
    done = office.run("status")
    assert done.exit_code == 0, done.output
    heading, *lines = done.output.splitlines()
    assert heading.split() == ["status", "labeled", "of", "failed", "an", "hour", "left", "age", "name"]
    assert [line.split()[-1] for line in lines] == ["second", "first"]
    documents = [json.loads(line) for line in office.run("status", "--json").output.splitlines()]
    assert sum(one["counters"]["total_labeled"] for one in documents) == 3
    ended = office.run("status", "--status", "completed", "--json")
    assert ended.output == ""


def test_a_listing_without_jobs_says_so(office: Office) -> None:
    assert office.run("status").output == f"no labeling jobs on {office.url}\n"


def test_more_jobs_than_a_page_are_listed_and_the_rest_is_told(office: Office) -> None:
    for number in range(105):
        office.create(f"job-{number:03}")
    assert len(office.run("status", "--limit", "200").output.splitlines()) == 106
    limited = office.run("status", "--limit", "2")
    assert len(limited.stdout.splitlines()) == 3
    assert "and more" in limited.stderr


def test_a_job_is_shown_by_its_name_without_the_hash(office: Office) -> None:
    office.create("lab-sentiment-1a2b3c4d")
    office.work(most=2)
    for name in ("lab-sentiment", "sentiment", "Sentiment"):
        shown = office.run("status", name)
        assert shown.exit_code == 0, shown.output
        assert "name       lab-sentiment-1a2b3c4d" in shown.output
    assert "labeled    2 of 6: 2 by people, 0 by machine" in shown.output
    office.create("lab-sentiment-99999999")
    several = office.run("status", "sentiment")
    assert several.exit_code == 1
    assert "stands for several" in several.output


def test_a_job_that_is_not_there_is_told_with_names_that_are_alike(office: Office) -> None:
    office.create("animals-of-spring")
    missing = office.run("status", "Animals")
    assert (missing.exit_code, len(missing.output.splitlines())) == (1, 1)
    assert "did you mean animals-of-spring" in missing.output


def test_a_finished_job_says_where_its_labels_are(office: Office) -> None:
    office.finished()
    shown = office.run("status", "animals")
    assert shown.exit_code == 0, shown.output
    assert "output     s3://out/jobs/animals/manifests/output/output.manifest" in shown.stdout
    assert "overread label report animals" in shown.stderr


def test_a_failed_job_has_its_reason_and_an_exit_code_of_its_own(office: Office) -> None:
    office.create(objects=0)
    office.drive()
    shown = office.run("status", "animals")
    assert shown.exit_code == 3, shown.output
    assert "failure    " in shown.stdout
    watched = office.run("status", "animals", "--watch")
    assert watched.exit_code == 3
    assert "failure: " in watched.stderr


def test_watching_ends_with_the_job_and_after_the_timeout(office: Office) -> None:
    office.create()
    office.work(most=1)
    early = office.run("status", "animals", "--watch", "--every", "0.2", "--timeout", "0.3", "--json")
    assert early.exit_code == 5, early.output
    (line,) = early.stdout.splitlines()
    assert json.loads(line)["counters"]["unlabeled"] == 5, "what did not change is said once"
    office.work()
    done = office.run("status", "animals", "--watch")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("animals: Completed, 6 of 6 labeled (100%)")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--watch",), "needs the name"), (("animals", "--status", "failed"), "leave the job's name out")],
)
def test_options_that_do_not_go_together_are_refused(
    office: Office, arguments: tuple[str, ...], told: str
) -> None:
    refused = office.run("status", *arguments)
    assert refused.exit_code == 2
    assert told in refused.output


def test_a_service_that_does_not_answer_is_one_sentence(office: Office) -> None:
    office_gone = Office(office.lab, "http://127.0.0.1:9")
    refused = office_gone.run("status")
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1)


@pytest.mark.parametrize(
    ("status", "failed", "code"),
    [
        ("InProgress", 2, 0),
        ("Completed", 0, 0),
        ("Completed", 2, 4),
        ("Failed", 0, 3),
        ("Stopped", 0, 3),
        ("Stopping", 0, 0),
    ],
)
def test_exit_codes_stand_for_the_jobs_state(status: str, failed: int, code: int) -> None:
    assert exit_code(job(status, failed=failed)) == code


# rate and remaining time


def test_the_rate_is_of_the_whole_life_until_something_happens_while_it_is_watched() -> None:
    pace = Pace()
    assert pace.look(job(labeled=20, left=80), now=NOON) == pytest.approx(20)
    later = NOON + timedelta(minutes=3)
    assert pace.look(job(labeled=26, left=74), now=later) == pytest.approx(120), "6 in 3 minutes"
    assert remaining_s(job(labeled=26, left=74), an_hour=120) == pytest.approx(74 / 120 * 3600)


def test_the_watched_rate_forgets_what_is_older_than_ten_minutes() -> None:
    pace = Pace()
    pace.look(job(labeled=0), now=NOON)
    for minute, labeled in ((1, 600), (20, 600), (22, 602)):
        rate = pace.look(job(labeled=labeled), now=NOON + timedelta(minutes=minute))
    assert rate == pytest.approx(60), "2 in 2 minutes"


def test_nobody_can_tell_how_long_a_job_takes_in_which_nothing_was_done() -> None:
    assert remaining_s(job(), an_hour=hourly(job(), now=NOON)) is None
    assert "left       not known" in in_words(job(), an_hour=0, now=NOON)


def test_an_ended_job_has_nothing_left_and_keeps_its_rate() -> None:
    done = job("Completed", labeled=50, left=0)
    assert hourly(done, now=NOON + timedelta(days=9)) == pytest.approx(50)
    assert remaining_s(done, an_hour=0) == 0
    (_, line) = table([done], now=NOON)
    assert line.split() == ["Completed", "50", "50", "0", "50", "60", "min", "animals"]


def test_a_watch_looks_again_until_the_job_has_ended() -> None:
    replies = [
        {"LabelingJobStatus": status, "LabelCounters": {"TotalLabeled": n, "Unlabeled": 2 - n}}
        for status, n in (("Initializing", 0), ("InProgress", 1), ("Completed", 2))
    ]
    slept: list[float] = []
    seen: list[str] = []

    class Target:
        sagemaker: Any
        operations = None

        def describe_labeling_job(self, **_: str) -> dict[str, Any]:
            common = {"LabelingJobName": "a", "LabelingJobArn": "arn:a", "CreationTime": NOON}
            return common | replies.pop(0)

    target: Any = Target()
    target.sagemaker = target
    last, _ = watch(
        target,
        "a",
        show=lambda one, _: seen.append(one.status),
        every_s=5,
        timeout_s=60,
        sleep=slept.append,
        clock=lambda: NOON,
    )
    assert (last.status, slept) == ("Completed", [5, 5])
    assert seen == ["Initializing", "InProgress", "Completed"]


# stop


def test_a_job_is_stopped_for_good_after_a_question(office: Office) -> None:
    office.create()
    office.work(most=2)
    kept = office.run("stop", "animals", given="n\n")
    assert kept.exit_code == 1
    assert "4 objects not labeled yet" in kept.output
    assert office.offered() == 4
    stopped = office.run("stop", "animals", "--yes")
    assert stopped.exit_code == 0, stopped.output
    assert stopped.output == "animals: Stopping\n"
    office.drive()
    again = office.run("stop", "animals", "--yes")
    assert (again.exit_code, len(again.output.splitlines())) == (1, 1)
    assert "has ended already: Stopped" in again.output
    assert office.run("status", "animals").exit_code == 3


# pause, resume, set


def test_ground_truth_cannot_pause(office: Office) -> None:
    for command in (("pause",), ("resume",), ("set", "--workers", "2")):
        refused = CliRunner().invoke(main, ["label", *command, "--aws", "animals"])
        assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
        assert "Ground Truth cannot pause" in refused.output


def test_a_paused_job_offers_nothing_until_it_is_resumed(office: Office) -> None:
    office.create()
    office.drive()
    assert office.offered() == 6
    paused = office.run("pause", "animals")
    assert paused.output == "animals: paused; `overread label resume animals` goes on\n"
    assert office.offered() == 0
    shown = office.run("status", "animals")
    assert "status     InProgress, paused: no task is offered" in shown.output
    assert json.loads(office.run("status", "animals", "--json").output)["paused"] is True
    assert office.run("resume", "animals").output == "animals: goes on\n"
    assert office.offered() == 6


def test_workers_and_time_limit_of_a_running_job_are_changed(office: Office) -> None:
    office.create(workers=1)
    office.drive()
    done = office.run("set", "animals", "--workers", "2", "--time-limit", "900")
    assert done.output == "animals: 2 people an object, 900 s a task\n", done.output
    office.work()
    assert office.run("status", "animals", "--json").output
    office.work(GRACE)
    shown = json.loads(office.run("status", "animals", "--json").output)
    assert (shown["status"], shown["workers"], shown["time_limit_s"]) == ("Completed", 2, 900)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("set", "animals", "--workers", "12"), "must be"),
        (("set", "nobody", "--workers", "2"), "no labeling job 'nobody'"),
        (("pause", "nobody"), "no labeling job 'nobody'"),
    ],
)
def test_a_change_that_cannot_be_is_told_in_a_sentence(
    office: Office, command: tuple[str, ...], told: str
) -> None:
    office.create()
    refused = office.run(*command)
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
    assert told in refused.output


def test_a_change_says_what_it_is_to_change(office: Office) -> None:
    refused = office.run("set", "animals")
    assert refused.exit_code == 2
    assert "--workers" in refused.output


def test_an_ended_job_is_neither_paused_nor_changed(office: Office) -> None:
    office.finished()
    for command in (("pause",), ("resume",), ("set", "--workers", "2")):
        refused = office.run(*command, "animals")
        assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output


def test_objects_that_have_their_label_do_not_count_as_left(office: Office) -> None:
    office.create()
    office.lab.objects.put(MANIFEST, '{"source": "a", "kind": 0, "kind-metadata": {}}\n{"source": "miaow"}\n')
    office.work()
    shown = office.run("status", "animals")
    assert "labeled    1 of 1" in shown.output
    assert "100%" in shown.output
