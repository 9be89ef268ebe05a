"""One labeling job: held to every rule of CreateLabelingJob at once, and the exact request that makes it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from overread.errors import InvalidDataError
from overread.labeling import task_types
from overread.labeling.label_attributes import name_faults
from overread.labeling.task_types import Medium, Purpose, TaskType
from overread.review import limits
from overread.review.limits import RangeLimit, TextLimit
from overread.strict_json import canonical_json

JOB_NAME = TextLimit(1, 63, r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_HASH_LENGTH = 8
STEM = TextLimit(1, 63 - 1 - _HASH_LENGTH, r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
S3_PATH = TextLimit(1, 1024, r"(https|s3)://([^/]+)/?(.*)")
TOPIC_ARN = TextLimit(1, 2048, r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+")
FUNCTION_ARN = TextLimit(1, 2048, r"arn:aws[a-z\-]*:lambda:[a-z0-9\-]*:[0-9]{12}:function:.*")
MODEL_ARN = TextLimit(20, 2048, r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:model/.*")
KMS_KEY = TextLimit(1, 2048, r"[a-zA-Z0-9:/_-]*")
TASK_TITLE = TextLimit(1, 128, "[\t\n\r -\ud7ff\ue000-\ufffd]*")
TASK_DESCRIPTION = TextLimit(1, 255, r".+")
VPC_ID = TextLimit(1, 32, r"[-0-9a-zA-Z]+")
WORKERS = RangeLimit(1, 9)
TIME_LIMIT_S = RangeLimit(30, 28_800)
SEQUENCE_TIME_LIMIT_S = RangeLimit(30, 604_800)
"""The developer guide's seven days; the API reference speaks of thirty."""
AVAILABILITY_S = RangeLimit(60, 2_592_000)
PUBLIC_AVAILABILITY_S = RangeLimit(60, 43_200)
CONCURRENT_TASKS = RangeLimit(1, 5_000)
PERCENTAGE = RangeLimit(1, 100)
OBJECTS = RangeLimit(1, 10_000)
"""The quota of objects in one job; the developer guide has larger numbers, which are not promised."""
AUTOMATED_OBJECTS = 1_250
CONTENT_CLASSIFIERS = (
    limits.CONTENT_CLASSIFIER_NO_PERSONAL_DATA,
    limits.CONTENT_CLASSIFIER_NO_ADULT_CONTENT,
)


class Backend(StrEnum):
    """Who runs the job."""

    GROUND_TRUTH = "ground-truth"
    OVERREAD = "overread"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomatedLabeling:
    """Ground Truth's automated data labeling; `initial_model_arn` is an earlier job's final model."""

    initial_model_arn: str = ""
    volume_kms_key: str = ""
    security_groups: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelingJobSpec:
    """A labeling job as it is wanted. What is "", (), {} or None is left out of the request.

    `stem` is the job's name without the hash that makes it unique. `template_uri` is the worker template; the
    types with a UI of Amazon's need none. `pre_annotation_arn` and `consolidation_arn` take the place of
    Amazon's functions. `manifest_uri`, `input_topic_arn` or both give the objects; with a topic the job is a
    streaming job. `objects` and `labels` are how many there are, where that is known. `audited_attribute` is
    the label attribute that a job verifies or adjusts.
    """

    stem: str
    region: str
    backend: Backend
    task: TaskType
    label_attribute: str
    output_uri: str
    role_arn: str
    workteam_arn: str
    title: str
    description: str
    workers: int
    time_limit_s: int
    manifest_uri: str = ""
    input_topic_arn: str = ""
    output_topic_arn: str = ""
    output_kms_key: str = ""
    categories_uri: str = ""
    template_uri: str = ""
    pre_annotation_arn: str = ""
    consolidation_arn: str = ""
    keywords: tuple[str, ...] = ()
    availability_s: int | None = None
    concurrent_tasks: int | None = None
    price_usd: Decimal | None = None
    content_classifiers: tuple[str, ...] = ()
    human_labeled_objects: int | None = None
    labeled_percentage: int | None = None
    automated: AutomatedLabeling | None = None
    audited_attribute: str = ""
    objects: int | None = None
    labels: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether Amazon Mechanical Turk's workers do it."""
        return f":{limits.PUBLIC_WORKTEAM_ACCOUNT}:workteam/public-crowd/" in self.workteam_arn

    @property
    def is_streaming(self) -> bool:
        """Whether objects come by a topic."""
        return bool(self.input_topic_arn)


def create_request(spec: LabelingJobSpec) -> dict[str, Any]:
    """The request of CreateLabelingJob.

    Raises:
        InvalidDataError: the specification has faults; all are named.
    """
    faults = job_faults(spec)
    if faults:
        raise InvalidDataError(faults)
    return _without_empty(
        {
            "LabelingJobName": job_name(spec),
            **_named_by(spec),
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(spec.tags.items())],
        }
    )


def job_name(spec: LabelingJobSpec) -> str:
    """The stem and a hash of all that cannot be changed in a job: a name is never free again.

    Tags can be changed, so they do not count.
    """
    digest = hashlib.sha256(canonical_json([spec.stem, _without_empty(_named_by(spec))])).hexdigest()
    return f"{spec.stem}-{digest[:_HASH_LENGTH]}"


def job_faults(spec: LabelingJobSpec) -> list[str]:
    """Everything that is wrong with the specification, a sentence each."""
    if spec.backend is Backend.OVERREAD and spec.task.is_sequence:
        return [
            f"task type {spec.task.name} needs the backend ground-truth: the review portal has no tool for "
            f"{spec.task.medium}"
        ]
    return [
        *_text_faults(spec),
        *name_faults(spec.label_attribute, task=spec.task, audited=spec.audited_attribute),
        *_number_faults(spec),
        *_source_faults(spec),
        *_task_faults(spec),
        *_workforce_faults(spec),
        *_automated_faults(spec),
        *_tag_faults(spec),
    ]


def _named_by(spec: LabelingJobSpec) -> dict[str, Any]:
    return {
        "LabelAttributeName": spec.label_attribute,
        "InputConfig": {
            "DataSource": {
                "S3DataSource": {"ManifestS3Uri": spec.manifest_uri},
                "SnsDataSource": {"SnsTopicArn": spec.input_topic_arn},
            },
            "DataAttributes": {"ContentClassifiers": list(spec.content_classifiers)},
        },
        "OutputConfig": {
            "S3OutputPath": spec.output_uri,
            "KmsKeyId": spec.output_kms_key,
            "SnsTopicArn": spec.output_topic_arn,
        },
        "RoleArn": spec.role_arn,
        "LabelCategoryConfigS3Uri": spec.categories_uri,
        "StoppingConditions": {
            "MaxHumanLabeledObjectCount": spec.human_labeled_objects,
            "MaxPercentageOfInputDatasetLabeled": spec.labeled_percentage,
        },
        "LabelingJobAlgorithmsConfig": _algorithm(spec),
        "HumanTaskConfig": _human_task(spec),
    }


def _human_task(spec: LabelingJobSpec) -> dict[str, Any]:
    return {
        "WorkteamArn": spec.workteam_arn,
        "UiConfig": {
            "UiTemplateS3Uri": spec.template_uri,
            "HumanTaskUiArn": ""
            if spec.template_uri or not spec.task.ui
            else task_types.human_task_ui_arn(spec.task, region=spec.region),
        },
        "PreHumanTaskLambdaArn": spec.pre_annotation_arn or _amazons(spec, "pre"),
        "TaskKeywords": list(spec.keywords),
        "TaskTitle": spec.title,
        "TaskDescription": spec.description,
        "NumberOfHumanWorkersPerDataObject": spec.workers,
        "TaskTimeLimitInSeconds": spec.time_limit_s,
        "TaskAvailabilityLifetimeInSeconds": spec.availability_s,
        "MaxConcurrentTaskCount": spec.concurrent_tasks,
        "AnnotationConsolidationConfig": {
            "AnnotationConsolidationLambdaArn": spec.consolidation_arn or _amazons(spec, "consolidation")
        },
        "PublicWorkforceTaskPrice": _price(spec.price_usd),
    }


def _amazons(spec: LabelingJobSpec, which: str) -> str:
    """Amazon's function; "" where it has none, or cannot be called: for custom types, and by Overread."""
    if spec.task.is_custom or spec.backend is Backend.OVERREAD:
        return ""
    of = task_types.pre_annotation_arn if which == "pre" else task_types.consolidation_arn
    return of(spec.task, region=spec.region)


def _algorithm(spec: LabelingJobSpec) -> dict[str, Any]:
    if spec.automated is None:
        return {}
    return {
        "LabelingJobAlgorithmSpecificationArn": task_types.algorithm_arn(spec.task, region=spec.region),
        "InitialActiveLearningModelArn": spec.automated.initial_model_arn,
        "LabelingJobResourceConfig": {
            "VolumeKmsKeyId": spec.automated.volume_kms_key,
            "VpcConfig": {
                "SecurityGroupIds": list(spec.automated.security_groups),
                "Subnets": list(spec.automated.subnets),
            },
        },
    }


def _price(price_usd: Decimal | None) -> dict[str, Any]:
    if price_usd is None:
        return {}
    parts = limits.price_parts(price_usd)
    return {
        "AmountInUsd": {
            "Dollars": parts.dollars,
            "Cents": parts.cents,
            "TenthFractionsOfACent": parts.tenth_fractions_of_a_cent,
        }
    }


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """The document without members that are "", None, [] or objects of nothing else."""
    kept = {
        name: _without_empty(inner) if isinstance(inner, dict) else inner for name, inner in document.items()
    }
    return {name: inner for name, inner in kept.items() if inner not in ("", None, [], {})}


def _text_faults(spec: LabelingJobSpec) -> Iterator[str]:
    needed = [
        ("name", spec.stem, STEM),
        ("output", spec.output_uri, S3_PATH),
        ("role", spec.role_arn, limits.ROLE_ARN),
        ("work team", spec.workteam_arn, limits.WORKTEAM_ARN),
        ("title", spec.title, TASK_TITLE),
        ("description", spec.description, TASK_DESCRIPTION),
    ]
    optional = [
        ("manifest", spec.manifest_uri, S3_PATH),
        ("input topic", spec.input_topic_arn, TOPIC_ARN),
        ("output topic", spec.output_topic_arn, TOPIC_ARN),
        ("output key", spec.output_kms_key, KMS_KEY),
        ("categories", spec.categories_uri, S3_PATH),
        ("template", spec.template_uri, S3_PATH),
        ("pre-annotation function", spec.pre_annotation_arn, FUNCTION_ARN),
        ("consolidation function", spec.consolidation_arn, FUNCTION_ARN),
        *(("keyword", keyword, limits.TASK_KEYWORD) for keyword in spec.keywords),
    ]
    for name, value, limit in [*needed, *((name, text, limit) for name, text, limit in optional if text)]:
        if not limit.allows(value):
            yield _must(name, str(limit), value)
    if len(spec.keywords) > limits.TASK_KEYWORDS.maximum:
        yield _must("keywords", f"at most {limits.TASK_KEYWORDS.maximum}", len(spec.keywords))


def _number_faults(spec: LabelingJobSpec) -> Iterator[str]:
    numbers: list[tuple[str, int | None, RangeLimit]] = [
        ("workers", spec.workers, WORKERS),
        ("time limit", spec.time_limit_s, SEQUENCE_TIME_LIMIT_S if spec.task.is_sequence else TIME_LIMIT_S),
        (
            "availability",
            spec.availability_s,
            PUBLIC_AVAILABILITY_S if spec.is_public else AVAILABILITY_S,
        ),
        ("concurrent tasks", spec.concurrent_tasks, CONCURRENT_TASKS),
        ("labeled percentage", spec.labeled_percentage, PERCENTAGE),
    ]
    for name, value, limit in numbers:
        if value is not None and not limit.allows(value):
            unit = " seconds" if name in ("time limit", "availability") else ""
            yield _must(name, f"{limit}{unit}", value)
    if spec.human_labeled_objects is not None and spec.human_labeled_objects < 1:
        yield _must("human-labeled objects", "at least 1", spec.human_labeled_objects)
    if spec.task.is_sequence and spec.workers != 1:
        yield _must("workers", f"1 for {spec.task.name}", spec.workers)
    if spec.objects is not None and spec.backend is Backend.GROUND_TRUTH and not OBJECTS.allows(spec.objects):
        yield _must("objects", f"{OBJECTS} in one job", spec.objects)


def _source_faults(spec: LabelingJobSpec) -> Iterator[str]:
    if not spec.manifest_uri and not spec.input_topic_arn:
        yield "manifest or input topic must be given, neither is"
    if spec.is_streaming:
        if spec.human_labeled_objects is not None or spec.labeled_percentage is not None:
            yield "stopping conditions must not be given for a streaming job (input topic)"
        if spec.automated is not None:
            yield "automated labeling must not be given for a streaming job (input topic)"
    elif spec.output_topic_arn:
        yield "output topic must be given only for a streaming job (input topic)"


def _task_faults(spec: LabelingJobSpec) -> Iterator[str]:
    task = spec.task
    if task.is_sequence and spec.template_uri:
        yield _must("template", f"absent: {task.name} has Amazon's own UI", spec.template_uri)
    own_ui = bool(task.ui) and spec.backend is Backend.GROUND_TRUTH
    if not spec.template_uri and not own_ui:
        yield f"template must be given for {task.name} on {spec.backend}"
    if task.minimum_labels and not spec.categories_uri:
        yield f"categories must be given for {task.name}"
    if spec.labels is not None:
        yield from _label_count_faults(spec, count=spec.labels)
    if task.purpose is not Purpose.LABEL and not spec.audited_attribute:
        yield f"audited attribute must be given for {task.name}"
    if spec.backend is Backend.OVERREAD and not task.is_custom:
        for name, arn in (
            ("pre-annotation", spec.pre_annotation_arn),
            ("consolidation", spec.consolidation_arn),
        ):
            if not arn:
                yield f"{name} function must be given on overread: Amazon's own cannot be called from it"
    elif spec.backend is Backend.GROUND_TRUTH and spec.region not in task_types.REGIONS:
        regions = ", ".join(task_types.REGIONS)
        yield _must("region", f"one with Ground Truth ({regions})", spec.region)


def _label_count_faults(spec: LabelingJobSpec, *, count: int) -> Iterator[str]:
    most = spec.task.maximum_labels
    if spec.automated is not None and spec.task.automated_maximum_labels is not None:
        most = spec.task.automated_maximum_labels
    if count < spec.task.minimum_labels:
        yield _must("labels", f"at least {spec.task.minimum_labels} for {spec.task.name}", count)
    if most is not None and count > most:
        yield _must("labels", f"at most {most} for {spec.task.name}", count)


def _workforce_faults(spec: LabelingJobSpec) -> Iterator[str]:
    for classifier in spec.content_classifiers:
        if classifier not in CONTENT_CLASSIFIERS:
            yield _must("content classifier", f"one of {', '.join(CONTENT_CLASSIFIERS)}", classifier)
    if not spec.is_public:
        if spec.price_usd is not None:
            yield _must("price", "absent: only the public work team has one", spec.price_usd)
        return
    if spec.backend is Backend.OVERREAD:
        yield "work team must not be the public one on overread: it has no way to Mechanical Turk"
    missing = [name for name in CONTENT_CLASSIFIERS if name not in spec.content_classifiers]
    if missing:
        yield f"content classifiers must have {' and '.join(missing)} for the public work team"
    if spec.price_usd is None:
        yield "price must be given for the public work team"
    elif spec.price_usd not in (allowed := limits.PUBLIC_PRICES_USD[_priced(spec.task)]):
        yield _must("price", f"one of {', '.join(map(str, allowed))} dollars", spec.price_usd)


def _priced(task: TaskType) -> limits.PricedTask:
    """What the public workforce takes the task for: custom where its price list does not name the type."""
    if "classification" in task.output_type or task.medium is Medium.VIDEO_CLIP:
        return limits.PricedTask.CLASSIFICATION
    if task.name == "BoundingBox":
        return limits.PricedTask.BOUNDING_BOX
    if task.name == "SemanticSegmentation":
        return limits.PricedTask.SEMANTIC_SEGMENTATION
    return limits.PricedTask.CUSTOM


def _automated_faults(spec: LabelingJobSpec) -> Iterator[str]:
    wanted = spec.automated
    if wanted is None:
        return
    if spec.backend is Backend.OVERREAD:
        yield "automated labeling by Amazon's algorithms needs the backend ground-truth"
    if not spec.task.algorithm:
        able = ", ".join(task.name for task in task_types.TASK_TYPES.values() if task.algorithm)
        yield _must("task type", f"one of {able} for automated labeling", spec.task.name)
    if spec.objects is not None and spec.objects < AUTOMATED_OBJECTS:
        yield _must("objects", f"at least {AUTOMATED_OBJECTS:,} for automated labeling", spec.objects)
    if wanted.initial_model_arn and not MODEL_ARN.allows(wanted.initial_model_arn):
        yield _must("initial model", str(MODEL_ARN), wanted.initial_model_arn)
    if wanted.volume_kms_key and not KMS_KEY.allows(wanted.volume_kms_key):
        yield _must("volume key", str(KMS_KEY), wanted.volume_kms_key)
    if bool(wanted.security_groups) != bool(wanted.subnets):
        yield "security groups and subnets of automated labeling must be given together"
    for name, ids, most in (("security groups", wanted.security_groups, 5), ("subnets", wanted.subnets, 16)):
        if len(ids) > most or not all(VPC_ID.allows(one) for one in ids):
            yield _must(name, f"at most {most}, each {VPC_ID}", ", ".join(ids))


def _tag_faults(spec: LabelingJobSpec) -> Iterator[str]:
    if len(spec.tags) > limits.TAGS.maximum:
        yield _must("tags", f"at most {limits.TAGS.maximum}", len(spec.tags))
    for key, value in spec.tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or re.match("aws:", key, re.IGNORECASE):
            yield _must(
                "tag", "a key of 1 to 128 characters not of aws: and a value of up to 256", f"{key}={value}"
            )


def _must(name: str, allowed: str, got: object) -> str:
    shown = repr(str(got) if isinstance(got, Decimal) else got)
    return f"{name} must be {allowed}, got {shown[:120]}{'…' if len(shown) > 120 else ''}"
