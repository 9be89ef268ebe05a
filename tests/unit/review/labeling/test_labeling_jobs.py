"""Labeling jobs on the review service, from CreateLabelingJob to the output manifest."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from overread_review.service.errors import (
    DocumentUnavailableError,
    QueueUnknownError,
    RequestInvalidError,
    ResourceMissingError,
    ResourceTakenError,
    ReviewError,
)
from overread_review.service.model import Loop, Reviewer
from overread_testing.review_fakes import ADA, GRACE, KATHERINE, ReviewLab, review_lab

MANIFEST = "s3://data/animals.manifest"
TEMPLATE = "s3://data/template.liquid.html"
PRE = "arn:aws:lambda:eu-west-1:111122223333:function:pre"
POST = "arn:aws:lambda:eu-west-1:111122223333:function:post"
PAGE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-classifier name="kind" categories="['cat', 'dog']" header="Which?">
<classification-target>{{ task.input.source }}</classification-target>
<full-instructions header="How">Look.</full-instructions>
<short-instructions>Look.</short-instructions></crowd-classifier></crowd-form>
"""
PEOPLE = (ADA, GRACE, KATHERINE)


def consolidate(lab: ReviewLab) -> Any:
    """A consolidation function that counts votes."""

    def answer(event: Mapping[str, Any]) -> Any:
        payload = json.loads(lab.objects.bodies[event["payload"]["s3Uri"]])
        made = []
        for each in payload:
            votes = [
                json.loads(one["annotationData"]["content"])["kind"]["label"] for one in each["annotations"]
            ]
            best = max(sorted(set(votes)), key=votes.count)
            label = {
                "label": best,
                "confidence": votes.count(best) / len(votes),
                "workers": len(votes),
                "skipped": [],
            }
            made.append(
                {
                    "datasetObjectId": each["datasetObjectId"],
                    "consolidatedAnnotation": {"content": {event["labelAttributeName"]: label}},
                }
            )
        return made

    return answer


@dataclass
class Jobs:
    """A review service with a manifest, a template and both functions; and people who work."""

    lab: ReviewLab
    texts: Sequence[str]
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create(self, name: str = "animals", *, tags: Mapping[str, str] | None = None, **changes: Any) -> str:
        """A job of that name; `changes` override HumanTaskConfig, `job` members of the request."""
        of_the_job = changes.pop("job", {})
        request = {
            "LabelingJobName": name,
            "LabelAttributeName": "kind",
            "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": MANIFEST}}},
            "OutputConfig": {"S3OutputPath": "s3://out/jobs/"},
            "RoleArn": "arn:aws:iam::111122223333:role/labeling",
            "LabelCategoryConfigS3Uri": "s3://data/categories.json",
            "HumanTaskConfig": {
                "WorkteamArn": self.lab.service.settings.arn("workteam/private-crowd/team"),
                "UiConfig": {"UiTemplateS3Uri": TEMPLATE},
                "PreHumanTaskLambdaArn": PRE,
                "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": POST},
                "TaskTitle": "Name the animal",
                "TaskDescription": "Cat or dog",
                "NumberOfHumanWorkersPerDataObject": 1,
                "TaskTimeLimitInSeconds": 600,
                **changes,
            },
            "Tags": [
                {"Key": key, "Value": value}
                for key, value in ({"overread:task-type": "TextMultiClass"} | dict(tags or {})).items()
            ],
            **of_the_job,
        }
        self.requests[name] = request
        arn: str = self.lab.call(self.lab.service.labeling_jobs.create, **request)["LabelingJobArn"]
        return arn

    def drive(self, *, most: int = 200) -> None:
        """The driver until it has nothing to do."""
        for _ in range(most):
            if not self.lab.service.labeling.drive():
                return
        raise AssertionError("the driver finds no end")

    def describe(self, name: str = "animals") -> dict[str, Any]:
        """DescribeLabelingJob."""
        return self.lab.call(self.lab.service.labeling_jobs.describe, LabelingJobName=name)

    def status(self, name: str = "animals") -> str:
        """The job's status."""
        found: str = self.describe(name)["LabelingJobStatus"]
        return found

    def offered(self, by: Reviewer = ADA) -> list[Loop]:
        """What a person finds in their list."""
        return [task.loop for task in self.lab.service.tasks.offered(by)]

    def work(self, by: Reviewer = ADA, *, most: int = 10_000, wrong: Sequence[str] = ()) -> int:
        """A person answers what they are offered, rightly but for the `wrong` texts; how much it was."""
        done = 0
        for loop in self.offered(by)[:most]:
            text = self.lab.service.loops.task_input(loop)["source"]
            right = "cat" if "miaow" in text else "dog"
            label = right if text not in wrong else {"cat": "dog", "dog": "cat"}[right]
            self.answer(loop.name, by=by, label=label)
            done += 1
        return done

    def answer(self, name: str, *, by: Reviewer, label: str) -> None:
        """A person claims a task and answers it."""
        self.lab.service.tasks.claim(name, reviewer=by)
        self.lab.clock.advance(7)
        self.lab.service.tasks.answer(name, reviewer=by, content={"kind": {"label": label}})

    def through(self, by: Sequence[Reviewer] = (ADA,)) -> None:
        """People and the driver until the job has ended."""
        for _ in range(100):
            self.drive()
            if not sum(self.work(person) for person in by):
                break
        self.drive()

    def output(self, name: str = "animals") -> list[dict[str, Any]]:
        """The lines of the output manifest."""
        uri: str = self.describe(name)["LabelingJobOutput"]["OutputDatasetS3Uri"]
        return self.lab.objects.lines(uri)


def jobs_of(texts: Sequence[str], **settings: Any) -> Jobs:
    """Jobs over a manifest of texts."""
    lab = review_lab(**settings)
    lab.objects.put(
        MANIFEST, "".join(json.dumps({"source": text, "n": n}) + "\n" for n, text in enumerate(texts))
    )
    lab.objects.put(TEMPLATE, PAGE)
    categories = {"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}
    lab.objects.put("s3://data/categories.json", json.dumps(categories))
    lab.functions.functions[PRE] = lambda event: {"taskInput": event["dataObject"]}
    lab.functions.functions[POST] = consolidate(lab)
    return Jobs(lab, texts)


def texts(count: int) -> list[str]:
    """Texts of two kinds."""
    return [f"{'miaow' if number % 3 else 'woof'} {number}" for number in range(count)]


def test_a_job_goes_from_manifest_to_labels() -> None:
    jobs = jobs_of(texts(7))
    arn = jobs.create("Animals")
    assert arn.endswith(":labeling-job/animals")
    assert jobs.status("Animals") == "Initializing"
    jobs.through()
    assert jobs.status("Animals") == "Completed"
    lines = jobs.output("Animals")
    assert [line["source"] for line in lines] == texts(7)
    assert [line["kind"] for line in lines] == [1, 0, 0, 1, 0, 0, 1]
    metadata = lines[0]["kind-metadata"]
    assert metadata["class-name"] == "dog"
    assert metadata["type"] == "groundtruth/text-classification"
    assert metadata["job-name"] == "labeling-job/Animals"
    assert metadata["human-annotated"] == "yes"
    assert jobs.describe("Animals")["LabelCounters"] == {
        "TotalLabeled": 7,
        "HumanLabeled": 7,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 0,
    }


def test_the_files_lie_where_ground_truth_has_them() -> None:
    jobs = jobs_of(texts(2))
    jobs.create()
    jobs.through()
    found = jobs.lab.objects.under("s3://out/jobs/animals/")
    folders = {uri.removeprefix("s3://out/jobs/animals/").rpartition("/")[0] for uri in found}
    assert folders == {
        "annotations/worker-response/iteration-1/0",
        "annotations/worker-response/iteration-1/1",
        "annotations/consolidated-annotation/consolidation-request/iteration-1",
        "annotations/consolidated-annotation/consolidation-response/iteration-1",
        "manifests/output",
    }
    (answer,) = json.loads(
        jobs.lab.objects.bodies[found[-3]]
        if "worker" in found[-3]
        else jobs.lab.objects.bodies[jobs.lab.objects.under("s3://out/jobs/animals/annotations/worker")[0]]
    )["answers"]
    assert answer["answerContent"] == {"kind": {"label": "dog"}}
    assert answer["workerId"].startswith("private.eu-west-1.")
    assert answer["timeSpentInSeconds"] == 7


def test_functions_are_called_with_ground_truths_events() -> None:
    jobs = jobs_of(texts(2))
    arn = jobs.create()
    jobs.through()
    events = dict(jobs.lab.functions.calls)
    assert events[PRE] == {
        "version": "2018-10-16",
        "labelingJobArn": arn,
        "dataObject": {"source": "miaow 1", "n": 1},
    }
    event = events[POST]
    assert event["labelCategories"] == ["cat", "dog"]
    assert event["labelAttributeName"] == "kind"
    (payload,) = [
        json.loads(body) for uri, body in jobs.lab.objects.bodies.items() if uri == event["payload"]["s3Uri"]
    ]
    assert [each["dataObject"] for each in payload] == [{"content": "woof 0"}, {"content": "miaow 1"}]


def test_several_people_label_each_object_and_nobody_twice() -> None:
    jobs = jobs_of(texts(4))
    jobs.create(NumberOfHumanWorkersPerDataObject=3)
    jobs.drive()
    assert jobs.work(ADA) == 4
    assert jobs.work(ADA) == 0
    jobs.work(GRACE)
    jobs.drive()
    assert jobs.status() == "InProgress"
    jobs.work(KATHERINE, wrong=["woof 0"])
    jobs.drive()
    assert [line["kind-metadata"]["confidence"] for line in jobs.output()] == pytest.approx(
        [2 / 3, 1, 1, 1], abs=1e-6
    )


def test_tasks_of_a_job_are_no_human_loops() -> None:
    jobs = jobs_of(texts(1))
    jobs.create()
    jobs.drive()
    (loop,) = jobs.offered()
    with pytest.raises(ResourceMissingError):
        jobs.lab.call(jobs.lab.service.loops.describe, HumanLoopName=loop.name)
    jobs.work()
    jobs.drive()
    assert [one["detail-type"] for one in jobs.lab.events.delivered] == [
        "SageMaker Ground Truth Labeling Job State Change"
    ]
    assert jobs.lab.events.delivered[0]["detail"] == {"LabelingJobStatus": "Completed"}
    assert not jobs.lab.objects.under("s3://out/jobs/animals/animals")


def test_what_nobody_answers_in_time_fails_alone_and_a_chained_job_does_it() -> None:
    jobs = jobs_of(texts(3))
    jobs.create(TaskAvailabilityLifetimeInSeconds=3600)
    jobs.drive()
    jobs.work(most=2)
    jobs.lab.clock.advance(4000)
    jobs.lab.service.loops.sweep()
    jobs.drive()
    assert jobs.status() == "Completed"
    assert jobs.describe()["LabelCounters"]["FailedNonRetryableError"] == 1
    first = jobs.output()
    failed = [line for line in first if "kind" not in line]
    assert len(failed) == 1
    assert "expired" in failed[0]["kind-metadata"]["failure-reason"]

    chained = {
        "InputConfig": {
            "DataSource": {
                "S3DataSource": {"ManifestS3Uri": jobs.describe()["LabelingJobOutput"]["OutputDatasetS3Uri"]}
            }
        }
    }
    jobs.create("again", job=chained)
    jobs.drive()
    assert [jobs.lab.service.loops.task_input(loop)["source"] for loop in jobs.offered()] == [
        failed[0]["source"]
    ]
    jobs.through()
    assert all("kind" in line for line in jobs.output("again"))
    assert jobs.output("again")[0] == first[0]


def test_a_job_that_labels_nothing_has_failed() -> None:
    jobs = jobs_of(texts(2))
    jobs.create(TaskAvailabilityLifetimeInSeconds=60)
    jobs.drive()
    jobs.lab.clock.advance(100)
    jobs.lab.service.loops.sweep()
    jobs.drive()
    assert jobs.status() == "Failed"
    assert "No object was labeled" in jobs.describe()["FailureReason"]


def test_only_so_many_objects_are_with_people_at_once() -> None:
    jobs = jobs_of(texts(40))
    jobs.create(MaxConcurrentTaskCount=8)
    jobs.drive()
    assert len(jobs.offered()) == 8
    jobs.work(most=3)
    jobs.drive()
    assert 0 < len(jobs.offered()) <= 8
    jobs.through()
    assert len(jobs.output()) == 40
    assert all("kind" in line for line in jobs.output())


def test_objects_that_need_nobody_are_passed() -> None:
    jobs = jobs_of(texts(4))
    jobs.lab.functions.functions[PRE] = lambda event: {
        "taskInput": event["dataObject"],
        "humanAnnotationRequired": str(event["dataObject"]["n"] != 2).lower(),
    }
    jobs.create()
    jobs.through()
    lines = jobs.output()
    assert lines[2] == {"source": "miaow 2", "n": 2}
    assert sum("kind" in line for line in lines) == 3


def test_a_failing_pre_annotation_fails_its_object_alone() -> None:
    jobs = jobs_of(texts(3))

    def pre(event: Mapping[str, Any]) -> Any:
        if event["dataObject"]["n"] == 1:
            raise ValueError("no such thing")
        return {"taskInput": event["dataObject"]}

    jobs.lab.functions.functions[PRE] = pre
    jobs.create()
    jobs.through()
    reasons = [line["kind-metadata"].get("failure-reason", "") for line in jobs.output()]
    assert reasons[1].startswith("The pre-annotation function failed: ValueError")
    assert [bool(reason) for reason in reasons] == [False, True, False]


def test_a_failing_consolidation_is_tried_again_and_then_fails_its_objects() -> None:
    jobs = jobs_of(texts(2))
    right = jobs.lab.functions.functions[POST]
    tries = iter([ValueError("first"), ValueError("second")])

    def post(event: Mapping[str, Any]) -> Any:
        if (error := next(tries, None)) is not None:
            raise error
        return right(event)

    jobs.lab.functions.functions[POST] = post
    jobs.create()
    jobs.through()
    assert all("kind" in line for line in jobs.output())

    jobs.lab.functions.functions[POST] = lambda event: {"no": "list"}
    jobs.create("bad")
    jobs.through()
    assert jobs.status("bad") == "Failed"


def test_a_job_without_functions_says_where_the_answers_are() -> None:
    jobs = jobs_of(texts(1))
    arn = jobs.create(
        tags={"overread:task-type": "custom"}, PreHumanTaskLambdaArn="", AnnotationConsolidationConfig={}
    )
    assert arn
    jobs.through()
    (line,) = jobs.output()
    assert line["kind"] == {}
    assert line["kind-metadata"]["type"] == "groundTruth/custom"
    stored = json.loads(jobs.lab.objects.bodies[line["kind-metadata"]["worker-response-ref"]])
    assert stored["answers"][0]["answerContent"] == {"kind": {"label": "dog"}}


@pytest.mark.parametrize(
    ("conditions", "labeled"),
    [({"MaxHumanLabeledObjectCount": 3}, 3), ({"MaxPercentageOfInputDatasetLabeled": 25}, 3)],
)
def test_stopping_conditions_end_the_job(conditions: dict[str, int], labeled: int) -> None:
    jobs = jobs_of(texts(10))
    jobs.create(job={"StoppingConditions": conditions})
    jobs.through()
    assert jobs.status() == "Stopped"
    lines = jobs.output()
    assert len(lines) == 10
    assert sum("kind" in line for line in lines) == labeled


def test_a_stopped_job_keeps_what_people_did() -> None:
    jobs = jobs_of(texts(10))
    jobs.create()
    jobs.drive()
    jobs.work(most=4)
    begun = jobs.offered()[0]
    jobs.lab.service.tasks.claim(begun.name, reviewer=GRACE)
    jobs.lab.call(jobs.lab.service.labeling_jobs.stop, LabelingJobName="animals")
    jobs.drive()
    assert jobs.status() == "Stopping"
    assert jobs.offered(ADA) == []
    jobs.lab.service.tasks.answer(begun.name, reviewer=GRACE, content={"kind": {"label": "cat"}})
    jobs.drive()
    assert jobs.status() == "Stopped"
    lines = jobs.output()
    assert [line["source"] for line in lines] == texts(10)
    assert sum("kind" in line for line in lines) == 5
    assert not any("failure-reason" in line.get("kind-metadata", {}) for line in lines)
    with pytest.raises(RequestInvalidError, match="has ended with status Stopped"):
        jobs.lab.call(jobs.lab.service.labeling_jobs.stop, LabelingJobName="animals")


def test_a_paused_job_offers_nothing_and_goes_on_when_resumed() -> None:
    jobs = jobs_of(texts(12))
    jobs.create(MaxConcurrentTaskCount=4)
    jobs.drive()
    jobs.lab.service.labeling_jobs.pause("animals", by="lena")
    assert jobs.offered() == []
    jobs.drive()
    jobs.lab.service.labeling_jobs.resume("animals")
    assert len(jobs.offered()) == 4
    jobs.through()
    assert jobs.status() == "Completed"


def test_more_votes_may_be_asked_for_while_a_job_runs() -> None:
    jobs = jobs_of(texts(3))
    jobs.create()
    jobs.drive()
    jobs.work(most=1)
    jobs.lab.service.labeling_jobs.update("animals", workers=2, time_limit_s=60)
    assert {loop.terms.time_limit_s for loop in jobs.offered(GRACE)} == {60}
    jobs.work(ADA)
    jobs.work(GRACE)
    jobs.drive()
    assert jobs.status() == "Completed"
    assert jobs.describe()["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 2
    with pytest.raises(RequestInvalidError, match="not running"):
        jobs.lab.service.labeling_jobs.update("animals", workers=3)


def test_fewer_votes_end_tasks_that_have_enough() -> None:
    jobs = jobs_of(texts(2))
    jobs.create(NumberOfHumanWorkersPerDataObject=3)
    jobs.drive()
    jobs.work(ADA)
    jobs.lab.service.labeling_jobs.update("animals", workers=1)
    jobs.drive()
    assert jobs.status() == "Completed"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "The manifest is empty"),
        (b'{"source": "a"}\n{"source": \n', "line 2 "),
        (b'{"nothing": 1}\n', "line 1 must have source or source-ref"),
        (b'{"source": "a"}\n\n{"source": "b"}\n', "line 2 must hold an object, is empty"),
    ],
)
def test_a_faulty_manifest_fails_the_job_with_its_lines(body: bytes, told: str) -> None:
    jobs = jobs_of(texts(1))
    jobs.lab.objects.put(MANIFEST, body)
    jobs.create()
    jobs.drive()
    assert jobs.status() == "Failed"
    assert told in jobs.describe()["FailureReason"]


@pytest.mark.parametrize(
    ("missing", "told"),
    [(MANIFEST, MANIFEST), (TEMPLATE, TEMPLATE), ("s3://data/categories.json", "categories.json")],
)
def test_a_missing_object_fails_the_job(missing: str, told: str) -> None:
    jobs = jobs_of(texts(1))
    del jobs.lab.objects.bodies[missing]
    jobs.create()
    jobs.drive()
    assert jobs.status() == "Failed"
    assert told in jobs.describe()["FailureReason"]


def test_a_manifest_that_changes_under_the_job_fails_it() -> None:
    jobs = jobs_of(texts(10))
    jobs.create(MaxConcurrentTaskCount=2)
    jobs.drive()
    jobs.lab.objects.put(MANIFEST, b'{"source": "other"}\n' * 10)
    jobs.work()
    jobs.drive()
    assert jobs.status() == "Failed"
    assert "was changed after the job had begun" in jobs.describe()["FailureReason"]
    assert jobs.offered() == []


def test_an_unavailable_service_is_waited_for() -> None:
    jobs = jobs_of(texts(2))
    jobs.create()
    jobs.lab.objects.is_down = True
    jobs.drive()
    assert jobs.status() == "Initializing"
    jobs.lab.objects.is_down = False
    jobs.through()
    assert jobs.status() == "Completed"


def test_a_name_is_used_once_whatever_its_case() -> None:
    jobs = jobs_of(texts(1))
    jobs.create("animals")
    jobs.through()
    with pytest.raises(ResourceTakenError, match="used once"):
        jobs.create("ANIMALS")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"UiConfig": {"HumanTaskUiArn": "arn:x"}}, "UiTemplateS3Uri must be given"),
        (
            {"PreHumanTaskLambdaArn": "arn:aws:lambda:eu-west-1:568282634449:function:PRE-TextMultiClass"},
            "Amazon's own functions",
        ),
        (
            {"WorkteamArn": "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"},
            "no way to Mechanical Turk",
        ),
        ({"TaskTimeLimitInSeconds": 29_000}, "TaskTimeLimitInSeconds must be"),
        ({"tags": {"overread:task-type": "VideoObjectTracking"}}, "needs Ground Truth"),
        ({"tags": {"overread:task-type": "Nonsense"}}, "must be one of"),
        ({"tags": {"overread:adaptive-votes": "many"}}, "7@0.95"),
        ({"job": {"LabelAttributeName": "kind-metadata"}}, "must not end in -metadata"),
        ({"job": {"LabelingJobAlgorithmsConfig": {}}}, "needs Ground Truth"),
        (
            {"job": {"InputConfig": {"DataSource": {"SnsDataSource": {"SnsTopicArn": "arn"}}}}},
            "streaming jobs need Ground Truth",
        ),
    ],
)
def test_what_the_service_cannot_do_is_refused_at_once(changes: dict[str, Any], told: str) -> None:
    jobs = jobs_of(texts(1))
    with pytest.raises(RequestInvalidError, match=told):
        jobs.create(**changes)
    assert jobs.lab.call(jobs.lab.service.labeling_jobs.list)["LabelingJobSummaryList"] == []


def test_jobs_are_listed_with_their_counters() -> None:
    jobs = jobs_of(texts(2))
    jobs.create("one")
    jobs.through()
    jobs.lab.clock.advance(5)
    jobs.create("two")
    found = jobs.lab.call(jobs.lab.service.labeling_jobs.list)["LabelingJobSummaryList"]
    assert [one["LabelingJobName"] for one in found] == ["two", "one"]
    assert found[1]["LabelCounters"]["HumanLabeled"] == 2
    chosen = jobs.lab.call(jobs.lab.service.labeling_jobs.list, StatusEquals="Completed")
    assert [one["LabelingJobName"] for one in chosen["LabelingJobSummaryList"]] == ["one"]


def test_a_lead_finds_the_job_among_the_queues_while_it_runs() -> None:
    jobs = jobs_of(texts(1))
    jobs.create()
    jobs.drive()
    assert jobs.lab.service.queues.named("animals", reviewer=ADA).arn.endswith("labeling-job/animals")
    jobs.through()
    with pytest.raises(QueueUnknownError):
        jobs.lab.service.queues.named("animals", reviewer=ADA)


def test_votes_are_added_where_people_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of(texts(4))
    jobs.create(NumberOfHumanWorkersPerDataObject=2, tags={"overread:adaptive-votes": "3@0.9"})
    jobs.drive()
    jobs.work(ADA)
    jobs.work(GRACE, wrong=["woof 0"])
    jobs.drive()
    assert jobs.status() == "InProgress"
    assert jobs.offered(ADA) == jobs.offered(GRACE) == []
    (loop,) = jobs.offered(KATHERINE)
    assert jobs.lab.service.loops.task_input(loop)["source"] == "woof 0"
    jobs.work(KATHERINE)
    jobs.drive()
    assert [line["kind"] for line in jobs.output()] == [1, 0, 0, 1]
    votes = {
        uri.split("/")[-2]: len(json.loads(body)["answers"])
        for uri, body in jobs.lab.objects.bodies.items()
        if "/worker-response/" in uri
    }
    assert votes == {"0": 3, "1": 2, "2": 2, "3": 2}


def test_no_more_votes_than_allowed_are_asked_for() -> None:
    jobs = jobs_of(texts(1))
    jobs.create(NumberOfHumanWorkersPerDataObject=2, tags={"overread:adaptive-votes": "2@0.99"})
    jobs.drive()
    jobs.work(ADA)
    jobs.work(GRACE, wrong=["woof 0"])
    jobs.drive()
    assert jobs.status() == "Completed"


OWN = {"label": "cat", "confidence": 1, "workers": 1, "skipped": []}


@pytest.mark.parametrize(
    "content",
    [
        {"kind": {**OWN, "worker-feedback": ["x"]}},
        {"kind": {**OWN, "worker-feedback": None}},
        {"kind": {**OWN, "confidence": "high"}},
        {"kind": {**OWN, "label": "horse"}},
        {"kind": {"a": 1}, "kind-metadata": None},
        {"kind": "\ud800"},
        {"kind": {"a": float("nan")}},
        {"other": 1},
    ],
)
def test_a_label_that_cannot_be_written_fails_its_object_alone(content: Any) -> None:
    jobs = jobs_of(texts(3))
    right = jobs.lab.functions.functions[POST]

    def post(event: Mapping[str, Any]) -> Any:
        made = right(event)
        made[1]["consolidatedAnnotation"]["content"] = content
        return made

    jobs.lab.functions.functions[POST] = post
    jobs.create()
    jobs.through()
    assert jobs.status() == "Completed", jobs.describe()
    assert ["kind" in line for line in jobs.output()] == [True, False, True]
    assert "label cannot be written" in jobs.output()[1]["kind-metadata"]["failure-reason"]


def test_a_job_that_breaks_in_an_unknown_way_keeps_no_other_from_going_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = jobs_of(texts(1))
    jobs.create("first")
    jobs.create("second")
    step = jobs.lab.service.labeling._step

    def broken(job: Any) -> bool:
        if job.name == "first":
            raise AttributeError("nobody thought of this")
        return step(job)

    monkeypatch.setattr(type(jobs.lab.service.labeling), "_step", lambda self, job: broken(job))
    jobs.through()
    assert (jobs.status("first"), jobs.status("second")) == ("Initializing", "Completed")


def test_a_job_that_is_stopped_while_tasks_are_made_ends_with_what_was_made() -> None:
    jobs = jobs_of(texts(4))
    jobs.create()

    def throttled(event: Mapping[str, Any]) -> Any:
        raise DocumentUnavailableError("Lambda: TooManyRequestsException")

    right = jobs.lab.functions.functions[PRE]
    jobs.lab.functions.functions[PRE] = throttled
    jobs.drive()
    assert jobs.status() == "InProgress"
    jobs.lab.call(jobs.lab.service.labeling_jobs.stop, LabelingJobName="animals")
    jobs.drive()
    assert jobs.status() == "Stopped"
    assert jobs.output() == [{"source": text, "n": n} for n, text in enumerate(texts(4))]
    jobs.lab.functions.functions[PRE] = right


def test_who_has_begun_may_finish_when_fewer_are_wanted() -> None:
    jobs = jobs_of(texts(1))
    jobs.create(NumberOfHumanWorkersPerDataObject=3)
    jobs.drive()
    (loop,) = jobs.offered(ADA)
    jobs.answer(loop.name, by=ADA, label="dog")
    jobs.lab.service.tasks.claim(loop.name, reviewer=GRACE)
    jobs.lab.service.labeling_jobs.update("animals", workers=1)
    assert jobs.offered(KATHERINE) == []
    jobs.lab.service.tasks.answer(loop.name, reviewer=GRACE, content={"kind": {"label": "dog"}})
    jobs.drive()
    assert jobs.status() == "Completed"


def test_other_numbers_reach_tasks_that_are_being_made() -> None:
    jobs = jobs_of(texts(2))
    jobs.create()
    right = jobs.lab.functions.functions[PRE]

    def meanwhile(event: Mapping[str, Any]) -> Any:
        jobs.lab.service.labeling_jobs.update("animals", workers=3)
        return right(event)

    jobs.lab.functions.functions[PRE] = meanwhile
    jobs.drive()
    assert {loop.terms.task_count for loop in jobs.offered()} == {3}


def test_a_job_stopped_before_it_began_has_no_output() -> None:
    jobs = jobs_of(texts(1))
    jobs.create()
    jobs.lab.call(jobs.lab.service.labeling_jobs.stop, LabelingJobName="animals")
    jobs.drive()
    assert jobs.status() == "Stopped"
    assert "LabelingJobOutput" not in jobs.describe()


def test_two_drivers_that_finish_a_batch_differently_leave_the_lines_of_one() -> None:
    """The slower one's function has failed for good meanwhile; its lines lie apart and are never used."""
    jobs = jobs_of(texts(1))
    jobs.create()
    jobs.drive()
    jobs.work()
    right, calls = jobs.lab.functions.functions[POST], []

    def post(event: Mapping[str, Any]) -> Any:
        calls.append(event)
        if len(calls) == 3:
            jobs.lab.service.labeling._seen.clear()
            jobs.lab.service.labeling.drive()  # another driver, whose call succeeds
            raise ValueError("too late")
        if len(calls) < 3:
            raise ValueError("not yet")
        return right(event)

    jobs.lab.functions.functions[POST] = post
    for _ in range(5):
        jobs.lab.service.labeling.drive()
    assert len(calls) == 4
    counted = jobs.describe()["LabelCounters"]
    (line,) = jobs.output()
    assert ("kind" in line) is (counted["HumanLabeled"] == 1)
    assert counted["HumanLabeled"] + counted["FailedNonRetryableError"] == 1


def test_objects_that_need_nobody_are_passed_a_few_batches_a_step() -> None:
    jobs = jobs_of(texts(1))
    labeled = [{"source": f"s{n}", "kind": 0, "kind-metadata": {}} for n in range(3000)]
    jobs.lab.objects.put(MANIFEST, "".join(json.dumps(row) + "\n" for row in labeled))
    jobs.create()
    jobs.lab.service.labeling.drive()
    jobs.lab.service.labeling.drive()
    assert len(jobs.lab.service.labeling_jobs.named("animals").state.open_batches) <= 8
    jobs.drive()
    assert jobs.output() == labeled


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("seed", range(25))
def test_killed_at_any_call_nothing_is_lost_or_doubled(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call of a port may be the last, before or after it took effect; the next process goes on.

    And before any call another driver may have done a step.
    """
    jobs = jobs_of(texts(23))
    lab, dice = jobs.lab, random.Random(seed)
    is_inside = False

    def other() -> None:
        nonlocal is_inside
        if is_inside or not jobs.requests:
            return
        is_inside = True
        try:
            lab.service.labeling.drive()
        except Killed:
            lab.service.labeling._seen.clear()
        finally:
            is_inside = False

    for port in (lab.store, lab.objects, lab.functions, lab.documents):
        for name in (
            "create_loop",
            "create_record",
            "replace_record",
            "replace_resource",
            "write",
            "write_parts",
            "call",
            "put",
        ):
            method = getattr(port, name, None)
            if method is not None and not (port is lab.objects and name == "put"):
                monkeypatch.setattr(port, name, mortal(method, dice, other=other))
    for _ in range(400):
        try:
            if not jobs.requests:
                jobs.create(MaxConcurrentTaskCount=12, NumberOfHumanWorkersPerDataObject=2)
            lab.clock.advance(3)
            lab.service.loops.sweep()
            lab.service.labeling.drive()
        except Killed:
            lab.service.labeling._seen.clear()
        for person in (ADA, GRACE):
            for loop in jobs.offered(person)[: dice.randrange(4)]:
                try:
                    jobs.answer(loop.name, by=person, label="cat" if dice.random() < 0.9 else "dog")
                except (Killed, ReviewError, DocumentUnavailableError):
                    continue
        if "animals" in jobs.requests and _created(jobs) and jobs.status() in {"Completed", "Failed"}:
            break
    assert jobs.status() == "Completed", jobs.describe()
    lines = jobs.output()
    assert [line["source"] for line in lines] == list(jobs.texts)
    assert all(line["kind-metadata"]["human-annotated"] == "yes" for line in lines)
    assert {len(line["kind-metadata"]) for line in lines} == {6}
    votes = [
        len(json.loads(body)["answers"])
        for uri, body in lab.objects.bodies.items()
        if "/worker-response/" in uri
    ]
    assert votes == [2] * 23
    assert jobs.describe()["LabelCounters"]["HumanLabeled"] == 23


def _created(jobs: Jobs) -> bool:
    try:
        jobs.describe()
    except ResourceMissingError:
        jobs.requests.clear()
        return False
    return True


def mortal(method: Any, dice: random.Random, *, other: Any) -> Any:
    """The method, in which the process may end before or after its work, or another be faster."""

    def called(*arguments: Any, **named: Any) -> Any:
        fate = dice.random()
        if fate < 0.02:
            raise Killed
        if fate < 0.12:
            other()
        result = method(*arguments, **named)
        if fate > 0.98:
            raise Killed
        return result

    return called
