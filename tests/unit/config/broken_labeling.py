"""Faults of labeling jobs, each in the job's own file."""

from __future__ import annotations

from dataclasses import dataclass

JOB = """\
name: digits
task_type: ImageMultiClass
categories: [{label: one}, {label: two}]
title: Which digit
description: Say which digit it is.
label_attribute: digit
template: pages/image-classification/template.html
team: readers
data: {class: free-of-personal-data}
"""
"""A valid job, for a deployment with Ground Truth."""
SEQUENCE = """\
name: cars
task_type: VideoObjectTracking
category_file: pages/sequence.json
title: Follow the cars
description: Follow each car.
label_attribute: cars-ref
team: readers
redundancy: {workers: 1}
data: {class: personal}
"""
IMAGE = "model: {image: '111122223333.dkr.ecr.eu-central-1.amazonaws.com/digits:1'"
ACTIVE = f"mode: active\n{IMAGE}}}"


@dataclass(frozen=True)
class BrokenJob:
    """A job's file with one fault; `at` is in its line. Without `at` the section's first line has it."""

    text: str
    field: str
    problem: str
    allowed: str = ""
    at: str = ""
    backend: str = "ground-truth"
    public: bool = False
    ours: bool = False
    """Whether reviews are by the review service."""

    @property
    def line(self) -> int:
        """Of the first line with `at`, counted from 1."""
        at = self.at or self.field.partition(".")[0].partition("[")[0] + ":"
        return next((n for n, line in enumerate(self.text.splitlines(), start=1) if at in line), 1)


def swapped(old: str, new: str, text: str = JOB) -> str:
    """The text with `old`, which is in it once, replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def more(lines: str, text: str = JOB) -> str:
    """The text with more at its end."""
    return f"{text}{lines}\n"


def wrong(line: str, field: str, allowed: str = "") -> BrokenJob:
    """A value of another kind or out of range."""
    key = line.partition(":")[0]
    kept = "".join(f"{one}\n" for one in JOB.splitlines() if one.partition(":")[0] != key)
    return BrokenJob(more(line, kept), field, "", allowed)


VALUES: dict[str, BrokenJob] = {
    line: wrong(line, field, allowed)
    for line, field, allowed in (
        ("name: Digits", "name", "lower-case letters"),
        ("task_type: ImageMulti", "task_type", "`ImageMultiClass`"),
        ("categories: one", "categories", "a list"),
        ("categories: [{label: ''}, {label: two}]", "categories[0].label", "1 to 256"),
        ("categories: [{label: a, short_name: 1}, {label: b}]", "categories[0].short_name", "a text"),
        ("category_file: pages/none.json", "category_file", "an existing file"),
        ("title: ''", "title", "1 to 128"),
        ("description: ''", "description", "1 to 255"),
        ("keywords: [a, b, c, d, e, f]", "keywords", "0 to 5"),
        ("instructions: read", "instructions", "`short`"),
        ("instructions: {short: ''}", "instructions.short", "1 to 5000"),
        ("instructions: {short: a, full: 1}", "instructions.full", "a text"),
        ("manifest: /a b", "manifest", "data bucket"),
        ("objects_at: here", "objects_at", "a list"),
        ("objects_at: ['s3://pictures/one.png']", "objects_at[0]", "ending in /"),
        ("after: A", "after", "lower-case"),
        ("streaming: topic", "streaming", "`input_topic_arn`"),
        ("streaming: {input_topic_arn: topic}", "streaming.input_topic_arn", "an SNS topic's ARN"),
        (
            "streaming: {input_topic_arn: 'arn:aws:sns:eu-central-1:111122223333:in', output_topic_arn: t}",
            "streaming.output_topic_arn",
            "an SNS topic's ARN",
        ),
        ("label_attribute: a b", "label_attribute", "hyphens inside"),
        ("audited_attribute: a b", "audited_attribute", "hyphens inside"),
        ("template: pages/none.html", "template", "an existing file"),
        ("pre_annotation: none", "pre_annotation", "`amazon`, `overread`"),
        ("consolidation: none", "consolidation", "`amazon`, `overread`"),
        ("team: 7", "team", "a text"),
        ("workteam_arn: team", "workteam_arn", "work team"),
        ("redundancy: 3", "redundancy", "`workers`"),
        ("redundancy: {workers: 10}", "redundancy.workers", "from 1 to 9"),
        ("redundancy: {adaptive: 5}", "redundancy.adaptive", "`most`"),
        ("redundancy: {adaptive: {most: 10, confidence: 0.9}}", "redundancy.adaptive.most", "from 2 to 9"),
        ("redundancy: {adaptive: {most: 5, confidence: 1}}", "redundancy.adaptive.confidence", "below 1"),
        ("time_limits: 60", "time_limits", "`task_s`"),
        ("time_limits: {task_s: 29}", "time_limits.task_s", "from 30"),
        ("time_limits: {availability_s: 59}", "time_limits.availability_s", "from 60"),
        ("concurrent_tasks: 5001", "concurrent_tasks", "from 1 to 5000"),
        ("price_usd: 0.01", "price_usd", "0.012"),
        ("mode: robots", "mode", "`human` or `active`"),
        ("model: m", "model", "`image`"),
        ("model: {image: digits}", "model.image", "an image in ECR"),
        (f"{IMAGE}, archive: ' '}}", "model.archive", "data bucket"),
        (f"{IMAGE}, training_instance: big}}", "model.training_instance", "ml.m5.large"),
        (f"{IMAGE}, scoring_instance: big}}", "model.scoring_instance", "ml.m5.large"),
        (f"{IMAGE}, scoring_instances: 0}}", "model.scoring_instances", "from 1"),
        (f"{IMAGE}, volume_gb: 0}}", "model.volume_gb", "from 1"),
        (f"{IMAGE}, longest_training_s: 5}}", "model.longest_training_s", "from 60"),
        (f"{IMAGE}, hyperparameters: {{epochs: 3}}}}", "model.hyperparameters.epochs", "a text"),
        (f"{IMAGE}, hyperparameters: x}}", "model.hyperparameters", "a mapping"),
        ("automatic: true", "automatic", "`alpha`"),
        ("automatic: {alpha: 0}", "automatic.alpha", "above 0"),
        ("automatic: {delta: 1}", "automatic.delta", "below 1"),
        ("automatic: {coverage: 1.1}", "automatic.coverage", "[0, 1]"),
        ("active: true", "active", "`algorithm`"),
        ("active: {algorithm: best}", "active.algorithm", "`overread` or `amazon`"),
        ("active: {initial_model_arn: m}", "active.initial_model_arn", "a model's ARN"),
        ("active: {strategy: luck}", "active.strategy", "`margin`"),
        ("active: {first_batch: 9}", "active.first_batch", "from 10"),
        ("active: {batch: 9}", "active.batch", "from 10"),
        ("active: {random_share: 0}", "active.random_share", "[0.01, 1]"),
        ("active: {most_rounds: 0}", "active.most_rounds", "from 1"),
        ("active: {seed: -1}", "active.seed", "from 0"),
        ("budget: 7", "budget", "`objects`"),
        ("budget: {objects: 0}", "budget.objects", "from 1"),
        ("budget: {votes: 0}", "budget.votes", "from 1"),
        ("budget: {percentage: 101}", "budget.percentage", "from 1 to 100"),
        ("quality: good", "quality", "`gold`"),
        ("quality: {gold: gold}", "quality.gold", "`manifest`"),
        ("quality: {gold: {manifest: ' '}}", "quality.gold.manifest", "data bucket"),
        ("quality: {gold: {manifest: g, share: 0.6}}", "quality.gold.share", "0.5]"),
        ("quality: {gold: {manifest: g, label_attribute: a b}}", "quality.gold.label_attribute", "attribute"),
        ("quality: {min_agreement: 2}", "quality.min_agreement", "[-1, 1]"),
        ("quality: {min_gold_accuracy: 2}", "quality.min_gold_accuracy", "[0, 1]"),
        ("quality: {spot_check: 1}", "quality.spot_check", "`p`"),
        ("quality: {spot_check: {p: 0, delta: 0.1}}", "quality.spot_check.p", "above 0"),
        ("quality: {spot_check: {p: 0.1, delta: 1}}", "quality.spot_check.delta", "below 1"),
        ("follow_up: none", "follow_up", "`kind`"),
        ("follow_up: {kind: hope}", "follow_up.kind", "`label`"),
        ("follow_up: {most_rounds: 0}", "follow_up.most_rounds", "from 1"),
        ("follow_up: {team: others}", "follow_up.team", "`readers`"),
        ("start: now", "start", "`manually`"),
        ("data: personal", "data", "`class`"),
        ("data: {class: secret}", "data.class", "`personal`"),
        ("tags: {'aws:x': y}", "tags.aws:x", "without the prefix"),
        ("tags: x", "tags", "a mapping"),
        ("colour: red", "colour", "`name`"),
    )
}
RELATIONS: dict[str, BrokenJob] = {
    "sequence_on_overread": BrokenJob(
        SEQUENCE,
        "task_type",
        "needs the backend ground-truth: the review portal has no tool for video frames",
        backend="overread",
        ours=True,
    ),
    "clouds_on_overread": BrokenJob(
        swapped("VideoObjectTracking", "3DPointCloudObjectTracking", SEQUENCE),
        "task_type",
        "the review portal has no tool for 3D point cloud",
        backend="overread",
        ours=True,
    ),
    "sequence_with_template": BrokenJob(
        more("template: pages/loans.html", SEQUENCE), "template", "has no meaning with task type"
    ),
    "sequence_without_categories": BrokenJob(
        swapped("category_file: pages/sequence.json\n", "", SEQUENCE), "category_file", "is required"
    ),
    "sequence_with_other_categories": BrokenJob(
        swapped("sequence.json", "other.json", SEQUENCE), "category_file", "is no label category document"
    ),
    "sequence_workers": BrokenJob(
        swapped("{workers: 1}", "{workers: 2}", SEQUENCE), "redundancy", "must say 1 worker"
    ),
    "category_file_of_images": BrokenJob(
        more("category_file: pages/sequence.json"), "category_file", "has no meaning with task type"
    ),
    "reference_attribute": BrokenJob(
        swapped("attribute: digit", "attribute: digit-ref"), "label_attribute", "must not end in -ref"
    ),
    "audited_of_labels": BrokenJob(more("audited_attribute: a"), "audited_attribute", "has no meaning"),
    "audited_missing": BrokenJob(
        swapped("ImageMultiClass", "VerificationBoundingBox"), "audited_attribute", "is required"
    ),
    "one_category": BrokenJob(swapped(", {label: two}", ""), "categories", "too few", "at least 2"),
    "category_twice": BrokenJob(
        swapped("label: two", "label: one"), "categories[1].label", "is given twice", at="categories:"
    ),
    "no_template": BrokenJob(
        swapped("template: pages/image-classification/template.html\n", ""), "template", "is required"
    ),
    "no_instructions": BrokenJob(
        swapped("template: pages/image-classification/template.html\n", "").replace(
            "ImageMultiClass", "NamedEntityRecognition"
        ),
        "instructions",
        "is required with Amazon's page",
    ),
    "amazons_function_for_custom": BrokenJob(
        more("consolidation: amazon").replace("ImageMultiClass", "custom"), "consolidation", "has none"
    ),
    "template_of_no_library": BrokenJob(
        more("pre_annotation: overread").replace(
            "pages/image-classification/template.html", "pages/loans.html"
        ),
        "template",
        "pages is no template of the library",
    ),
    "time_too_long": BrokenJob(
        more("time_limits: {task_s: 28801}"), "time_limits.task_s", "is too long", "at most 28800"
    ),
    "adaptive_below_workers": BrokenJob(
        more("redundancy: {workers: 5, adaptive: {most: 5, confidence: 0.9}}"),
        "redundancy.adaptive.most",
        "is not above workers",
        "from 6 to 9",
    ),
    "streaming_on_overread": BrokenJob(
        more("streaming: {input_topic_arn: 'arn:aws:sns:eu-central-1:111122223333:in'}"),
        "streaming",
        "needs the backend ground-truth",
        backend="overread",
        ours=True,
    ),
    "streaming_with_budget": BrokenJob(
        more(
            "streaming: {input_topic_arn: 'arn:aws:sns:eu-central-1:111122223333:in'}\nbudget: {objects: 5}"
        ),
        "budget",
        "has no meaning for a streaming job",
    ),
    "streaming_active": BrokenJob(
        more(f"streaming: {{input_topic_arn: 'arn:aws:sns:eu-central-1:111122223333:in'}}\n{ACTIVE}"),
        "mode",
        "streaming has no end",
    ),
    "amazons_algorithm_on_overread": BrokenJob(
        more("mode: active\nactive: {algorithm: amazon}"),
        "active.algorithm",
        "is Ground Truth's",
        backend="overread",
        ours=True,
    ),
    "amazons_algorithm_of_entities": BrokenJob(
        more("mode: active\nactive: {algorithm: amazon}").replace("ImageMultiClass", "BoundingBox_"),
        "task_type",
        "is not one of the words",
    ),
    "amazons_algorithm_unknown": BrokenJob(
        more("mode: active\nactive: {algorithm: amazon}").replace("MultiClass", "MultiClassMultiLabel"),
        "active.algorithm",
        "does not know ImageMultiClassMultiLabel",
    ),
    "model_of_boxes": BrokenJob(
        more(ACTIVE).replace("ImageMultiClass", "BoundingBox"), "mode", "one category an object"
    ),
    "team_unknown": BrokenJob(swapped("team: readers", "team: others"), "team", "is no team of this"),
    "team_missing": BrokenJob(swapped("team: readers\n", ""), "team", "is required"),
    "workteam_on_overread": BrokenJob(
        more("workteam_arn: arn:aws:sagemaker:eu-central-1:111122223333:workteam/private-crowd/a"),
        "workteam_arn",
        "has no meaning with backend overread",
        backend="overread",
        ours=True,
    ),
    "team_of_the_service": BrokenJob(JOB, "team", "the teams are the review service's", ours=True),
    "public_personal": BrokenJob(
        more("price_usd: 0.012").replace("free-of-personal-data", "personal"),
        "team",
        "is public, and the data of the job is personal",
        public=True,
    ),
    "public_without_price": BrokenJob(
        more("time_limits: {availability_s: 600}"), "price_usd", "is required with a public team", public=True
    ),
    "public_for_days": BrokenJob(
        more("price_usd: 0.012\ntime_limits: {availability_s: 43201}"),
        "time_limits.availability_s",
        "is too long for a public team",
        public=True,
    ),
    "price_of_private": BrokenJob(more("price_usd: 0.012"), "price_usd", "has no meaning without a public"),
    "human_with_model": BrokenJob(more(f"{IMAGE}}}"), "model", "has no meaning with mode human"),
    "active_without_model": BrokenJob(more("mode: active"), "model", "is required with mode active"),
    "automated_without_archive": BrokenJob(
        more(ACTIVE.replace("active", "automated")), "model.archive", "is required", at="model:"
    ),
    "gold_accuracy_without_gold": BrokenJob(
        more("quality: {min_gold_accuracy: 0.9}"), "quality.min_gold_accuracy", "has no meaning without gold"
    ),
    "after_nothing": BrokenJob(more("after: letters"), "after", "is no other job"),
    "started_with_a_model": BrokenJob(more(f"{ACTIVE}\nstart: at-deployment"), "start", "is not enough for"),
    "started_with_quality": BrokenJob(
        more("quality: {min_agreement: 0.5}\nstart: at-deployment"), "start", "quality"
    ),
}
