"""Every rule of labeling jobs, broken once; each fault is told in the job's own file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.unit.config.broken import own, public
from tests.unit.config.broken_labeling import JOB, RELATIONS, SEQUENCE, VALUES, BrokenJob, more, swapped
from tests.unit.config.conftest import VALID, Write

from overread_config import ConfigError, Settings, load_settings
from overread_config.labeling import LabelingSettings
from overread_config.reference import every_setting

ALL = VALUES | RELATIONS
SEQUENCE_CATEGORIES = {"documentVersion": "2020-03-01", "labels": [{"label": "Car"}]}


@pytest.fixture
def project(write: Write, tmp_path: Path) -> Path:
    """A project with what the jobs name."""
    folder = tmp_path / "pages" / "image-classification"
    folder.mkdir()
    (folder / "template.html").write_text("stand-in")
    (tmp_path / "pages" / "sequence.json").write_text(json.dumps(SEQUENCE_CATEGORIES))
    (tmp_path / "pages" / "other.json").write_text("{}")
    (tmp_path / "labeling").mkdir()
    return tmp_path


def load(
    project: Path,
    write: Write,
    *jobs: str,
    backend: str = "ground-truth",
    ours: bool = False,
    is_public: bool = False,
) -> Settings:
    for number, job in enumerate(jobs):
        (project / "labeling" / f"job{number}.yaml").write_text(job)
    text = own() if ours else public(VALID) if is_public else VALID
    if is_public:
        text = text.replace("      title: Loan", "      title: Loan\n      price_usd: 0.012")
        text = text.replace("      title: Loan", "      title: Loan\n      availability_s: 600")
    return load_settings(write(f"{text}labeling: {{backend: {backend}, jobs: labeling/}}\n"))


@pytest.mark.parametrize("name", ALL)
def test_each_rule_tells_the_file_of_the_job_and_the_line(name: str, project: Path, write: Write) -> None:
    broken: BrokenJob = ALL[name]
    with pytest.raises(ConfigError) as error:
        load(project, write, broken.text, backend=broken.backend, ours=broken.ours, is_public=broken.public)
    found = [fault for fault in error.value.faults if fault.field == broken.field]
    assert len(found) == 1, error.value
    (fault,) = found
    assert fault.file == project / "labeling" / "job0.yaml"
    assert fault.line == broken.line, str(fault)
    assert broken.problem in fault.problem
    assert broken.allowed in fault.allowed + fault.problem


def test_every_setting_of_a_job_is_broken_once() -> None:
    paths = {re.sub(r"\[[0-9]\]", "[]", case.field) for case in ALL.values()}
    assert [path for path, _ in every_setting(LabelingSettings) if path not in paths] == []


def test_a_job_becomes_frozen_settings_and_knows_its_file(project: Path, write: Write) -> None:
    labeling = load(project, write, JOB, SEQUENCE).labeling
    assert labeling is not None
    digits, cars = labeling.jobs
    assert (digits.name, digits.file) == ("digits", project / "labeling" / "job0.yaml")
    assert [one.label for one in digits.categories] == ["one", "two"]
    assert (digits.redundancy.workers, digits.mode, digits.start) == (3, "human", "manually")
    assert cars.category_file == project / "pages" / "sequence.json"


def test_jobs_may_be_a_list_of_files(project: Path, write: Write) -> None:
    (project / "labeling" / "one.yaml").write_text(JOB)
    (project / "labeling" / "two.yaml").write_text("not: a job")
    text = VALID + "labeling: {backend: ground-truth, jobs: [labeling/one.yaml]}\n"
    labeling = load_settings(write(text)).labeling
    assert labeling is not None
    assert [job.name for job in labeling.jobs] == ["digits"]


def test_faults_of_all_files_are_told_together(project: Path, write: Write) -> None:
    with pytest.raises(ConfigError) as error:
        load(
            project,
            write,
            more("mode: robots"),
            more("mode: magic"),
            swapped("title: Which digit", "title: 7"),
        )
    told = [(fault.file.name, fault.field) for fault in error.value.faults]
    # The second and third job have the first one's name besides.
    assert told == [
        ("job0.yaml", "mode"),
        ("job1.yaml", "name"),
        ("job1.yaml", "mode"),
        ("job2.yaml", "name"),
        ("job2.yaml", "title"),
    ]


def test_a_file_that_is_not_there_or_no_yaml_is_one_fault(project: Path, write: Write) -> None:
    (project / "labeling" / "odd.yaml").write_text("name: [")
    text = VALID + "labeling: {backend: ground-truth, jobs: [labeling/none.yaml, labeling/odd.yaml]}\n"
    with pytest.raises(ConfigError) as error:
        load_settings(write(text))
    assert [fault.problem for fault in error.value.faults] == ["there is no such file", "is not YAML"]


@pytest.mark.parametrize("backend", ["ground-truth", "overread"])
def test_each_way_of_working_is_taken(backend: str, project: Path, write: Write) -> None:
    ours = backend == "overread"
    job = more(
        "redundancy: {workers: 2, adaptive: {most: 4, confidence: 0.9}}\nquality: {gold: {manifest: g}}"
    )
    labeling = load(project, write, job, backend=backend, ours=ours).labeling
    assert labeling is not None
    assert labeling.backend == backend


def test_ground_truth_beside_the_review_service_takes_a_work_team_by_its_arn(
    project: Path, write: Write
) -> None:
    arn = "arn:aws:sagemaker:eu-central-1:111122223333:workteam/private-crowd/labelers"
    labeling = load(project, write, swapped("team: readers", f"workteam_arn: {arn}"), ours=True).labeling
    assert labeling is not None
    assert labeling.jobs[0].workteam_arn == arn


def test_a_chained_job_follows_another(project: Path, write: Write) -> None:
    second = more("after: digits").replace("name: digits", "name: checked")
    labeling = load(project, write, JOB, second).labeling
    assert labeling is not None
    assert labeling.jobs[1].after == "digits"
