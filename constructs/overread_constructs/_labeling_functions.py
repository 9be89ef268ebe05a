"""The functions of labeling jobs: what makes their resources, and what Ground Truth calls for each object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread_constructs._encryption import use_of_keys
from overread_constructs._handler import Handler, Placement
from overread_constructs.acknowledgements import accept_wildcards, acknowledge
from overread_constructs.python_code import consolidation_code, handler_code

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

FOLDER = "labeling"
"""Of both buckets: nothing of labeling is elsewhere."""
OPERATIONS = (
    "AddTags",
    "CreateLabelingJob",
    "DeleteTags",
    "DescribeLabelingJob",
    "ListTags",
    "StopLabelingJob",
)
SERVICE_TIMEOUT = Duration.minutes(10)
_PROVIDER_ID = {False: "OverreadLabelingJobs", True: "OverreadPublicLabelingJobs"}
_CONSOLIDATION_ID = "OverreadConsolidation"
_FUNCTION_NAME = 64
_OUTSIDE = (
    "It reads no bucket and calls nothing: a line comes in and a task goes out. No VPC was given to its "
    "labeling job."
)


class LabelingJobsProvider(Construct):
    """Writes the files of labeling jobs, creates and stops those that begin with a deployment.

    Unless it is the one for the public team, IAM denies it jobs with that team.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        public: bool,
        service: ReviewService | None,
        log_retention: logs.RetentionDays,
        key: kms.IKey,
        code: lambda_.Code | None,
    ) -> None:
        """Use `of`: there is one in a stack."""
        super().__init__(scope, id)
        self._written: set[str] = set()
        self.handler = Handler(
            self,
            "Provide",
            function_name=function_name(name_prefix, "labeling-resources") if service else None,
            module="labeling_job_resource",
            description="Custom resources: files of labeling jobs, and jobs that begin with a deployment",
            code=code or handler_code(),
            environment={"OVERREAD_REVIEW_URL": service.url} if service else {},
            timeout=SERVICE_TIMEOUT,
            asynchronous=True,
            placement=service.callers if service else None,
            log_retention=log_retention,
            key=key,
            memory_mb=256,
        )
        if not public and service is None:
            self.handler.role.add_to_policy(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    actions=["sagemaker:CreateLabelingJob"],
                    resources=["*"],
                    conditions={"StringEquals": {"sagemaker:WorkteamType": "public-crowd"}},
                )
            )
        accept_wildcards(
            self.handler.role,
            reasons={
                f"/{FOLDER}/*": "Each job's files are in a folder of its own; nothing but labeling is here.",
                f"/{FOLDER}/*/job.json": "What tells how to start a job goes when the job does.",
            },
        )
        if service is None or service.callers is None:
            acknowledge(
                self.handler.function,
                rule="LambdaInsideVPC",
                reason=(
                    "CloudFormation calls it and awaits its answer at S3. It writes what the template says "
                    "and reads no data; outside the network it outlives the network's changes."
                ),
            )

    def let_write(self, bucket: s3.IBucket, *, key: kms.IKey | None) -> None:
        """Allow it the files of labeling jobs in `bucket`."""
        if bucket.bucket_arn in self._written:
            return
        self._written.add(bucket.bucket_arn)
        self.handler.allow("s3:PutObject", on=[bucket.arn_for_objects(f"{FOLDER}/*")])
        self.handler.allow("s3:DeleteObject", on=[bucket.arn_for_objects(f"{FOLDER}/*/job.json")])
        for statement in use_of_keys([bucket.encryption_key or key], scope=self, services=["s3"]):
            self.handler.role.add_to_policy(statement)

    @classmethod
    def of(
        cls,
        scope: Construct,
        *,
        name_prefix: str,
        public: bool,
        service: ReviewService | None,
        log_retention: logs.RetentionDays,
        key: kms.IKey,
        code: lambda_.Code | None,
    ) -> LabelingJobsProvider:
        """The provider of the stack that `scope` is in; what the stack's first job gives counts."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(_PROVIDER_ID[public])
        if isinstance(found, LabelingJobsProvider):
            return found
        return cls(
            stack,
            _PROVIDER_ID[public],
            name_prefix=name_prefix,
            public=public,
            service=service,
            log_retention=log_retention,
            key=key,
            code=code,
        )


def pre_annotation(
    scope: Construct,
    id: str,
    *,
    name: str,
    template: str,
    labels: Sequence[str],
    reviewed: str,
    placement: Placement | None,
    log_retention: logs.RetentionDays,
    key: kms.IKey,
    code: lambda_.Code | None,
) -> Handler:
    """The function that makes tasks of one template and set of labels."""
    handler = Handler(
        scope,
        id,
        function_name=name,
        module="pre_annotation",
        description=f"Labeling: a line of the manifest becomes a task for the template {template}",
        code=code or handler_code(),
        environment={
            "TEMPLATE": template,
            "LABELS": json.dumps(list(labels)),
            "REVIEWED_ATTRIBUTE": reviewed,
        },
        timeout=Duration.seconds(30),
        asynchronous=False,
        placement=placement,
        log_retention=log_retention,
        key=key,
        memory_mb=256,
    )
    if placement is None:
        acknowledge(handler.function, rule="LambdaInsideVPC", reason=_OUTSIDE)
    return handler


def consolidation(
    scope: Construct,
    *,
    name_prefix: str,
    bucket: s3.IBucket,
    data_key: kms.IKey | None,
    placement: Placement | None,
    log_retention: logs.RetentionDays,
    key: kms.IKey,
    code: lambda_.Code | None,
) -> Handler:
    """The stack's function that makes one label of several answers, below `labeling/` of the bucket."""
    stack = Stack.of(scope)
    found = stack.node.try_find_child(_CONSOLIDATION_ID)
    if isinstance(found, Handler):
        return found
    handler = Handler(
        stack,
        _CONSOLIDATION_ID,
        function_name=function_name(name_prefix, "consolidation"),
        module="consolidate_annotations",
        description="Labeling: the answers to an object become one label",
        code=code or consolidation_code(),
        environment={},
        timeout=Duration.minutes(5),
        asynchronous=False,
        placement=placement,
        log_retention=log_retention,
        key=key,
        memory_mb=1024,
    )
    handler.allow("s3:GetObject", "s3:PutObject", on=[bucket.arn_for_objects(f"{FOLDER}/*")])
    for statement in use_of_keys([data_key or bucket.encryption_key], scope=stack, services=["s3"]):
        handler.role.add_to_policy(statement)
    accept_wildcards(
        handler.role, reasons={f"/{FOLDER}/*": "Jobs choose the keys of answers and masks, all below here."}
    )
    if placement is None:
        acknowledge(
            handler.function,
            rule="LambdaInsideVPC",
            reason="It reaches S3 only, below labeling/ of one bucket; no VPC was given to its labeling job.",
        )
    return handler


def function_name(*parts: str) -> str:
    """The parts as a function's name; what is too long ends in a hash of all of it."""
    name = "-".join(parts)
    if len(name) <= _FUNCTION_NAME:
        return name
    return f"{name[: _FUNCTION_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
