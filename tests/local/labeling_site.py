"""Labeling jobs on a local stack: functions, drawn scenes of known truth, people who err at known rates."""

from __future__ import annotations

import io
import json
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.local.conftest import LAMBDA_PYTHON, client_of
from tests.local.review_backends import Portal, sign_in_by_name, until

from overread.labeling.categories import Category, Instructions, build
from overread.labeling.task_types import TASK_TYPES
from overread_constructs import python_code
from overread_constructs._bundle import Bundle
from overread_local.stack import LocalStack

ROOT = Path(__file__).parents[2]
BUCKET = "labeling-site"
COGNITO = {"UserPool": "us-east-1_AbCdEfGhI", "ClientId": "client"}
PEOPLE = ("ada", "grace", "katherine")
_BETWEEN_LOOKS_S = 0.4
ROLE = "arn:aws:iam::000000000000:role/labeling"

Answerer = Callable[[Any, random.Random, float], Mapping[str, Any]]
"""An answer to an object of that truth, with mistakes at that rate."""


@dataclass(frozen=True)
class Kind:
    """One kind of job: its built-in type, its template of the library, its labels, and how people answer."""

    task_type: str
    template: str
    labels: tuple[str, ...]
    answer: Answerer
    attribute: str = "label"


@dataclass(frozen=True)
class Scene:
    """An object: its manifest line, the picture that its `source-ref` will name, and what is true."""

    line: Mapping[str, Any]
    truth: Any
    picture: bytes = b""


def annotation_code(folder: Path) -> bytes:
    """Both functions of a job as they would be deployed, zipped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERREAD_BUNDLE_PYTHON", str(LAMBDA_PYTHON))
        Bundle.of(
            packages=python_code.HANDLER_PACKAGES,
            requirements=python_code.CONSOLIDATION_REQUIREMENTS,
            exclude=python_code.CONSOLIDATION_EXCLUDE,
        ).write(folder)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in folder.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


class LabelingSite:
    """Bucket, team and functions of labeling jobs."""

    def __init__(self, stack: LocalStack, *, code: bytes) -> None:
        self.stack = stack
        self.sagemaker = client_of(stack, "sagemaker")
        self.s3 = client_of(stack, "s3")
        self._lambda = client_of(stack, "lambda")
        self._code = code
        self._functions: set[str] = set()

    def prepare(self) -> LabelingSite:
        """What a deployment would have made."""
        self.s3.create_bucket(Bucket=BUCKET)
        known = {one["WorkforceName"] for one in self.sagemaker.list_workforces()["Workforces"]}
        if not known:
            self.sagemaker.create_workforce(WorkforceName="site", CognitoConfig=COGNITO)
        member = {"CognitoMemberDefinition": {**COGNITO, "UserGroup": "reviewers"}}
        self.team = self.sagemaker.create_workteam(
            WorkteamName="labelers", Description="they label", MemberDefinitions=[member]
        )["WorkteamArn"]
        return self

    def function(self, module: str, *, name: str, **variables: str) -> str:
        """The ARN of a Lambda function of that handler module."""
        if name not in self._functions:
            self._functions.add(name)
            self._lambda.create_function(
                FunctionName=name,
                Runtime="python3.14",
                Role=ROLE,
                Handler=f"overread_lambda.{module}.handler",
                Code={"ZipFile": self._code},
                Timeout=60,
                Environment={"Variables": {"OVERREAD_DEPLOYMENT": "site", **variables}},
            )
        return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"

    def put(self, key: str, body: bytes | str) -> str:
        """An object's address."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return f"s3://{BUCKET}/{key}"

    def get(self, uri: str) -> bytes:
        """What is stored at an address."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def lines(self, uri: str) -> list[dict[str, Any]]:
        """The lines of a manifest."""
        return [json.loads(line) for line in self.get(uri).splitlines()]

    def under(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def answers(self, job: str) -> dict[str, list[dict[str, Any]]]:
        """Everything that people said, by object."""
        return {
            key.split("/")[-2]: json.loads(self.get(f"s3://{BUCKET}/{key}"))["answers"]
            for key in self.under(f"jobs/{job}/annotations/worker-response/")
        }

    def manifest(self, name: str, scenes: Sequence[Scene]) -> str:
        """The address of a manifest of these scenes, their pictures stored."""
        rows = []
        for number, scene in enumerate(scenes):
            row = dict(scene.line)
            if scene.picture:
                row["source-ref"] = self.put(f"{name}/{number:05}.png", scene.picture)
            rows.append(json.dumps(row, ensure_ascii=False))
        return self.put(f"{name}/input.manifest", "\n".join(rows) + "\n")

    def create(self, name: str, kind: Kind, *, manifest: str, workers: int = 3, **task: Any) -> str:
        """The ARN of a new job."""
        template = (ROOT / "templates" / kind.template / "template.liquid.html").read_text()
        labels = [Category(label) for label in kind.labels]
        categories = build(labels, task=TASK_TYPES[kind.task_type], instructions=Instructions("Look"))
        pre = self.function(
            "pre_annotation",
            name=f"pre-{kind.template}",
            TEMPLATE=kind.template,
            LABELS=json.dumps(list(kind.labels)),
        )
        post = self.function("consolidate_annotations", name="consolidate")
        task_type = task.pop("task_type_tag", kind.task_type)
        created = self.sagemaker.create_labeling_job(
            LabelingJobName=name,
            LabelAttributeName=kind.attribute,
            InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest}}},
            OutputConfig={"S3OutputPath": f"s3://{BUCKET}/jobs"},
            RoleArn=ROLE,
            LabelCategoryConfigS3Uri=self.put(f"{name}/categories.json", json.dumps(categories)),
            HumanTaskConfig={
                "WorkteamArn": self.team,
                "UiConfig": {"UiTemplateS3Uri": self.put(f"{name}/template.liquid.html", template)},
                "PreHumanTaskLambdaArn": pre,
                "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": post},
                "TaskTitle": f"Label {name}",
                "TaskDescription": "Say what it is",
                "NumberOfHumanWorkersPerDataObject": workers,
                "TaskTimeLimitInSeconds": 600,
                **task,
            },
            Tags=[{"Key": "overread:task-type", "Value": task_type}, *task.pop("tags", [])],
        )
        return str(created["LabelingJobArn"])

    def describe(self, name: str) -> dict[str, Any]:
        """DescribeLabelingJob."""
        found: dict[str, Any] = self.sagemaker.describe_labeling_job(LabelingJobName=name)
        return found

    def until_ended(self, name: str, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """The job once it has ended."""

        def ended() -> dict[str, Any] | None:
            time.sleep(_BETWEEN_LOOKS_S)
            try:
                found = self.describe(name)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ServiceUnavailable":
                    return None  # the portal is being started again
                raise
            return found if found["LabelingJobStatus"] in {"Completed", "Failed", "Stopped"} else None

        found: dict[str, Any] = until(ended, timeout_s=timeout_s, what=f"{name} has ended")
        return found

    @contextmanager
    def people(self, kind: Kind, truths: Mapping[str, Any], *, error: float, seed: int = 1) -> Iterator[Crew]:
        """People of the team at work through the portal, each with a browser of their own, until the end."""
        crew = Crew(kind, truths, error=error, seed=seed)
        with ExitStack() as opened:
            portals = [
                opened.enter_context(closing(sign_in_by_name(self.stack.portal_url)(name))) for name in PEOPLE
            ]
            pool = opened.enter_context(ThreadPoolExecutor(len(portals)))
            done = [pool.submit(crew.work, portal, number) for number, portal in enumerate(portals)]
            try:
                yield crew
            finally:
                crew.over.set()
                for one in done:
                    one.result()


class Crew:
    """People who take whatever task is offered next and answer it, wrongly at the rate `error`."""

    def __init__(self, kind: Kind, truths: Mapping[str, Any], *, error: float, seed: int) -> None:
        self._kind = kind
        self._truths = truths
        self._error = error
        self._seed = seed
        self._lock = threading.Lock()
        self.over = threading.Event()
        self.answers = 0
        self.pages = 0

    def work(self, portal: Portal, number: int) -> None:
        """One person's day: the next task, its page, its answer."""
        drawn = random.Random(1000 * self._seed + number)
        while not self.over.is_set():
            try:
                if not self._one(portal, drawn):
                    self.over.wait(0.4)
            except (OSError, httpx.HTTPError):
                self.over.wait(0.2)  # the portal is being started again

    def _one(self, portal: Portal, drawn: random.Random) -> bool:
        reply = portal.post("tasks/next")
        if reply.status_code != 200 or not reply.json()["task_id"]:
            return False
        task = reply.json()
        page = portal.page(task["frame_url"]).raise_for_status().text
        truth = self._truths[self._object_of(page)]
        answer = self._kind.answer(truth, drawn, self._error)
        sent = portal.answer(task["task_id"], answer)
        with self._lock:
            self.pages += 1
            self.answers += sent.is_success
        return True

    def _object_of(self, page: str) -> str:
        """Which object the page shows: what it says of it is in no list of the test's but on the page."""
        found = [key for key in self._truths if key in page]
        assert len(found) == 1, f"{len(found)} objects on a page"
        return found[0]
