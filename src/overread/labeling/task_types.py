"""Every task type of a Ground Truth labeling job, and what Amazon owns for it: functions, UIs, algorithms.

ARNs and numbers are those of SageMaker's API reference and developer guide; they exist in `REGIONS` only.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

ACCOUNTS = MappingProxyType(
    {
        "us-east-1": "432418664414",
        "us-east-2": "266458841044",
        "us-west-2": "081040173940",
        "ca-central-1": "918755190332",
        "eu-central-1": "203001061592",
        "eu-west-1": "568282634449",
        "eu-west-2": "487402164563",
        "ap-northeast-1": "477331159723",
        "ap-northeast-2": "845288260483",
        "ap-south-1": "565803892007",
        "ap-southeast-1": "377565633583",
        "ap-southeast-2": "454466003867",
    }
)
"""The account that owns the built-in functions, by region."""

REGIONS = tuple(ACCOUNTS)
UI_ACCOUNT = "394669845002"
ALGORITHM_ACCOUNT = "027400017018"


class Medium(StrEnum):
    """What a line of the manifest stands for."""

    IMAGE = "image"
    TEXT = "text"
    VIDEO_CLIP = "video clip"
    VIDEO_FRAMES = "video frames"
    POINT_CLOUD = "3D point cloud"
    ANY = "anything"


class Purpose(StrEnum):
    """What people do: label, or verify or adjust the labels of an earlier job."""

    LABEL = "label"
    VERIFY = "verify"
    ADJUST = "adjust"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """One task type; `name` is the suffix of its functions' names, `custom` where it has none.

    `output_type` is `type` in the output's metadata; "" where AWS's documentation does not tell it.
    `minimum_labels` and `maximum_labels` bound the label category configuration (0: none needed, None: no
    bound); `automated_maximum_labels` is the tighter bound with automated data labeling. `ui` and `algorithm`
    are the last parts of the ARNs, "" where there is none.
    """

    name: str
    medium: Medium
    output_type: str
    purpose: Purpose = Purpose.LABEL
    minimum_labels: int = 1
    maximum_labels: int | None = None
    automated_maximum_labels: int | None = None
    ui: str = ""
    algorithm: str = ""
    is_reference: bool = False
    """Whether the label is an S3 address, so that the label attribute's name must end in `-ref`."""

    @property
    def is_custom(self) -> bool:
        """Whether Amazon has no functions for it."""
        return self.name == CUSTOM_NAME

    @property
    def is_sequence(self) -> bool:
        """Whether it is on video frames or 3D point clouds: one worker, Amazon's own UI, other categories."""
        return self.medium in (Medium.VIDEO_FRAMES, Medium.POINT_CLOUD)


CUSTOM_NAME = "custom"
_BOXES = "groundtruth/object-detection"
_MASKS = "groundtruth/semantic-segmentation"
_VERIFIED = "groundtruth/label-verification"
_CUSTOM_TYPE = "groundTruth/custom"
_SEQUENCE_LABELS = 30


def _sequences() -> list[TaskType]:
    video = [
        ("VideoObjectDetection", "groundtruth/video-object-detection"),
        ("VideoObjectTracking", "groundtruth/video-object-tracking"),
    ]
    clouds = [
        ("ObjectDetection", "groundtruth/point_cloud_object_detection", False),
        ("ObjectTracking", "groundtruth/point_cloud_object_tracking", True),
        ("SemanticSegmentation", "groundtruth/point_cloud_single_frame_semantic_segmentation", True),
    ]
    made = []
    for purpose, before in ((Purpose.LABEL, ""), (Purpose.ADJUST, "Adjustment")):
        for name, output in video:
            made.append(
                TaskType(
                    name=before + name,
                    medium=Medium.VIDEO_FRAMES,
                    output_type=output,
                    purpose=purpose,
                    maximum_labels=_SEQUENCE_LABELS,
                    ui=name,
                    is_reference=True,
                )
            )
        for name, output, is_reference in clouds:
            made.append(
                TaskType(
                    name=f"{before}3DPointCloud{name}",
                    medium=Medium.POINT_CLOUD,
                    output_type=output,
                    purpose=purpose,
                    maximum_labels=_SEQUENCE_LABELS,
                    ui=f"PointCloud{name}",
                    is_reference=is_reference,
                )
            )
    return made


def _built_in() -> list[TaskType]:
    image, text = Medium.IMAGE, Medium.TEXT
    return [
        TaskType(
            name="ImageMultiClass",
            medium=image,
            output_type="groundtruth/image-classification",
            minimum_labels=2,
            algorithm="image-classification",
        ),
        TaskType(
            name="ImageMultiClassMultiLabel",
            medium=image,
            output_type="groundtruth/image-classification-multilabel",
            minimum_labels=2,
            maximum_labels=50,
        ),
        TaskType(
            name="BoundingBox",
            medium=image,
            output_type=_BOXES,
            maximum_labels=50,
            algorithm="object-detection",
        ),
        TaskType(
            name="SemanticSegmentation",
            medium=image,
            output_type=_MASKS,
            automated_maximum_labels=20,
            algorithm="semantic-segmentation",
            is_reference=True,
        ),
        TaskType(
            name="TextMultiClass",
            medium=text,
            output_type="groundtruth/text-classification",
            minimum_labels=2,
            algorithm="text-classification",
        ),
        TaskType(
            name="TextMultiClassMultiLabel",
            medium=text,
            output_type="groundtruth/text-classification-multilabel",
            minimum_labels=2,
            maximum_labels=50,
        ),
        TaskType(
            name="NamedEntityRecognition",
            medium=text,
            output_type="groundtruth/text-span",
            ui="NamedEntityRecognition",
        ),
        TaskType(name="VideoMultiClass", medium=Medium.VIDEO_CLIP, output_type="", minimum_labels=2),
        TaskType(name="VerificationBoundingBox", medium=image, output_type=_VERIFIED, purpose=Purpose.VERIFY),
        TaskType(
            name="VerificationSemanticSegmentation",
            medium=image,
            output_type=_VERIFIED,
            purpose=Purpose.VERIFY,
        ),
        TaskType(
            name="AdjustmentBoundingBox",
            medium=image,
            output_type=_BOXES,
            purpose=Purpose.ADJUST,
            maximum_labels=50,
        ),
        TaskType(
            name="AdjustmentSemanticSegmentation",
            medium=image,
            output_type=_MASKS,
            purpose=Purpose.ADJUST,
            is_reference=True,
        ),
        TaskType(name="PassThrough", medium=Medium.ANY, output_type=_CUSTOM_TYPE, minimum_labels=0),
        *_sequences(),
    ]


CUSTOM = TaskType(name=CUSTOM_NAME, medium=Medium.ANY, output_type=_CUSTOM_TYPE, minimum_labels=0)
TASK_TYPES = MappingProxyType({task.name: task for task in (*_built_in(), CUSTOM)})
"""Every task type by its name."""


def pre_annotation_arn(task: TaskType, *, region: str) -> str:
    """Amazon's function that makes a worker's task of a line.

    Raises:
        ValueError: Amazon has none: a custom task type, or a region without Ground Truth.
    """
    return _function_arn(task, region=region, prefix="PRE")


def consolidation_arn(task: TaskType, *, region: str) -> str:
    """Amazon's function that makes one label of the workers' answers.

    Raises:
        ValueError: as for `pre_annotation_arn`.
    """
    return _function_arn(task, region=region, prefix="ACS")


def human_task_ui_arn(task: TaskType, *, region: str) -> str:
    """Amazon's own worker UI.

    Raises:
        ValueError: the task type has none, or the region is without Ground Truth.
    """
    return _sagemaker_arn(task, region=region, account=UI_ACCOUNT, kind="human-task-ui", name=task.ui)


def algorithm_arn(task: TaskType, *, region: str) -> str:
    """Amazon's algorithm for automated data labeling.

    Raises:
        ValueError: the task type has none, or the region is without Ground Truth.
    """
    return _sagemaker_arn(
        task,
        region=region,
        account=ALGORITHM_ACCOUNT,
        kind="labeling-job-algorithm-specification",
        name=task.algorithm,
    )


def _function_arn(task: TaskType, *, region: str, prefix: str) -> str:
    if task.is_custom:
        raise ValueError("a custom task type has no function of Amazon's")
    return f"arn:aws:lambda:{region}:{_account(region)}:function:{prefix}-{task.name}"


def _sagemaker_arn(task: TaskType, *, region: str, account: str, kind: str, name: str) -> str:
    if not name:
        raise ValueError(f"the task type {task.name} has no {kind} of Amazon's")
    _account(region)
    return f"arn:aws:sagemaker:{region}:{account}:{kind}/{name}"


def _account(region: str) -> str:
    if region not in ACCOUNTS:
        raise ValueError(f"region must be one with Ground Truth ({', '.join(REGIONS)}), got {region!r}")
    return ACCOUNTS[region]
