"""`overread label start`: the job that a deployment provides, once, with its manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.labeling_jobs.conftest import MANIFEST, TEMPLATE, Office


def started(office: Office, *arguments: str) -> str:
    """The name of the job that was started."""
    done = office.run("start", "animals", "--job-only", *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_deployed_job_is_started_and_what_comes_next_is_said(office: Office) -> None:
    office.deployed()
    done = office.run("start", "animals", "--job-only")
    assert done.exit_code == 0, done.output
    name = done.stdout.strip()
    assert name.startswith("lab-animals-")
    assert f"next: overread label status {name} --watch --url {office.url}" in done.stderr
    office.work()
    assert office.run("status", "lab-animals").exit_code == 0


def test_a_dry_run_prints_the_request_and_starts_nothing(office: Office) -> None:
    office.deployed()
    done = office.run("start", "animals", "--job-only", "--dry-run")
    request = json.loads(done.stdout)
    assert request["InputConfig"]["DataSource"]["S3DataSource"] == {"ManifestS3Uri": MANIFEST}
    assert request["HumanTaskConfig"]["UiConfig"] == {"UiTemplateS3Uri": TEMPLATE}
    assert office.run("status").output.startswith("no labeling jobs")


def test_the_same_job_is_started_once_and_after_its_end_only_when_asked(office: Office) -> None:
    office.deployed()
    first = started(office)
    again = office.run("start", "animals", "--job-only", "--json")
    assert json.loads(again.stdout) == {"job": first, "status": "Initializing", "is_new": False}
    assert "runs already" in again.stderr
    office.work()
    assert started(office) == first, "it is done"
    second = started(office, "--again")
    assert second != first
    office.run("stop", second, "--yes")
    office.drive()
    assert started(office) == first, "the one that is done counts"


def test_a_stopped_job_is_started_under_another_name(office: Office) -> None:
    office.deployed()
    first = started(office)
    office.run("stop", first, "--yes")
    office.drive()
    assert started(office) != first


def test_a_file_is_checked_and_uploaded_as_the_manifest(office: Office, tmp_path: Path) -> None:
    office.deployed()
    manifest = tmp_path / "my.manifest"
    manifest.write_text('{"source": "miaow"}\n{"source": "woof"}\n')
    name = started(office, "--manifest", str(manifest))
    (uri,) = office.lab.objects.under("s3://data/labeling/animals/manifests/")
    assert office.lab.objects.bodies[uri] == manifest.read_bytes()
    office.work()
    counters = json.loads(office.run("status", name, "--json").stdout)["counters"]
    assert counters["total_labeled"] == 2
    assert started(office) != name, "other objects are another job"


def test_a_faulty_file_is_told_line_by_line_and_nothing_is_uploaded(office: Office, tmp_path: Path) -> None:
    office.deployed()
    manifest = tmp_path / "my.manifest"
    manifest.write_text('{"source": "miaow"}\nnonsense\n{"source": "miaow"}\n')
    refused = office.run("start", "animals", "--job-only", "--manifest", str(manifest))
    assert refused.exit_code == 2
    assert f"{manifest}:2: " in refused.output
    assert f"{manifest}:3: is the object of line 1 again" in refused.output
    assert not office.lab.objects.under("s3://data/labeling/animals/manifests/")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("start", "cars", "--job-only"), "there are animals, birds"),
        (("start", "birds", "--job-only"), "several stacks have"),
        (("start", "animals", "--job-only", "--manifest", "s3://data/none"), "there is no manifest at"),
    ],
)
def test_what_is_not_there_takes_no_name(office: Office, arguments: tuple[str, ...], told: str) -> None:
    office.deployed()
    office.deployed("birds")
    office.deployed("birds", stack="second-labeling")
    refused = office.run(*arguments)
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
    assert told in refused.output
    assert office.run("status").output.startswith("no labeling jobs")


def test_a_document_of_another_version_is_told(office: Office) -> None:
    office.deployed()
    office.lab.objects.put("s3://data/labeling/animals/job.json", '{"schema": 9}')
    refused = office.run("start", "animals", "--job-only")
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
    assert "deploy again" in refused.output


def test_a_service_that_refuses_the_job_is_told_in_its_words(office: Office) -> None:
    office.deployed(workteam_arn="arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/nobody")
    refused = office.run("start", "animals", "--job-only")
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
    assert "nobody" in refused.output


def test_what_a_plain_job_leaves_out_is_said(office: Office) -> None:
    office.deployed(settings={"mode": "human", "quality": {"gold": {"share": 0.1}, "min_agreement": None}})
    done = office.run("start", "animals")
    assert done.exit_code == 0, done.output
    assert "a plain job does not do quality.gold;" in done.stderr
    assert "plain job" not in office.run("start", "animals", "--job-only").stderr


def test_a_job_with_a_model_is_not_made_one_without_it_in_silence(office: Office) -> None:
    office.deployed(settings={"mode": "active", "quality": {}})
    refused = office.run("start", "animals")
    assert refused.exit_code == 2
    assert "people label every object" in refused.output
    assert office.run("status").output.startswith("no labeling jobs")
    assert office.run("start", "animals", "--job-only").exit_code == 0
