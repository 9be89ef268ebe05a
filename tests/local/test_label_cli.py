"""`overread label` on a local stack: a deployed job is started, worked on in the portal, watched, merged."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.local.conftest import client_of
from tests.local.labeling_site import BUCKET, ROLE, ROOT, Kind, LabelingSite, annotation_code

from overread.labeling.categories import Category, build
from overread.labeling.job_documents import spec_document
from overread.labeling.jobs import Backend, LabelingJobSpec
from overread.labeling.task_types import TASK_TYPES
from overread_local.stack import LocalStack

OVERREAD = Path(sys.executable).parent / "overread"
LABELS = ("praise", "blame")
SENTENCES = {
    f"Sentence {number:03}: {'a joy to use' if number % 2 else 'it broke at once'}.": LABELS[1 - number % 2]
    for number in range(20)
}


def _said(truth: Any, drawn: random.Random, error: float) -> Mapping[str, Any]:
    label = truth if drawn.random() >= error else next(one for one in LABELS if one != truth)
    return {"category": {"label": label}}


KIND = Kind("TextMultiClass", "text-classification", LABELS, _said)


@pytest.fixture(scope="module")
def site(local_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelingSite]:
    """The session's stack with a team and functions, and a stack's output that has the job `sentences`."""
    made = LabelingSite(local_stack, code=annotation_code(tmp_path_factory.mktemp("code")))
    workforces = {one["WorkforceName"] for one in made.sagemaker.list_workforces()["Workforces"]}
    made.prepare()
    _deploy(made)
    yield made
    client_of(local_stack, "cloudformation").delete_stack(StackName="cli-labeling")
    made.sagemaker.delete_workteam(WorkteamName="labelers")
    if not workforces:
        made.sagemaker.delete_workforce(WorkforceName="site")


def _deploy(site: LabelingSite) -> None:
    template = (ROOT / "templates/text-classification/template.liquid.html").read_text()
    task = TASK_TYPES["TextMultiClass"]
    categories = build([Category(label) for label in LABELS], task=task)
    spec = LabelingJobSpec(
        stem="cli-sentences",
        region="us-east-1",
        backend=Backend.OVERREAD,
        task=task,
        label_attribute="tone",
        manifest_uri=f"s3://{BUCKET}/labeling/sentences/input.manifest",
        output_uri=f"s3://{BUCKET}/jobs",
        categories_uri=site.put("labeling/sentences/categories.json", json.dumps(categories)),
        template_uri=site.put("labeling/sentences/template.liquid.html", template),
        role_arn=ROLE,
        workteam_arn=site.team,
        pre_annotation_arn=site.function(
            "pre_annotation", name="cli-pre", TEMPLATE="text-classification", LABELS=json.dumps(LABELS)
        ),
        consolidation_arn=site.function("consolidate_annotations", name="cli-consolidate"),
        title="Praise or blame",
        description="Say what the sentence is",
        workers=3,
        time_limit_s=600,
        tags={"overread:task-type": "TextMultiClass"},
    )
    places = {"input_bucket": BUCKET, "output_bucket": BUCKET, "key_arn": "", "service_url": ""}
    document = {"schema": 1, "name": "sentences", "spec": spec_document(spec), "places": places}
    document["settings"] = {"mode": "human", "quality": {}}
    uri = site.put("labeling/sentences/job.json", json.dumps(document))
    body = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"LabelingJobSentences": {"Value": uri}},
    }
    cloudformation = client_of(site.stack, "cloudformation")
    cloudformation.create_stack(StackName="cli-labeling", TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="cli-labeling", WaiterConfig={"Delay": 1}
    )


def label(site: LabelingSite, command: str, *arguments: str) -> Any:
    """One command of `overread label`, as a process."""
    return subprocess.run(
        [OVERREAD, "label", command, "--state-dir", site.stack.state_dir, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def done(site: LabelingSite, command: str, *arguments: str) -> str:
    """What a command that succeeds prints."""
    found = label(site, command, *arguments)
    assert found.returncode == 0, found.stdout + found.stderr
    return str(found.stdout)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty sentences."""
    path = tmp_path_factory.mktemp("manifest") / "sentences.manifest"
    path.write_text("".join(json.dumps({"source": text}) + "\n" for text in SENTENCES))
    return path


@pytest.fixture(scope="module")
def labeled(site: LabelingSite, manifest: Path) -> str:
    """The job's name, once people have done it: paused, changed and resumed on the way."""
    name = done(site, "start", "sentences", "--job-only", "--manifest", str(manifest)).strip()
    done(site, "pause", name)
    assert json.loads(done(site, "status", name, "--json"))["paused"] is True
    with site.people(KIND, SENTENCES, error=0.1):
        early = label(site, "status", name, "--watch", "--every", "0.3", "--timeout", "1")
        assert early.returncode == 5, early.stdout + early.stderr
        assert "0 of" in early.stdout, "paused: nobody was offered anything"
        assert done(site, "set", name, "--workers", "2") == f"{name}: 2 people an object, 600 s a task\n"
        done(site, "resume", name)
        watched = done(site, "status", name, "--watch", "--every", "0.3", "--timeout", "60")
    last = watched.splitlines()[-1]
    assert f"{name}: Completed, 20 of 20 labeled (100%)" in last
    return name


def test_a_job_is_started_watched_and_listed(site: LabelingSite, labeled: str) -> None:
    shown = json.loads(done(site, "status", "cli-sentences", "--json"))
    assert (shown["status"], shown["workers"]) == ("Completed", 2)
    assert shown["counters"]["human_labeled"] == 20
    assert labeled in done(site, "status")
    again = label(site, "start", "sentences", "--job-only", "--dry-run")
    assert json.loads(again.stdout)["LabelAttributeName"] == "tone"


def test_its_labels_are_merged_and_measured(site: LabelingSite, labeled: str, tmp_path: Path) -> None:
    output = tmp_path / "labels.manifest"
    assert "20 objects" in done(site, "merge", labeled, "--output", str(output))
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    right = sum(row["tone-metadata"]["class-name"] == SENTENCES[row["source"]] for row in rows)
    assert right >= 14, "people err in a tenth of their answers"
    page = tmp_path / "report.html"
    told = done(site, "report", labeled, "--html", str(page), "--gold", str(output))
    assert "20 of 20 objects have a label." in told
    assert "40 answers of" in told
    assert "Right on gold" in page.read_text()


def test_a_job_without_a_manifest_takes_no_name(site: LabelingSite, labeled: str) -> None:
    refused = label(site, "start", "sentences", "--job-only")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1), refused.stderr
    assert "there is no manifest at" in refused.stderr


def test_a_job_is_stopped(site: LabelingSite, tmp_path: Path) -> None:
    other = tmp_path / "other.manifest"
    other.write_text('{"source": "only one"}\n')
    name = done(site, "start", "sentences", "--job-only", "--manifest", str(other)).strip()
    assert done(site, "stop", name, "--yes").startswith(f"{name}: Stop")
    ended = label(site, "status", name, "--watch", "--every", "0.3", "--timeout", "30")
    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "Stopped" in ended.stdout


def test_a_plan_counts_what_lies_in_s3(site: LabelingSite, tmp_path: Path, manifest: Path) -> None:
    (tmp_path / "template.html").write_text("<crowd-form></crowd-form>")
    job = tmp_path / "sentences.yaml"
    job.write_text(
        "name: sentences\ntask_type: TextMultiClass\ncategories: [{label: praise}, {label: blame}]\n"
        "title: Tone\ndescription: Tone\nlabel_attribute: tone\ntemplate: template.html\nteam: labelers\n"
        "data: {class: personal}\n"
    )
    uri = site.put("labeling/sentences/input.manifest", manifest.read_bytes())
    for source in (("--manifest", uri), ()):
        planned = json.loads(done(site, "plan", str(job), *source, "--json"))
        assert planned["objects"] == 20, "without --manifest: where the deployed job has it"
