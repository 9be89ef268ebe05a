"""A served review service with labeling jobs, an S3 beside it, and `overread label` pointed at both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread.labeling.job_documents import spec_document
from overread.labeling.jobs import Backend, LabelingJobSpec
from overread.labeling.task_types import TASK_TYPES
from overread_cli.main import main
from overread_review.app import create_app
from overread_review.service.model import Reviewer
from overread_testing.labeling_fakes import FakeObjects
from overread_testing.review_fakes import ADA, GRACE, ReviewLab, review_lab
from overread_testing.review_server import served

MANIFEST = "s3://data/animals.manifest"
TEMPLATE = "s3://data/template.liquid.html"
PAGE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-classifier name="kind" categories="['cat', 'dog']" header="Which?">
<classification-target>{{ task.input.source }}</classification-target>
<full-instructions header="How">Look.</full-instructions>
<short-instructions>Look.</short-instructions></crowd-classifier></crowd-form>
"""
_PRE, _POST = (f"arn:aws:lambda:eu-west-1:111122223333:function:{name}" for name in ("pre", "post"))


@dataclass(frozen=True)
class Office:
    """A team that labels texts as cats and dogs, and the command line."""

    lab: ReviewLab
    url: str
    stacks: dict[str, dict[str, str]] = field(default_factory=dict)

    def deployed(
        self,
        name: str = "animals",
        *,
        stack: str = "lab-labeling",
        settings: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> None:
        """A stack with a labeling job."""
        self.lab.objects.put(MANIFEST, '{"source": "woof"}\n')
        uri = f"s3://data/labeling/{name}/job.json"
        wanted = LabelingJobSpec(
            **{
                "stem": f"lab-{name}",
                "region": "eu-west-1",
                "backend": Backend.OVERREAD,
                "task": TASK_TYPES["TextMultiClass"],
                "label_attribute": "kind",
                "output_uri": "s3://out/jobs",
                "role_arn": "arn:aws:iam::111122223333:role/labeling",
                "workteam_arn": self.lab.service.settings.arn("workteam/private-crowd/team"),
                "title": "Name the animal",
                "description": "Cat or dog",
                "workers": 1,
                "time_limit_s": 600,
                "manifest_uri": MANIFEST,
                "categories_uri": "s3://data/categories.json",
                "template_uri": TEMPLATE,
                "pre_annotation_arn": _PRE,
                "consolidation_arn": _POST,
                "tags": {"overread:task-type": "TextMultiClass"},
            }
            | spec
        )
        places = {"input_bucket": "data", "output_bucket": "out", "key_arn": "", "service_url": self.url}
        document = {"schema": 1, "name": name, "spec": spec_document(wanted), "places": places}
        document["settings"] = dict(settings or {"mode": "human", "quality": {"gold": None}})
        self.lab.objects.put(uri, json.dumps(document))
        output = "LabelingJob" + "".join(part.capitalize() for part in name.split("-"))
        self.stacks.setdefault(stack, {})[output] = uri

    def run(self, command: str, *arguments: str, given: str = "") -> Result:
        """One command of `overread label`; `given` is its standard input."""
        return CliRunner().invoke(main, ["label", command, "--url", self.url, *arguments], input=given)

    def create(self, name: str = "animals", *, objects: int = 6, workers: int = 1, **job: Any) -> str:
        """A job over so many texts."""
        lines = [json.dumps({"source": f"{'miaow' if n % 2 else 'woof'} {n}"}) + "\n" for n in range(objects)]
        self.lab.objects.put(MANIFEST, "".join(lines))
        self.lab.call(
            self.lab.service.labeling_jobs.create,
            **{
                "LabelingJobName": name,
                "LabelAttributeName": "kind",
                "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": MANIFEST}}},
                "OutputConfig": {"S3OutputPath": "s3://out/jobs/"},
                "RoleArn": "arn:aws:iam::111122223333:role/labeling",
                "LabelCategoryConfigS3Uri": "s3://data/categories.json",
                "HumanTaskConfig": {
                    "WorkteamArn": self.lab.service.settings.arn("workteam/private-crowd/team"),
                    "UiConfig": {"UiTemplateS3Uri": TEMPLATE},
                    "PreHumanTaskLambdaArn": _PRE,
                    "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": _POST},
                    "TaskTitle": "Name the animal",
                    "TaskDescription": "Cat or dog",
                    "NumberOfHumanWorkersPerDataObject": workers,
                    "TaskTimeLimitInSeconds": 600,
                },
                "Tags": [{"Key": "overread:task-type", "Value": "TextMultiClass"}],
            }
            | job,
        )
        return name

    def drive(self) -> None:
        """The service until it has nothing to do."""
        while self.lab.service.labeling.drive():
            pass

    def offered(self, by: Reviewer = ADA) -> int:
        """How many tasks a person finds in their list."""
        return len(self.lab.service.tasks.offered(by))

    def work(self, by: Reviewer = ADA, *, most: int = 1000) -> None:
        """The service makes tasks, and a person answers so many of them, rightly."""
        self.drive()
        for task in self.lab.service.tasks.offered(by)[:most]:
            text = self.lab.service.loops.task_input(task.loop)["source"]
            self.lab.service.tasks.claim(task.loop.name, reviewer=by)
            self.lab.clock.advance(7)
            content = {"kind": {"label": "cat" if "miaow" in text else "dog"}}
            self.lab.service.tasks.answer(task.loop.name, reviewer=by, content=content)
        self.drive()

    def finished(self, name: str = "animals", *, by: tuple[Reviewer, ...] = (ADA, GRACE), **job: Any) -> str:
        """A job that everybody in `by` has worked on to its end."""
        self.create(name, workers=len(by), **job)
        for person in by:
            self.work(person)
        return name


def consolidated(objects: FakeObjects, event: Mapping[str, Any]) -> Any:
    """What a consolidation function that counts votes gives."""
    made = []
    for each in json.loads(objects.bodies[event["payload"]["s3Uri"]]):
        votes = [json.loads(one["annotationData"]["content"])["kind"]["label"] for one in each["annotations"]]
        best = max(sorted(set(votes)), key=votes.count)
        label = {"label": best, "confidence": 0.9, "workers": len(votes), "skipped": []}
        content = {event["labelAttributeName"]: label}
        made.append(
            {"datasetObjectId": each["datasetObjectId"], "consolidatedAnnotation": {"content": content}}
        )
    return made


def s3_app(objects: FakeObjects) -> Starlette:
    """As much of S3 as the commands use: GetObject, HeadObject, ListObjectsV2 and PutObject."""

    def listing(request: Request) -> Response:
        bucket, prefix = request.path_params["bucket"], request.query_params.get("prefix", "")
        keys = [uri.split("/", 3)[3] for uri in objects.under(f"s3://{bucket}/{prefix}")]
        rows = "".join(f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>" for key in keys)
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return Response(body, media_type="application/xml")

    def found(request: Request) -> Response:
        body = objects.bodies.get("s3://{bucket}/{key}".format(**request.path_params))
        if body is None:
            told = "<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>"
            return Response(told, status_code=404, media_type="application/xml")
        return Response(body, headers={"ETag": '"x"'})

    async def stored(request: Request) -> Response:
        objects.bodies["s3://{bucket}/{key}".format(**request.path_params)] = await request.body()
        return Response(headers={"ETag": '"x"'})

    return Starlette(
        routes=[
            Route("/{bucket}", listing),
            Route("/{bucket}/", listing),
            Route("/{bucket}/{key:path}", found),
            Route("/{bucket}/{key:path}", stored, methods=["PUT"]),
        ]
    )


def stacks_app(stacks: Mapping[str, Mapping[str, str]]) -> Starlette:
    """DescribeStacks of CloudFormation: the stacks with their outputs."""

    def described(_request: Request) -> Response:
        members = "".join(
            f"<member><StackName>{name}</StackName><Outputs>"
            + "".join(
                f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
                for key, value in outputs.items()
            )
            + "</Outputs></member>"
            for name, outputs in stacks.items()
        )
        body = (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
            f"<DescribeStacksResult><Stacks>{members}</Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )
        return Response(body, media_type="text/xml")

    return Starlette(routes=[Route("/", described, methods=["POST"])])


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("NO_PROXY", "127.0.0.1"),
    ):
        monkeypatch.setenv(name, value)
    lab = review_lab()
    lab.objects.put(TEMPLATE, PAGE)
    categories = {"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}
    lab.objects.put("s3://data/categories.json", json.dumps(categories))
    lab.functions.functions[_PRE] = lambda event: {"taskInput": event["dataObject"]}
    lab.functions.functions[_POST] = lambda event: consolidated(lab.objects, event)
    stacks: dict[str, dict[str, str]] = {"another": {"ApiUrl": "https://api.example"}}
    with (
        served(create_app(lab.service)) as url,
        served(s3_app(lab.objects)) as s3,
        served(stacks_app(stacks)) as cloudformation,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", cloudformation)
        yield Office(lab, url, stacks)
