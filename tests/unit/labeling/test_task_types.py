"""Task types against the text of SageMaker's own service model."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest

from overread.labeling import task_types
from overread.labeling.label_attributes import label_attributes, name_faults
from overread.labeling.task_types import CUSTOM, REGIONS, TASK_TYPES, Purpose, TaskType

BUILT_IN = [task for task in TASK_TYPES.values() if not task.is_custom]


@pytest.fixture(scope="module")
def sagemaker() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def documented(sagemaker: Any, shape: str, member: str) -> str:
    text: str = sagemaker.shape_for(shape).members[member].documentation
    return re.sub(r"</?i>", "", text)


def test_pre_annotation_arns_are_those_that_the_api_documents_in_every_region(sagemaker: Any) -> None:
    text = documented(sagemaker, "HumanTaskConfig", "PreHumanTaskLambdaArn")
    found = set(re.findall(r"arn:aws:lambda:[\w-]+:\d{12}:function:PRE-\w+", text))
    ours = {task_types.pre_annotation_arn(task, region=region) for task in BUILT_IN for region in REGIONS}
    assert ours == found
    assert len(found) == 276


def test_consolidation_arns_are_those_that_the_api_documents_in_every_region(sagemaker: Any) -> None:
    text = documented(sagemaker, "AnnotationConsolidationConfig", "AnnotationConsolidationLambdaArn")
    found = set(re.findall(r"arn:aws:lambda:[\w-]+:\d{12}:function:ACS-\w+", text))
    ours = {task_types.consolidation_arn(task, region=region) for task in BUILT_IN for region in REGIONS}
    assert ours == found


def test_uis_are_those_that_the_api_documents(sagemaker: Any) -> None:
    text = documented(sagemaker, "UiConfig", "HumanTaskUiArn")
    found = set(re.findall(r"arn:aws:sagemaker:(?:aws-)?region:(\d{12}:human-task-ui/\w+)", text))
    ours = {task_types.human_task_ui_arn(task, region="eu-west-1") for task in BUILT_IN if task.ui}
    assert {arn.split(":", 4)[4] for arn in ours} == found


def test_algorithms_are_those_that_the_api_documents(sagemaker: Any) -> None:
    text = documented(sagemaker, "LabelingJobAlgorithmsConfig", "LabelingJobAlgorithmSpecificationArn")
    found = set(re.findall(r"arn:aws:sagemaker:region:(\d{12}:[\w-]+/[\w-]+)", text))
    ours = {task_types.algorithm_arn(task, region="eu-west-1") for task in BUILT_IN if task.algorithm}
    assert {arn.split(":", 4)[4] for arn in ours} == found
    assert len(ours) == 4


def test_the_types_whose_names_end_in_ref_are_those_that_the_api_documents(sagemaker: Any) -> None:
    text = documented(sagemaker, "CreateLabelingJobRequest", "LabelAttributeName")
    named = set(re.findall(r"<code>\(?(\w+)\)?</code>", text)) & TASK_TYPES.keys()
    assert {task.name for task in BUILT_IN if task.is_reference} == named - {
        "VerificationSemanticSegmentation"
    }


def test_a_custom_type_and_a_region_without_ground_truth_have_no_function() -> None:
    with pytest.raises(ValueError, match="custom"):
        task_types.pre_annotation_arn(CUSTOM, region="eu-west-1")
    with pytest.raises(ValueError, match="eu-north-1"):
        task_types.consolidation_arn(TASK_TYPES["BoundingBox"], region="eu-north-1")
    with pytest.raises(ValueError, match="human-task-ui"):
        task_types.human_task_ui_arn(TASK_TYPES["BoundingBox"], region="eu-west-1")


def test_only_video_frames_and_point_clouds_are_sequences() -> None:
    sequences = {task.name for task in BUILT_IN if task.is_sequence}
    assert sequences == {t.name for t in BUILT_IN if "VideoObject" in t.name or "3DPointCloud" in t.name}
    assert len(sequences) == 10
    assert all(TASK_TYPES[name].maximum_labels == 30 for name in sequences)


@pytest.mark.parametrize(
    ("name", "task", "fault"),
    [
        ("kind", "ImageMultiClass", ""),
        ("seg-ref", "SemanticSegmentation", ""),
        ("a" * 127, "BoundingBox", ""),
        ("a" * 128, "BoundingBox", "1 to 127"),
        ("", "BoundingBox", "1 to 127"),
        ("-kind", "BoundingBox", "matching"),
        ("my_kind", "BoundingBox", "matching"),
        ("kind-", "BoundingBox", "matching"),
        ("kind\n", "BoundingBox", "matching"),
        ("kind-metadata", "BoundingBox", "-metadata"),
        ("source", "BoundingBox", "source or source-ref"),
        ("source-ref", "SemanticSegmentation", "source or source-ref"),
        ("seg", "SemanticSegmentation", "must end in -ref"),
        ("seg-ref", "VerificationSemanticSegmentation", "must not end in -ref"),
        ("box-ref", "3DPointCloudObjectDetection", "must not end in -ref"),
    ],
)
def test_a_label_attribute_keeps_the_rules_of_its_task_type(name: str, task: str, fault: str) -> None:
    found = name_faults(name, task=TASK_TYPES[task])
    assert [fault in one for one in found] == ([True] if fault else [])


def test_a_job_that_reviews_labels_writes_them_under_another_name() -> None:
    task: TaskType = TASK_TYPES["VerificationBoundingBox"]
    assert task.purpose is Purpose.VERIFY
    assert "differ" in name_faults("cars", task=task, audited="cars")[0]
    assert not name_faults("checked", task=task, audited="cars")


def test_label_attributes_of_a_line_are_those_with_metadata_beside_them() -> None:
    keys = ["source-ref", "source-ref-metadata", "id", "b", "b-metadata", "a", "a-metadata", "c-metadata"]
    assert label_attributes(keys) == ["b", "a"]
