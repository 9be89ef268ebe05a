"""Labeling jobs: every fault at once, and requests that the SageMaker API takes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InvalidDataError
from overread.labeling.jobs import (
    AUTOMATED_OBJECTS,
    JOB_NAME,
    AutomatedLabeling,
    Backend,
    LabelingJobSpec,
    create_request,
    job_faults,
    job_name,
)
from overread.labeling.task_types import REGIONS, TASK_TYPES, Purpose, TaskType

SHAPE = (
    botocore.session.get_session()
    .get_service_model("sagemaker")
    .operation_model("CreateLabelingJob")
    .input_shape
)
CLASSIFIERS = ("FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent")
TEAM = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/readers"
PUBLIC = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:overread-demo-label"


def spec_of(task: TaskType, *, backend: Backend = Backend.GROUND_TRUTH, **changes: Any) -> LabelingJobSpec:
    own = FUNCTION if backend is Backend.OVERREAD else ""
    spec = LabelingJobSpec(
        stem="Kinds-of-scan",
        region="eu-west-1",
        backend=backend,
        task=task,
        label_attribute="kind-ref" if task.is_reference else "kind",
        output_uri="s3://labels/out/",
        role_arn="arn:aws:iam::111122223333:role/labeling",
        workteam_arn=TEAM,
        title="What is it?",
        description="Name the kind of each scan.",
        workers=1 if task.is_sequence else 3,
        time_limit_s=300,
        manifest_uri="s3://labels/in.manifest",
        categories_uri="s3://labels/categories.json",
        template_uri="" if task.ui and backend is Backend.GROUND_TRUTH else "s3://labels/page.liquid.html",
        pre_annotation_arn=own,
        consolidation_arn=own,
        audited_attribute="" if task.purpose is Purpose.LABEL else "earlier",
    )
    return replace(spec, **changes)


KINDS, BOXES, MASKS, CUSTOM = (
    spec_of(TASK_TYPES[name]) for name in ("ImageMultiClass", "BoundingBox", "SemanticSegmentation", "custom")
)


def accepted(request: dict[str, Any]) -> str:
    return str(ParamValidator().validate(request, SHAPE).generate_report())


@pytest.mark.parametrize("task", TASK_TYPES.values(), ids=str)
def test_the_request_of_every_task_type_is_one_that_the_api_takes(task: TaskType) -> None:
    for region in REGIONS:
        assert accepted(create_request(spec_of(task, region=region))) == ""
    if not task.is_sequence:
        assert accepted(create_request(spec_of(task, backend=Backend.OVERREAD, region="eu-north-1"))) == ""


def test_the_whole_request() -> None:
    spec = replace(
        KINDS,
        workteam_arn=PUBLIC,
        price_usd=Decimal("0.036"),
        content_classifiers=CLASSIFIERS,
        keywords=("scans",),
        availability_s=43_200,
        concurrent_tasks=100,
        human_labeled_objects=500,
        labeled_percentage=50,
        output_kms_key="alias/labels",
        automated=AutomatedLabeling(
            volume_kms_key="alias/v", security_groups=("sg-1",), subnets=("subnet-1",)
        ),
        objects=5_000,
        labels=3,
        tags={"team": "readers", "empty": ""},
    )
    request = create_request(spec)
    assert accepted(request) == ""
    name = request.pop("LabelingJobName")
    assert name == job_name(spec)
    assert request == {
        "LabelAttributeName": "kind",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://labels/in.manifest"}},
            "DataAttributes": {"ContentClassifiers": list(CLASSIFIERS)},
        },
        "OutputConfig": {"S3OutputPath": "s3://labels/out/", "KmsKeyId": "alias/labels"},
        "RoleArn": "arn:aws:iam::111122223333:role/labeling",
        "LabelCategoryConfigS3Uri": "s3://labels/categories.json",
        "StoppingConditions": {"MaxHumanLabeledObjectCount": 500, "MaxPercentageOfInputDatasetLabeled": 50},
        "LabelingJobAlgorithmsConfig": {
            "LabelingJobAlgorithmSpecificationArn": "arn:aws:sagemaker:eu-west-1:027400017018:"
            "labeling-job-algorithm-specification/image-classification",
            "LabelingJobResourceConfig": {
                "VolumeKmsKeyId": "alias/v",
                "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
            },
        },
        "HumanTaskConfig": {
            "WorkteamArn": PUBLIC,
            "UiConfig": {"UiTemplateS3Uri": "s3://labels/page.liquid.html"},
            "PreHumanTaskLambdaArn": "arn:aws:lambda:eu-west-1:568282634449:function:PRE-ImageMultiClass",
            "TaskKeywords": ["scans"],
            "TaskTitle": "What is it?",
            "TaskDescription": "Name the kind of each scan.",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 300,
            "TaskAvailabilityLifetimeInSeconds": 43_200,
            "MaxConcurrentTaskCount": 100,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": "arn:aws:lambda:eu-west-1:568282634449:"
                "function:ACS-ImageMultiClass"
            },
            "PublicWorkforceTaskPrice": {
                "AmountInUsd": {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}
            },
        },
        "Tags": [{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "readers"}],
    }


STREAM = {"input_topic_arn": "arn:aws:sns:eu-west-1:111122223333:in"}


@pytest.mark.parametrize(
    ("spec", "changes", "fault"),
    [
        (KINDS, {"stem": "a" * 55}, "name must be 1 to 54"),
        (KINDS, {"stem": "a_b"}, "name must be"),
        (KINDS, {"label_attribute": "source"}, "source or source-ref"),
        (MASKS, {"label_attribute": "seg"}, "must end in -ref"),
        (KINDS, {"output_uri": "/out"}, "output must be"),
        (KINDS, {"role_arn": "labeling"}, "role must be"),
        (KINDS, {"workteam_arn": "readers"}, "work team must be"),
        (KINDS, {"title": "x" * 129}, "title must be 1 to 128"),
        (KINDS, {"description": ""}, "description must be 1 to 255"),
        (KINDS, {"keywords": tuple("abcdef")}, "keywords must be at most 5"),
        (KINDS, {"keywords": ("two, words",)}, "keyword must be"),
        (KINDS, {"workers": 0}, "workers must be 1 to 9"),
        (KINDS, {"workers": 10}, "workers must be 1 to 9"),
        (KINDS, {"time_limit_s": 29}, "time limit must be 30 to 28,800 seconds, got 29"),
        (KINDS, {"time_limit_s": 28_801}, "time limit"),
        (KINDS, {"availability_s": 59}, "availability must be 60 to 2,592,000 seconds"),
        (KINDS, {"concurrent_tasks": 5_001}, "concurrent tasks"),
        (KINDS, {"labeled_percentage": 101}, "labeled percentage"),
        (KINDS, {"human_labeled_objects": 0}, "human-labeled objects"),
        (KINDS, {"objects": 10_001}, "objects must be 1 to 10,000 in one job"),
        (KINDS, {"manifest_uri": ""}, "manifest or input topic"),
        (KINDS, {"output_topic_arn": STREAM["input_topic_arn"]}, "only for a streaming job"),
        (KINDS, {**STREAM, "labeled_percentage": 5}, "stopping conditions"),
        (KINDS, {**STREAM, "automated": AutomatedLabeling()}, "automated labeling must not"),
        (KINDS, {"template_uri": ""}, "template must be given"),
        (KINDS, {"categories_uri": ""}, "categories must be given"),
        (KINDS, {"labels": 1}, "labels must be at least 2"),
        (BOXES, {"labels": 51}, "labels must be at most 50"),
        (MASKS, {"labels": 21, "automated": AutomatedLabeling()}, "labels must be at most 20"),
        (KINDS, {"region": "eu-north-1"}, "region must be one with Ground Truth"),
        (KINDS, {"price_usd": Decimal("0.036")}, "price must be absent"),
        (KINDS, {"content_classifiers": ("Nice",)}, "content classifier must be one of"),
        (CUSTOM, {"automated": AutomatedLabeling()}, "task type must be one of"),
        (KINDS, {"automated": AutomatedLabeling(), "objects": AUTOMATED_OBJECTS - 1}, "at least 1,250"),
        (KINDS, {"automated": AutomatedLabeling(subnets=("subnet-1",))}, "given together"),
        (KINDS, {"automated": AutomatedLabeling(initial_model_arn="m")}, "initial model"),
        (KINDS, {"tags": {"aws:x": "y"}}, "tag must be"),
        (KINDS, {"tags": {str(n): "" for n in range(51)}}, "tags must be at most 50"),
        (spec_of(TASK_TYPES["AdjustmentBoundingBox"]), {"audited_attribute": ""}, "audited attribute"),
        (spec_of(TASK_TYPES["VerificationBoundingBox"]), {"audited_attribute": "kind"}, "must differ"),
        (spec_of(TASK_TYPES["VideoObjectTracking"]), {"workers": 2}, "workers must be 1 for"),
        (spec_of(TASK_TYPES["VideoObjectTracking"]), {"time_limit_s": 604_801}, "30 to 604,800"),
        (spec_of(TASK_TYPES["VideoObjectTracking"]), {"template_uri": "s3://a/b"}, "Amazon's own UI"),
    ],
)
def test_each_fault_is_named(spec: LabelingJobSpec, changes: dict[str, Any], fault: str) -> None:
    assert job_faults(spec) == []
    found = job_faults(replace(spec, **changes))
    assert [fault in one for one in found] == [True], found


OWN = spec_of(TASK_TYPES["ImageMultiClass"], backend=Backend.OVERREAD)


@pytest.mark.parametrize("name", ["VideoObjectDetection", "3DPointCloudObjectTracking"])
def test_video_frames_and_point_clouds_are_refused_on_overread_with_the_reason(name: str) -> None:
    (fault,) = job_faults(spec_of(TASK_TYPES[name], backend=Backend.OVERREAD))
    assert "needs the backend ground-truth: the review portal has no tool for" in fault


def test_overread_calls_no_function_of_amazons() -> None:
    task = create_request(OWN)["HumanTaskConfig"]
    assert task["PreHumanTaskLambdaArn"] == FUNCTION
    found = job_faults(replace(OWN, pre_annotation_arn="", automated=AutomatedLabeling()))
    assert ["pre-annotation function must be given" in found[0], "needs the backend" in found[1]] == [
        True,
        True,
    ]
    assert "no way to Mechanical Turk" in " ".join(job_faults(replace(OWN, workteam_arn=PUBLIC)))


def test_the_public_team_needs_a_price_of_its_list_both_classifiers_and_half_a_day_at_most() -> None:
    public = replace(BOXES, workteam_arn=PUBLIC, price_usd=Decimal("0.036"), content_classifiers=CLASSIFIERS)
    assert job_faults(public) == []
    wrong = replace(public, price_usd=Decimal("0.012"), content_classifiers=(), availability_s=43_201)
    assert [fault.split(" must")[0] for fault in job_faults(wrong)] == [
        "availability",
        "content classifiers",
        "price",
    ]
    assert "price must be given" in job_faults(replace(public, price_usd=None))[0]


def test_all_faults_are_told_together() -> None:
    with pytest.raises(InvalidDataError) as error:
        create_request(replace(KINDS, workers=0, title="", role_arn="x", region="mars"))
    assert len(error.value.faults) == 4


def test_a_job_that_must_be_made_anew_has_another_name_and_tags_change_none() -> None:
    assert job_name(replace(KINDS, tags={"a": "b"})) == job_name(KINDS)
    others = [replace(KINDS, workers=4), replace(KINDS, title="?"), replace(KINDS, manifest_uri="s3://a/b")]
    assert len({job_name(one) for one in [KINDS, *others]}) == 4


@given(
    st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,53}", fullmatch=True).filter(lambda stem: len(stem) <= 54)
)
def test_every_name_is_one_that_the_api_takes(stem: str) -> None:
    spec = replace(KINDS, stem=stem)
    assert job_faults(spec) == []
    assert JOB_NAME.allows(job_name(spec))
