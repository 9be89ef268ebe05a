"""The settings of labeling jobs: who runs them, and each job in a YAML file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from overread.labeling import categories, jobs
from overread.labeling.label_attributes import MAXIMUM, PATTERN
from overread.labeling.task_types import TASK_TYPES
from overread.review import limits
from overread_config.forms import NAME, NAME_FORM, limited
from overread_config.kinds import (
    Choice,
    ExistingFile,
    Integer,
    ListOf,
    MapOf,
    Number,
    OpenFraction,
    Price,
    Text,
)
from overread_config.labeling_files import JobFiles
from overread_config.sections import Section, setting

JOB_NAME = Text(pattern=NAME, form=NAME_FORM, longest=30)
"""With a deployment's prefix and the hash of its content it stays below 63 characters."""
S3_URI = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s*?]+"
_KEY = r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*"
_PLACE = Text(
    pattern=f"{S3_URI}|{_KEY}",
    form="an s3:// address, or a key in the deployment's data bucket",
    longest=1000,
)
_FUNCTION = Text(
    pattern=r"amazon|overread|arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9-_]+(:[A-Za-z0-9-_$]+)?",
    form="`amazon`, `overread` or a function's ARN",
    longest=256,
)
_INSTANCE = Text(pattern=r"ml\.[a-z0-9-]+\.[a-z0-9]+", form="such as ml.m5.large", longest=64)


@dataclass(frozen=True, slots=True)
class CategorySettings:
    """A label that workers may give."""

    label: str = field(metadata=setting(Text(longest=categories.LABEL_LENGTH), "The label."))
    short_name: str | None = field(
        metadata=setting(
            Text(longest=categories.LABEL_LENGTH),
            "What Amazon's page for named entities shows in its place.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class InstructionSettings:
    """What workers read."""

    short: str = field(metadata=setting(Text(longest=5_000), "What is always in view, HTML without scripts."))
    full: str = field(
        metadata=setting(Text(shortest=0, longest=50_000), "What opens on demand, HTML.", default="")
    )


@dataclass(frozen=True, slots=True)
class AdaptiveSettings:
    """More workers for objects whose label is not sure yet."""

    most: int = field(
        metadata=setting(
            Integer(2, jobs.WORKERS.maximum), "Workers that one object may have in all; above `workers`."
        )
    )
    confidence: float = field(
        metadata=setting(
            OpenFraction(), "An object below this confidence of the consensus has another worker."
        )
    )


@dataclass(frozen=True, slots=True)
class RedundancySettings:
    """How many people label one object."""

    workers: int = field(
        metadata=setting(
            Integer(jobs.WORKERS.minimum, jobs.WORKERS.maximum),
            "Different workers for each object; 1 for video frames and 3D point clouds.",
            default=3,
        )
    )
    adaptive: AdaptiveSettings | None = field(
        metadata=setting(
            Section(AdaptiveSettings), "More of them where it pays; by default nowhere.", default=None
        )
    )


@dataclass(frozen=True, slots=True)
class TimeLimitSettings:
    """How long people have."""

    task_s: int = field(
        metadata=setting(
            Integer(jobs.TIME_LIMIT_S.minimum, jobs.SEQUENCE_TIME_LIMIT_S.maximum),
            f"Seconds for one task; at most {jobs.TIME_LIMIT_S.maximum}, of video frames and 3D point clouds "
            f"{jobs.SEQUENCE_TIME_LIMIT_S.maximum}.",
            default=3_600,
        )
    )
    availability_s: int = field(
        metadata=setting(
            Integer(jobs.AVAILABILITY_S.minimum, jobs.AVAILABILITY_S.maximum),
            "Seconds that a task stays open; at most "
            f"{jobs.PUBLIC_AVAILABILITY_S.maximum} with a public team.",
            default=864_000,
        )
    )


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model that meets the contract of docs/model-contract.md."""

    image: str = field(
        metadata=setting(
            Text(
                pattern=r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{64})",
                form="an image in ECR with tag or digest",
                longest=255,
            ),
            "The image that trains and scores.",
        )
    )
    archive: str | None = field(
        metadata=setting(
            _PLACE, "A trained `model.tar.gz` to begin with. Required for mode `automated`.", default=None
        )
    )
    training_instance: str = field(
        metadata=setting(_INSTANCE, "Instance type of training jobs.", default="ml.m5.large")
    )
    scoring_instance: str = field(
        metadata=setting(_INSTANCE, "Instance type of batch transform jobs.", default="ml.m5.large")
    )
    scoring_instances: int = field(
        metadata=setting(Integer(1, 100), "How many instances score at a time.", default=1)
    )
    volume_gb: int = field(
        metadata=setting(Integer(1, 16_384), "Gigabytes of a training job's disk.", default=30)
    )
    longest_training_s: int = field(
        metadata=setting(Integer(60, 432_000), "Seconds after which training is stopped.", default=3_600)
    )
    hyperparameters: Mapping[str, str] = field(
        metadata=setting(
            MapOf(Text(longest=256), Text(shortest=0, longest=2_500)),
            "More hyperparameters, beside those of the contract.",
            default={},
        )
    )


@dataclass(frozen=True, slots=True)
class AutomaticSettings:
    """What a model may label without people: only what a guaranteed threshold allows."""

    alpha: float = field(
        metadata=setting(OpenFraction(), "The share of automatic labels that may be wrong.", default=0.03)
    )
    delta: float = field(
        metadata=setting(OpenFraction(), "The chance of being wrong about that.", default=0.05)
    )
    coverage: float = field(
        metadata=setting(
            Number(0, 1), "The loop ends once this share of the objects has a label.", default=1.0
        )
    )


@dataclass(frozen=True, slots=True)
class ActiveSettings:
    """Active learning: people label what the model learns most from."""

    algorithm: str = field(
        metadata=setting(
            Choice(("overread", "amazon")),
            "`overread`: the loop of docs/active-learning.md with `model`. `amazon`: Ground Truth's "
            "automated data labeling, for four task types of backend `ground-truth`; of what is below "
            "only `initial_model_arn` means anything then.",
            default="overread",
        )
    )
    initial_model_arn: str | None = field(
        metadata=setting(
            limited(jobs.MODEL_ARN, form="a model's ARN"),
            "The final model of an earlier job. Algorithm `amazon` only.",
            default=None,
        )
    )
    strategy: str = field(
        metadata=setting(
            Choice(("margin", "entropy", "k-centre")), "How the next batch is chosen.", default="margin"
        )
    )
    first_batch: int = field(
        metadata=setting(Integer(10, 10_000), "Objects that people label before any training.", default=200)
    )
    batch: int = field(
        metadata=setting(Integer(10, 10_000), "Objects that people label in each later round.", default=100)
    )
    random_share: float = field(
        metadata=setting(
            Number(0.01, 1), "Share of each batch that is drawn at random, for the guarantee.", default=0.1
        )
    )
    most_rounds: int = field(metadata=setting(Integer(1, 100), "Rounds at most.", default=10))
    seed: int = field(metadata=setting(Integer(0, 2_147_483_647), "Seed of all draws.", default=0))


@dataclass(frozen=True, slots=True)
class LabelingBudgetSettings:
    """What a job may cost; what is reached first ends it."""

    objects: int | None = field(
        metadata=setting(Integer(1, 10_000_000), "Objects that people label at most.", default=None)
    )
    votes: int | None = field(
        metadata=setting(Integer(1, 90_000_000), "Answers of people at most.", default=None)
    )
    percentage: int | None = field(
        metadata=setting(
            Integer(jobs.PERCENTAGE.minimum, jobs.PERCENTAGE.maximum),
            "Percentage of the manifest's objects that gets labels at most.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class GoldSettings:
    """Objects with known labels, mixed in where no worker sees it."""

    manifest: str = field(metadata=setting(_PLACE, "An augmented manifest with the true labels."))
    share: float = field(metadata=setting(Number(0.001, 0.5), "Share of a job's objects.", default=0.05))
    label_attribute: str | None = field(
        metadata=setting(
            Text(pattern=PATTERN, form="a label attribute", longest=MAXIMUM),
            "The label attribute of the gold manifest; by default the job's own.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class LabelSpotCheckSettings:
    """Acceptance sampling of a finished lot: it is accepted when no checked label is wrong."""

    p: float = field(metadata=setting(OpenFraction(), "A lot with this share of wrong labels must not pass."))
    delta: float = field(metadata=setting(OpenFraction(), "The chance that such a lot passes."))


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """What a job's labels must meet before they are published."""

    gold: GoldSettings | None = field(
        metadata=setting(Section(GoldSettings), "Gold items; by default none.", default=None)
    )
    min_agreement: float | None = field(
        metadata=setting(Number(-1, 1), "Least agreement of the workers (alpha).", default=None)
    )
    min_gold_accuracy: float | None = field(
        metadata=setting(Number(0, 1), "Least accuracy on gold items. With `gold` only.", default=None)
    )
    spot_check: LabelSpotCheckSettings | None = field(
        metadata=setting(
            Section(LabelSpotCheckSettings), "Spot check of finished labels; by default none.", default=None
        )
    )


@dataclass(frozen=True, slots=True)
class FollowUpSettings:
    """What becomes of objects that failed, expired or did not pass."""

    kind: str = field(
        metadata=setting(
            Choice(("label", "verify", "adjust", "none")),
            "`label`: labeled again. `verify` and `adjust`: people see the label that did not pass; boxes "
            "and masks only. `none`: they stay without a label, and the run says so.",
            default="label",
        )
    )
    most_rounds: int = field(metadata=setting(Integer(1, 10), "Follow-up jobs at most.", default=2))
    team: str | None = field(
        metadata=setting(
            Text(longest=30), "Team of the follow-up jobs; by default the job's own.", default=None
        )
    )


@dataclass(frozen=True, slots=True)
class LabelingDataSettings:
    """What kind of data a job shows."""

    data_class: str = field(
        metadata=setting(
            Choice(("personal", "free-of-personal-data")),
            "`personal` data never reaches a public team. Say `free-of-personal-data` only when it is.",
            key="class",
        )
    )


@dataclass(frozen=True, slots=True)
class StreamingSettings:
    """Objects that come one at a time."""

    input_topic_arn: str = field(
        metadata=setting(limited(jobs.TOPIC_ARN, form="an SNS topic's ARN"), "The topic that brings objects.")
    )
    output_topic_arn: str | None = field(
        metadata=setting(
            limited(jobs.TOPIC_ARN, form="an SNS topic's ARN"),
            "The topic that is told of labels.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class LabelingSettings:
    """One labeling job. `file` is where it was read from."""

    file: Path
    name: str = field(
        metadata=setting(JOB_NAME, "Name of the job; its runs and jobs begin with `{prefix}-{name}`.")
    )
    task_type: str = field(
        metadata=setting(
            Choice(tuple(TASK_TYPES)),
            "Ground Truth's task type, or `custom`. Video frames and 3D point clouds need the backend "
            "`ground-truth`.",
        )
    )
    categories: tuple[CategorySettings, ...] = field(
        metadata=setting(ListOf(Section(CategorySettings), most=1000), "The labels.", default=())
    )
    category_file: Path | None = field(
        metadata=setting(
            ExistingFile(),
            "A label category document of 2020-03-01 (JSON), for video frames and 3D point clouds, in place "
            "of `categories` and `instructions`.",
            default=None,
        )
    )
    title: str = field(
        metadata=setting(
            limited(jobs.TASK_TITLE, form="on one line"), "Title of a task in the workers' list."
        )
    )
    description: str = field(
        metadata=setting(
            limited(jobs.TASK_DESCRIPTION, form="on one line"), "What a task asks for, in the workers' list."
        )
    )
    keywords: tuple[str, ...] = field(
        metadata=setting(
            ListOf(
                limited(limits.TASK_KEYWORD, form="words of letters and digits"),
                most=limits.TASK_KEYWORDS.maximum,
            ),
            "Keywords of a task.",
            default=(),
        )
    )
    instructions: InstructionSettings | None = field(
        metadata=setting(
            Section(InstructionSettings),
            "What workers read, for templates that do not hold it. Required for Amazon's page for named "
            "entities.",
            default=None,
        )
    )
    manifest: str | None = field(
        metadata=setting(
            _PLACE,
            "The input manifest; by default `labeling/{name}/input.manifest` in the data bucket.",
            default=None,
        )
    )
    objects_at: tuple[str, ...] = field(
        metadata=setting(
            ListOf(
                Text(pattern=f"{S3_URI}/", form="an s3:// address of a folder, ending in /", longest=1000),
                most=10,
            ),
            "Folders whose objects the manifest names, outside of `labeling/` in the data bucket; only there "
            "the job may read. Other buckets need CORS for the workers' pages.",
            default=(),
        )
    )
    after: str | None = field(
        metadata=setting(
            JOB_NAME,
            "Another job of this deployment whose output is this one's manifest (a chained job).",
            default=None,
        )
    )
    streaming: StreamingSettings | None = field(
        metadata=setting(
            Section(StreamingSettings),
            "A job without end, whose objects come by a topic. Backend `ground-truth` only.",
            default=None,
        )
    )
    label_attribute: str = field(
        metadata=setting(
            Text(pattern=PATTERN, form="letters, digits and hyphens inside", longest=MAXIMUM),
            "The key that has the label in the output manifest.",
        )
    )
    audited_attribute: str | None = field(
        metadata=setting(
            Text(pattern=PATTERN, form="letters, digits and hyphens inside", longest=MAXIMUM),
            "The label attribute that a job verifies or adjusts. Such task types only, required there.",
            default=None,
        )
    )
    template: Path | None = field(
        metadata=setting(
            ExistingFile(),
            "The worker template (Liquid and Crowd HTML). Synthesis lints it. Not for video frames and 3D "
            "point clouds; on `ground-truth` not needed for named entities.",
            default=None,
        )
    )
    pre_annotation: str | None = field(
        metadata=setting(
            _FUNCTION,
            "What makes a task of a line: `overread` (for templates of the library, told by the name of the "
            "template's folder), `amazon` or a function of your own. By default Amazon's for its task types "
            "on `ground-truth`, else Overread's.",
            default=None,
        )
    )
    consolidation: str | None = field(
        metadata=setting(_FUNCTION, "What makes one label of the answers; as `pre_annotation`.", default=None)
    )
    team: str | None = field(
        metadata=setting(
            Text(longest=30),
            "Name of the team in `teams` that labels. Either this or `workteam_arn`.",
            default=None,
        )
    )
    workteam_arn: str | None = field(
        metadata=setting(
            Text(
                pattern=r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:workteam/(private|vendor)-crowd/[A-Za-z0-9_-]+",
                form="the ARN of a private-crowd or vendor-crowd work team",
            ),
            "A work team that exists, where the deployment's reviews have another backend. "
            "`ground-truth` only.",
            default=None,
        )
    )
    redundancy: RedundancySettings = field(
        metadata=setting(Section(RedundancySettings), "How many people label one object.", default={})
    )
    time_limits: TimeLimitSettings = field(
        metadata=setting(Section(TimeLimitSettings), "How long people have.", default={})
    )
    concurrent_tasks: int | None = field(
        metadata=setting(
            Integer(jobs.CONCURRENT_TASKS.minimum, jobs.CONCURRENT_TASKS.maximum),
            "Objects that are with people at a time at most; by default 1000.",
            default=None,
        )
    )
    price_usd: Decimal | None = field(
        metadata=setting(
            Price(limits.PUBLIC_PRICES_USD[limits.PricedTask.CUSTOM]),
            "Dollars for one task and worker. Public team only, required there.",
            default=None,
        )
    )
    mode: str = field(
        metadata=setting(
            Choice(("human", "active", "automated")),
            "`human`: people label every object. `active`: people and a model in turn. `automated`: a "
            "trained model labels what its guarantee allows, and people a spot check.",
            default="human",
        )
    )
    model: ModelSettings | None = field(
        metadata=setting(
            Section(ModelSettings), "The model of the modes `active` and `automated`.", default=None
        )
    )
    automatic: AutomaticSettings = field(
        metadata=setting(
            Section(AutomaticSettings), "What the model may label. Not for mode `human`.", default={}
        )
    )
    active: ActiveSettings = field(
        metadata=setting(Section(ActiveSettings), "The loop of mode `active`.", default={})
    )
    budget: LabelingBudgetSettings = field(
        metadata=setting(Section(LabelingBudgetSettings), "What the job may cost.", default={})
    )
    quality: QualitySettings = field(
        metadata=setting(Section(QualitySettings), "What the labels must meet.", default={})
    )
    follow_up: FollowUpSettings = field(
        metadata=setting(
            Section(FollowUpSettings), "What becomes of objects without a good label.", default={}
        )
    )
    start: str = field(
        metadata=setting(
            Choice(("manually", "at-deployment")),
            "`manually`: the deployment provides everything, and `overread label start` starts runs. "
            "`at-deployment`: the job itself is a resource of the stack; mode `human` without "
            "`quality` only.",
            default="manually",
        )
    )
    data: LabelingDataSettings = field(
        metadata=setting(Section(LabelingDataSettings), "What kind of data this is.")
    )
    tags: Mapping[str, str] = field(
        metadata=setting(
            MapOf(
                Text(pattern=r"(?!aws:)[\w .:/=+@-]+", form="without the prefix `aws:`", longest=128),
                Text(pattern=r"[\w .:/=+@-]*", form="letters, digits, spaces and _.:/=+-@", shortest=0),
                most=8,
            ),
            "More tags of the job, beside the deployment's.",
            default={},
        )
    )


@dataclass(frozen=True, slots=True)
class LabelingDeploymentSettings:
    """The labeling jobs of a deployment."""

    backend: str = field(
        metadata=setting(
            Choice(("ground-truth", "overread")),
            "`ground-truth`: Amazon SageMaker Ground Truth, for accounts that have it; it is closed to new "
            "customers. `overread`: the review service.",
        )
    )
    jobs: tuple[LabelingSettings, ...] = field(
        metadata=setting(
            JobFiles(LabelingSettings),
            "The jobs: a folder, whose `*.yaml` are read, or a list of files. A table of its own says what "
            "is in one.",
        )
    )
