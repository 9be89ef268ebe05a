"""A labeling job, which CloudFormation lacks: its functions, roles and files, and where wanted the job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from aws_cdk import Annotations, CustomResource, Duration, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from overread.labeling import categories as category_documents
from overread.labeling.categories import Category, Instructions
from overread.labeling.job_documents import SCHEMA, spec_document
from overread.labeling.jobs import (
    CONTENT_CLASSIFIERS,
    STEM,
    AutomatedLabeling,
    Backend,
    LabelingJobSpec,
    job_faults,
)
from overread.labeling.pre_annotation import TEMPLATES
from overread.labeling.task_types import TASK_TYPES, TaskType
from overread.review.limits import PUBLIC_WORKTEAM_ACCOUNT
from overread_constructs._handler import Placement
from overread_constructs._labeling_functions import (
    FOLDER,
    OPERATIONS,
    SERVICE_TIMEOUT,
    LabelingJobsProvider,
    consolidation,
    function_name,
    pre_annotation,
)
from overread_constructs._labeling_roles import job_role, model_role
from overread_constructs._rest_stage import STAGE
from overread_constructs._rules import Rule, check
from overread_constructs.acknowledgements import accept_inline_policy, acknowledge
from overread_constructs.human_task_ui import TEMPLATE_BYTES
from overread_constructs.workteam import Workteam
from overread_templates.findings import Finding
from overread_templates.lint import lint_template

if TYPE_CHECKING:
    from overread_constructs.review_service import ReviewService

Start = Literal["manually", "at-deployment"]
TASK_TYPE_TAG = "overread:task-type"
_HASH = 8
_ARNS = {
    "role_arn": "arn:aws:iam::111122223333:role/sample",
    "workteam_arn": "arn:aws:sagemaker:{region}:111122223333:workteam/private-crowd/sample",
    "pre_annotation_arn": "arn:aws:lambda:{region}:111122223333:function:sample",
    "consolidation_arn": "arn:aws:lambda:{region}:111122223333:function:sample",
    "output_kms_key": "sample",
    "input_topic_arn": "arn:aws:sns:{region}:111122223333:sample",
    "output_topic_arn": "arn:aws:sns:{region}:111122223333:sample",
}
"""What stands in for values that only CloudFormation knows, while the rest is held against the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelingJobProps:
    """What is checked beside the rules of CreateLabelingJob."""

    name: str
    task_type: str
    stem: str
    start: str
    own_template: str
    """The library's name of the template for Overread's own pre-annotation, "" where another is called."""
    template_bytes: int
    topics: bool
    service: bool
    has_vpc: bool
    automated: bool


RULES: tuple[Rule[LabelingJobProps], ...] = (
    Rule(
        prop="name",
        must=f"be {STEM}, and with the prefix too",
        holds=lambda p: STEM.allows(p.name) and STEM.allows(p.stem),
    ),
    Rule(
        prop="task_type",
        must=f"be one of {', '.join(TASK_TYPES)}",
        holds=lambda p: p.task_type in TASK_TYPES,
    ),
    Rule(
        prop="start",
        must=f"be one of {', '.join(get_args(Start))}",
        holds=lambda p: p.start in get_args(Start),
    ),
    Rule(
        prop="own_template",
        must=f"be a template of the library ({', '.join(TEMPLATES)}), by its folder, or pre_annotation_by a "
        "function's ARN",
        holds=lambda p: not p.own_template or p.own_template in TEMPLATES,
    ),
    Rule(
        prop="template_bytes",
        must=f"be at most {TEMPLATE_BYTES:,}, written as JSON in ASCII, for CloudFormation's event",
        holds=lambda p: p.template_bytes <= TEMPLATE_BYTES,
    ),
    Rule(
        prop="topics",
        must="be left out on overread, which has no streaming jobs: chained jobs take more objects",
        holds=lambda p: not (p.topics and p.service),
    ),
    Rule(
        prop="has_vpc",
        must="be so for automated labeling: Amazon's algorithm runs in the network",
        holds=lambda p: p.has_vpc or not p.automated,
    ),
)


class LabelingJob(Construct):
    """A labeling job of Ground Truth, or of a review service when `service` is given.

    With `start="manually"` everything but the job is made, and `job.json` in the input bucket says how to
    start one. With `"at-deployment"` the job is a resource: any change makes another job under another name,
    and the old one is stopped. Jobs cannot be deleted; answers and labels stay.

    Example::

        LabelingJob(
            self, "Digits", name_prefix="acme", name="digits", task_type="ImageMultiClass",
            categories=[Category("0"), Category("1")], label_attribute="digit",
            template=Path("templates/image-classification/template.liquid.html"),
            workteam=team, title="Which digit", description="Say which digit it is",
            input_bucket=inputs, output_bucket=outputs, operations_key=key,
        )
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name_prefix: str,
        name: str,
        task_type: str,
        label_attribute: str,
        workteam: Workteam,
        title: str,
        description: str,
        input_bucket: s3.IBucket,
        output_bucket: s3.IBucket,
        operations_key: kms.IKey,
        data_key: kms.IKey | None = None,
        categories: Sequence[Category] = (),
        instructions: Instructions | None = None,
        category_document: Path | None = None,
        template: Path | None = None,
        manifest: str | None = None,
        objects_at: Sequence[str] = (),
        pre_annotation_by: str | None = None,
        consolidation_by: str | None = None,
        audited_attribute: str = "",
        workers: int = 3,
        time_limit: Duration | None = None,
        availability: Duration | None = None,
        concurrent_tasks: int | None = None,
        keywords: Sequence[str] = (),
        price_usd: Decimal | None = None,
        human_labeled_objects: int | None = None,
        labeled_percentage: int | None = None,
        automated: bool = False,
        initial_model_arn: str = "",
        input_topic_arn: str = "",
        output_topic_arn: str = "",
        model_image: str = "",
        follow_up_workteam: Workteam | None = None,
        start: Start = "manually",
        tags: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        model_security_groups: Sequence[ec2.ISecurityGroup] = (),
        service: ReviewService | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_YEAR,
        code: lambda_.Code | None = None,
        consolidation_code: lambda_.Code | None = None,
    ) -> None:
        """`manifest`: an s3:// address, or a key of `input_bucket` (`labeling/{name}/input.manifest`).

        `objects_at`: s3:// folders of objects outside of `labeling/` in `input_bucket`. `pre_annotation_by`
        and `consolidation_by`: `amazon`, `overread` or a function's ARN; by default Amazon's where it has
        one. `category_document`: of 2020-03-01, for video frames and 3D point clouds. `automated`: Ground
        Truth's automated data labeling. `model_image`: of an own model, which gets a role. `settings`: what
        `job.json` says besides. The bucket of objects that pages show needs CORS for GET.

        Raises:
            PropsError: with every broken rule of the construct and of CreateLabelingJob.
        """
        super().__init__(scope, id)
        stack = Stack.of(self)
        self._name = name
        task = TASK_TYPES.get(task_type)
        backend = Backend.OVERREAD if service else Backend.GROUND_TRUTH
        has_amazons = task is not None and not task.is_custom and service is None
        default = "amazon" if has_amazons else "overread"
        makes, merges = pre_annotation_by or default, consolidation_by or default
        page = template.read_text(encoding="utf-8") if template is not None else ""
        props = LabelingJobProps(
            name=name,
            task_type=task_type,
            stem=f"{name_prefix}-{name}",
            start=start,
            own_template=template.parent.name if template is not None and makes == "overread" else "",
            template_bytes=len(json.dumps(page)),
            topics=bool(input_topic_arn),
            service=service is not None,
            has_vpc=vpc is not None,
            automated=automated,
        )
        check(self, construct="LabelingJob", props=props, rules=[] if task else RULES)
        task = TASK_TYPES[task_type]
        found = lint_template(page, name=str(template)) if page else ()
        document, category_faults = _category_document(
            categories, task=task, instructions=instructions, file=category_document, automated=automated
        )
        _warn(self, found, template=template)
        files = [
            _file(stem, ending=ending, content=content)
            for stem, ending, content in (("categories", "json", document), ("template", "liquid.html", page))
            if content
        ]
        folder = f"{FOLDER}/{name}"
        named = {one["Name"].partition("-")[0]: _uri(input_bucket, folder, one["Name"]) for one in files}
        manifest_uri = _manifest(manifest, bucket=input_bucket, name=name)
        chosen = _subnet_ids(vpc, subnets)
        spec = LabelingJobSpec(
            stem=props.stem,
            region=stack.region,
            backend=backend,
            task=task,
            label_attribute=label_attribute,
            output_uri=f"s3://{output_bucket.bucket_name}/{folder}/output",
            role_arn=_ARNS["role_arn"],
            workteam_arn=workteam.workteam_arn,
            title=title,
            description=description,
            workers=workers,
            time_limit_s=int((time_limit or Duration.hours(1)).to_seconds()),
            manifest_uri=manifest_uri,
            input_topic_arn=input_topic_arn,
            output_topic_arn=output_topic_arn,
            output_kms_key=_key_arn(data_key or output_bucket.encryption_key),
            categories_uri=named.get("categories", ""),
            template_uri=named.get("template", ""),
            pre_annotation_arn=_expected(makes, region=stack.region),
            consolidation_arn=_expected(merges, region=stack.region),
            keywords=tuple(keywords),
            availability_s=None if availability is None else int(availability.to_seconds()),
            concurrent_tasks=concurrent_tasks,
            price_usd=price_usd,
            content_classifiers=CONTENT_CLASSIFIERS if workteam.kind == "public" else (),
            human_labeled_objects=human_labeled_objects,
            labeled_percentage=labeled_percentage,
            automated=AutomatedLabeling(
                initial_model_arn=initial_model_arn,
                volume_kms_key=_key_arn(data_key or output_bucket.encryption_key),
                security_groups=tuple(one.security_group_id for one in model_security_groups),
                subnets=tuple(chosen),
            )
            if automated
            else None,
            audited_attribute=audited_attribute,
            labels=len(categories) or None,
            tags={
                **({TASK_TYPE_TAG: task.name} if service and not task.is_custom else {}),
                **dict(tags or {}),
            },
        )
        check(
            self,
            construct="LabelingJob",
            props=props,
            rules=RULES,
            more=[
                *job_faults(_sample(spec, public=workteam.kind == "public")),
                *category_faults,
                *_errors(found, template=template),
            ],
        )

        placement = (
            Placement(vpc=vpc, subnets=subnets, security_groups=tuple(security_groups)) if vpc else None
        )
        makes_arn = self._pre_annotation(
            makes,
            template=props.own_template,
            labels=[one.label for one in categories],
            reviewed=audited_attribute if props.own_template == "bounding-box" else "",
            name=function_name(props.stem, "pre"),
            placement=placement,
            log_retention=log_retention,
            key=operations_key,
            code=code,
        )
        merges_arn = (
            consolidation(
                self,
                name_prefix=name_prefix,
                bucket=output_bucket,
                data_key=data_key,
                placement=placement,
                log_retention=log_retention,
                key=operations_key,
                code=consolidation_code,
            ).function.function_arn
            if merges == "overread"
            else _given(merges)
        )
        addresses = [*objects_at, *([] if _is_ours(manifest) else [manifest_uri])]
        self.role: iam.IRole = job_role(
            self,
            input_bucket=input_bucket,
            output_bucket=output_bucket,
            key=data_key,
            functions=[arn for arn in (makes_arn, merges_arn) if arn],
            addresses=addresses,
            topics=(input_topic_arn, output_topic_arn),
            is_automated=automated,
            service=service,
        )
        self.model_role: iam.IRole | None = (
            model_role(
                self,
                input_bucket=input_bucket,
                output_bucket=output_bucket,
                key=data_key,
                image=model_image,
                addresses=addresses,
            )
            if model_image
            else None
        )
        self.spec: LabelingJobSpec = replace(
            spec,
            role_arn=self.role.role_arn,
            pre_annotation_arn=makes_arn,
            consolidation_arn=merges_arn,
        )
        """Some of its texts are known to CloudFormation only."""
        self._input_bucket, self._output_bucket, self._service = input_bucket, output_bucket, service
        provider = LabelingJobsProvider.of(
            self,
            name_prefix=name_prefix,
            public=workteam.kind == "public",
            service=service,
            log_retention=log_retention,
            key=operations_key,
            code=code,
        )
        provider.let_write(input_bucket, key=data_key)
        properties = self._properties(
            settings or {},
            places={
                "input_bucket": input_bucket.bucket_name,
                "output_bucket": output_bucket.bucket_name,
                "key_arn": self.spec.output_kms_key,
                "service_url": service.url if service else "",
                "model_role_arn": self.model_role.role_arn if self.model_role else "",
                "model_subnets": list(chosen) if model_image else [],
                "model_security_groups": [one.security_group_id for one in model_security_groups]
                if model_image
                else [],
                "follow_up_workteam_arn": (follow_up_workteam or workteam).workteam_arn,
            },
            prefix=name_prefix,
        )
        written = CustomResource(
            self,
            "Files",
            resource_type="Custom::OverreadLabelingFiles",
            service_token=provider.handler.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={
                **properties,
                "Bucket": input_bucket.bucket_name,
                "Folder": folder,
                "Files": files,
            },
        )
        self.document_uri: str = written.get_att_string("Uri")
        """Where `job.json` is."""
        ready = [*service.ready, self._let_assume(service)] if service is not None else []
        self.labeling_job_name: str = ""
        """"" unless the job begins with the deployment."""
        if start == "at-deployment":
            job = CustomResource(
                self,
                "Job",
                resource_type="Custom::OverreadLabelingJob",
                service_token=provider.handler.function.function_arn,
                service_timeout=SERVICE_TIMEOUT,
                properties=properties,
            )
            job.node.add_dependency(written, self.role, *ready, self._let_manage(provider))
            self.labeling_job_name = job.get_att_string("LabelingJobName")

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let somebody start, watch and stop jobs of this name with its role, and read `job.json`."""
        principal = grantee.grant_principal
        for statement in self._starting():
            principal.add_to_principal_policy(statement)
        self._input_bucket.grant_read(grantee, f"{FOLDER}/{self._name}/job.json")

    def grant_read_labels(self, grantee: iam.IGrantable) -> None:
        """Let somebody read the answers and labels of this job."""
        self._output_bucket.grant_read(grantee, f"{FOLDER}/{self._name}/*")

    def _starting(self) -> list[iam.PolicyStatement]:
        if self._service is not None:
            calls = [
                self._service.api.arn_for_execute_api("POST", f"/sagemaker/{operation}", STAGE)
                for operation in OPERATIONS
            ]
            return [iam.PolicyStatement(actions=["execute-api:Invoke"], resources=calls)]
        stack = Stack.of(self)
        jobs = stack.format_arn(
            service="sagemaker", resource="labeling-job", resource_name=f"{self.spec.stem}-{'?' * _HASH}"
        )
        return [
            iam.PolicyStatement(
                actions=[f"sagemaker:{operation}" for operation in OPERATIONS], resources=[jobs]
            ),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
        ]

    def _pre_annotation(
        self,
        makes: str,
        *,
        template: str,
        labels: Sequence[str],
        reviewed: str,
        name: str,
        placement: Placement | None,
        log_retention: logs.RetentionDays,
        key: kms.IKey,
        code: lambda_.Code | None,
    ) -> str:
        if makes != "overread":
            return _given(makes)
        return pre_annotation(
            self,
            "Tasks",
            name=name,
            template=template,
            labels=labels,
            reviewed=reviewed,
            placement=placement,
            log_retention=log_retention,
            key=key,
            code=code,
        ).function.function_arn

    def _properties(
        self, settings: Mapping[str, Any], *, places: Mapping[str, Any], prefix: str
    ) -> dict[str, Any]:
        """The document in ASCII, which CloudFormation carries unchanged, and apart what it alone knows."""
        spec = spec_document(self.spec)
        later = {key: value for key, value in spec.items() if _is_later(value)}
        document = {
            "schema": SCHEMA,
            "name": self._name,
            "prefix": prefix,
            "spec": {key: value for key, value in spec.items() if key not in later},
            "settings": dict(settings),
            "places": {key: value for key, value in places.items() if not _is_later(value)},
        }
        return {
            "Document": json.dumps(document, sort_keys=True),
            "Values": {
                "spec": later,
                "places": {key: value for key, value in places.items() if _is_later(value)},
            },
        }

    def _let_manage(self, provider: LabelingJobsProvider) -> iam.Policy:
        # Named by the stem, for the reasons that FlowDefinition gives for its own.
        digest = hashlib.sha256(self.spec.stem.encode()).hexdigest()[:_HASH]
        policy = iam.Policy(
            self, f"Manage{digest}", roles=[provider.handler.role], statements=self._starting()
        )
        accept_inline_policy(policy)
        if f":{PUBLIC_WORKTEAM_ACCOUNT}:workteam/public-crowd/" in self.spec.workteam_arn:
            acknowledge(
                policy,
                rule="PublicTeamDenied",
                reason="The public team was chosen for this one; its provider makes no other's.",
            )
        return policy

    def _let_assume(self, service: ReviewService) -> iam.Policy:
        policy = iam.Policy(
            self,
            "Assume",
            roles=list(service.labeling_roles),
            statements=[iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[self.role.role_arn])],
        )
        accept_inline_policy(policy)
        return policy


def _category_document(
    categories: Sequence[Category],
    *,
    task: TaskType,
    instructions: Instructions | None,
    file: Path | None,
    automated: bool,
) -> tuple[str, list[str]]:
    """The category document's text, "" where none is needed; and its faults."""
    if file is not None:
        return file.read_text(encoding="utf-8"), [] if task.is_sequence else [
            f"category_document must be left out for {task.name}: categories make it"
        ]
    if not categories:
        return "", []
    try:
        document = category_documents.build(categories, task=task, instructions=instructions)
    except ValueError as error:
        return "{}", [f"categories: {error}"]
    faults = category_documents.check(document, task=task, is_automated=automated)
    return json.dumps(document), [f"categories: {fault}" for fault in faults]


def _warn(scope: Construct, found: Iterable[Finding], *, template: Path | None) -> None:
    for one in found:
        if one.severity != "error":
            message = f"worker template {template}:{one.line}:{one.column}: {one.message}"
            Annotations.of(scope).add_warning_v2(f"overread:template-{one.code}", message)


def _errors(found: Iterable[Finding], *, template: Path | None) -> list[str]:
    return [
        f"template must have no errors, got {template}:{one.line}:{one.column}: {one.message}"
        for one in found
        if one.severity == "error"
    ]


def _file(stem: str, *, ending: str, content: str) -> dict[str, str]:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"Name": f"{stem}-{digest[:_HASH]}.{ending}", "Content": content, "Sha256": digest}


def _uri(bucket: s3.IBucket, *parts: str) -> str:
    return "/".join([f"s3://{bucket.bucket_name}", *parts])


def _manifest(manifest: str | None, *, bucket: s3.IBucket, name: str) -> str:
    if manifest is not None and manifest.startswith("s3://"):
        return manifest
    return _uri(bucket, manifest or f"{FOLDER}/{name}/input.manifest")


def _is_ours(manifest: str | None) -> bool:
    return manifest is None or manifest.startswith(f"{FOLDER}/")


def _given(by: str) -> str:
    """A function's ARN; "" for Amazon's, which the request names by the task type."""
    return "" if by == "amazon" else by


def _subnet_ids(vpc: ec2.IVpc | None, subnets: ec2.SubnetSelection | None) -> list[str]:
    if vpc is None:
        return []
    if subnets is None:
        return vpc.select_subnets().subnet_ids
    return vpc.select_subnets(
        subnet_type=subnets.subnet_type, subnet_group_name=subnets.subnet_group_name, subnets=subnets.subnets
    ).subnet_ids


def _expected(by: str, *, region: str) -> str:
    """As `_given`, with a stand-in for a function that is made once all is found to be right."""
    return _ARNS["consolidation_arn"].format(region=region) if by == "overread" else _given(by)


def _key_arn(key: kms.IKey | None) -> str:
    return "" if key is None else key.key_arn


def _is_later(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_later(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return any(_is_later(inner) for inner in value)
    return isinstance(value, str) and Token.is_unresolved(value)


def _sample(spec: LabelingJobSpec, *, public: bool) -> LabelingJobSpec:
    """The specification with stand-ins for what only CloudFormation knows."""
    known = {name: sample.format(region=spec.region) for name, sample in _ARNS.items()}
    if public:
        known["workteam_arn"] = (
            f"arn:aws:sagemaker:{spec.region}:{PUBLIC_WORKTEAM_ACCOUNT}:workteam/public-crowd/default"
        )
    texts = (*known, "output_uri", "manifest_uri", "categories_uri", "template_uri")
    later = {
        name: known.get(name, "s3://sample/sample")
        for name in texts
        if Token.is_unresolved(getattr(spec, name))
    }
    if spec.automated is not None:
        later["automated"] = replace(
            spec.automated,
            volume_kms_key="sample" if spec.automated.volume_kms_key else "",
            security_groups=tuple(f"sg-{n}" for n, _ in enumerate(spec.automated.security_groups)),
            subnets=tuple(f"subnet-{n}" for n, _ in enumerate(spec.automated.subnets)),
        )  # type: ignore[assignment]
    return replace(spec, **later)  # type: ignore[arg-type]
