"""Labeling jobs: what each needs to be started, and those that begin with the deployment."""

from __future__ import annotations

from typing import Literal, cast

from aws_cdk import CfnOutput, Duration, Environment, Stack
from constructs import Construct

from overread.labeling.categories import Category, Instructions
from overread_config import Settings, output_name
from overread_config.labeling import LabelingDeploymentSettings, LabelingSettings
from overread_config.labeling_documents import settings_document
from overread_constructs import LabelingJob, Workteam
from overread_stacks.data_stack import DataStack
from overread_stacks.network_stack import ISOLATED, NetworkStack
from overread_stacks.organization import fit, synthesizer
from overread_stacks.retention import log_retention
from overread_stacks.review_stack import ReviewStack


class LabelingStack(Stack):
    """The labeling jobs of one deployment; each output `LabelingJob{Name}` says where its `job.json` is."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        env: Environment,
        network: NetworkStack,
        data: DataStack,
        review: ReviewStack,
    ) -> None:
        """`review`: whose teams label, and with backend `overread` whose service runs the jobs."""
        super().__init__(
            scope,
            id,
            stack_name=id,
            env=env,
            tags=dict(settings.tags),
            synthesizer=synthesizer(settings.organization),
            termination_protection=settings.retention.termination_protection,
            description=f"Overread {settings.environment}: labeling jobs",
        )
        fit(self, settings=settings)
        self._settings = settings
        self._network, self._data, self._review = network, data, review
        labeling = cast(LabelingDeploymentSettings, settings.labeling)
        self.jobs = {job.name: self._job(job, backend=labeling.backend) for job in labeling.jobs}
        for name, made in self.jobs.items():
            CfnOutput(self, f"LabelingJob{output_name(name)}", value=made.document_uri)

    def _job(self, job: LabelingSettings, *, backend: str) -> LabelingJob:
        data, network, settings = self._data, self._network, self._settings
        construct_id = output_name(job.name)
        is_amazons = job.mode == "active" and job.active.algorithm == "amazon"
        return LabelingJob(
            self,
            construct_id,
            name_prefix=settings.prefix,
            name=job.name,
            task_type=job.task_type,
            label_attribute=job.label_attribute,
            workteam=self._team(job),
            title=job.title,
            description=job.description,
            input_bucket=data.inputs,
            output_bucket=data.outputs,
            operations_key=data.operations_key,
            data_key=data.data_key,
            categories=[Category(one.label, one.short_name or "") for one in job.categories],
            instructions=Instructions(short=job.instructions.short, full=job.instructions.full)
            if job.instructions
            else None,
            category_document=job.category_file,
            template=job.template,
            manifest=job.manifest or self._chained(job),
            objects_at=job.objects_at,
            pre_annotation_by=job.pre_annotation,
            consolidation_by=job.consolidation,
            audited_attribute=job.audited_attribute or "",
            workers=job.redundancy.workers,
            time_limit=Duration.seconds(job.time_limits.task_s),
            availability=Duration.seconds(job.time_limits.availability_s),
            concurrent_tasks=job.concurrent_tasks,
            keywords=job.keywords,
            price_usd=job.price_usd,
            human_labeled_objects=job.budget.objects,
            labeled_percentage=job.budget.percentage,
            automated=is_amazons,
            initial_model_arn=job.active.initial_model_arn or "" if is_amazons else "",
            input_topic_arn=job.streaming.input_topic_arn if job.streaming else "",
            output_topic_arn=(job.streaming.output_topic_arn or "") if job.streaming else "",
            model_image=job.model.image if job.model else "",
            follow_up_workteam=self._review.teams[job.follow_up.team] if job.follow_up.team else None,
            start=cast(Literal["manually", "at-deployment"], job.start),
            tags={**settings.tags, **job.tags},
            settings=settings_document(job),
            vpc=network.vpc,
            subnets=ISOLATED,
            security_groups=[network.handlers],
            model_security_groups=[network.models],
            service=self._review.service if backend == "overread" else None,
            log_retention=log_retention(settings.retention.log_days),
        )

    def _team(self, job: LabelingSettings) -> Workteam:
        if job.workteam_arn is not None:
            return Workteam.from_workteam_arn(self, f"{output_name(job.name)}Team", arn=job.workteam_arn)
        return self._review.teams[cast(str, job.team)]

    def _chained(self, job: LabelingSettings) -> str | None:
        """Where a chained job's objects will be: a run puts the other job's output there."""
        return f"labeling/{job.name}/input.manifest" if job.after else None
