"""The settings of one use case: prediction, routing, review, data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from overread.review import limits
from overread.risk.guarantee import ThresholdGuarantee
from overread_config.forms import NAME, NAME_FORM, limited
from overread_config.guarantee_file import GuaranteeFile
from overread_config.kinds import (
    Choice,
    ExistingFile,
    Expression,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Number,
    OpenFraction,
    Price,
    Text,
)
from overread_config.sections import Section, setting

_KEY = Text(longest=128)
_LABEL = Text(longest=128)
_REPLY = "the endpoint's JSON reply"
_ANSWER = "the answer's content"
_CASE = "`{input: …}`"


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """Where the predictions of a use case come from."""

    source: str = field(
        metadata=setting(
            Choice(("sagemaker-endpoint", "caller")),
            "`sagemaker-endpoint`: the model below, deployed by this app. `caller`: each request carries "
            "label, confidence, model and version.",
        )
    )
    model: Path | None = field(
        metadata=setting(
            ExistingFile(hint=" (the examples' models are trained by `make setup`)"),
            "The model archive (`.tar.gz` in SageMaker's layout). Endpoint only, required there.",
            default=None,
        )
    )
    label: str = field(
        metadata=setting(
            Expression(_REPLY), "Where the endpoint's reply has the label. Endpoint only.", default="label"
        )
    )
    confidence: str = field(
        metadata=setting(
            Expression(_REPLY),
            "Where the endpoint's reply has the confidence in [0, 1]. Endpoint only.",
            default="confidence",
        )
    )
    instance_type: str = field(
        metadata=setting(
            Text(pattern=r"ml\.[a-z0-9-]+\.[a-z0-9]+", form="such as ml.m5.large", longest=64),
            "Instance type of the endpoint. Endpoint only.",
            default="ml.m5.large",
        )
    )
    instance_count: int = field(
        metadata=setting(Integer(1, 100), "Instances that always run. Endpoint only.", default=1)
    )
    max_instance_count: int = field(
        metadata=setting(
            Integer(1, 100),
            "Instances that scaling may reach, at least `instance_count`. Endpoint only.",
            default=1,
        )
    )


@dataclass(frozen=True, slots=True)
class InputSettings:
    """What of a request's input is held back."""

    withheld: tuple[str, ...] = field(
        metadata=setting(
            ListOf(_KEY, most=1000),
            "Top-level fields of the input that reach neither the model, the rules nor the reviewer's page. "
            "They are stored with the input.",
            default=(),
        )
    )


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """A business rule: where it holds, people decide."""

    name: str = field(
        metadata=setting(
            Text(pattern=NAME, form=NAME_FORM, longest=63),
            "Name of the rule; the decision's reasons carry it.",
        )
    )
    when: str = field(
        metadata=setting(
            Expression("`{input: …, prediction: {label, confidence}}`"),
            "People decide where this is true. It sees the input without the withheld fields.",
        )
    )


@dataclass(frozen=True, slots=True)
class EnvelopeSettings:
    """What a routing policy may be, whoever changes it."""

    lowest_threshold: float = field(
        metadata=setting(Number(0, 1), "No threshold may be below this confidence.")
    )
    highest_alpha: float = field(
        metadata=setting(Number(0, 1), "The share of wrong automatic decisions that a guarantee may allow.")
    )
    highest_delta: float = field(
        metadata=setting(Number(0, 1), "The chance of being wrong that a guarantee may have.")
    )


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """Which predictions people see."""

    threshold: float | None = field(
        metadata=setting(
            Number(0, 1),
            "Predictions below this confidence go to people. Either this or `guarantee`.",
            default=None,
        )
    )
    guarantee: ThresholdGuarantee | None = field(
        metadata=setting(
            GuaranteeFile(),
            "The threshold guarantee whose thresholds are used: for this use case and model, within "
            "`envelope`, with spot checks, and rolled out `linear`. It goes out once it is approved "
            "(`overread guarantee propose`), so a new deployment begins with `threshold`.",
            default=None,
        )
    )
    envelope: EnvelopeSettings | None = field(
        metadata=setting(
            Section(EnvelopeSettings),
            "What a routing policy may be: AppConfig refuses others before they go out. Required with "
            "`guarantee`.",
            default=None,
        )
    )
    label_thresholds: Mapping[str, float] = field(
        metadata=setting(
            MapOf(_LABEL, Number(0, 1)),
            "Thresholds of single labels; each beats `threshold`. With `guarantee` none may be below the "
            "guarantee's.",
            default={},
        )
    )
    always_review: bool = field(metadata=setting(Flag(), "Every case goes to people.", default=False))
    rules: tuple[RuleSettings, ...] = field(
        metadata=setting(
            ListOf(Section(RuleSettings)), "Business rules that send cases to people.", default=()
        )
    )
    spot_check_probability: float = field(
        metadata=setting(
            Number(0, 1),
            "Share of otherwise automatic cases that people check, drawn by a keyed hash. They do not see "
            "what the model said.",
            default=0.0,
        )
    )
    spot_check_two_reader_share: float = field(
        metadata=setting(
            Number(0, 1), "Share of the spot checks that two people read, each for themselves.", default=0.0
        )
    )


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """When the error monitor turns a use case to people."""

    alpha: float | None = field(
        metadata=setting(
            OpenFraction(),
            "The share of automatic decisions that may be wrong; by default the guarantee's. Required "
            "without one.",
            default=None,
        )
    )
    delta: float | None = field(
        metadata=setting(
            OpenFraction(),
            "The chance that it ever alarms although no more than that are wrong; by default the "
            "guarantee's. Required without one.",
            default=None,
        )
    )
    outcomes: bool = field(
        metadata=setting(
            Flag(),
            "What callers tell to be true counts like a spot check. Only where they tell it of every case, "
            "or of a random sample.",
            default=False,
        )
    )


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How much there is to decide, for the check that people suffice."""

    cases_per_hour: float = field(metadata=setting(Number(0.001, 1e9), "Cases in an hour, all of them."))
    review_seconds: float = field(metadata=setting(Number(1, 604_800), "What one review takes a person."))


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Where a reviewer's answer has what the decision needs."""

    label: str = field(
        metadata=setting(Expression(_ANSWER), "Where the answer has the label.", default="decision.label")
    )
    reason_code: str | None = field(
        metadata=setting(
            Expression(_ANSWER), "Where the answer has the reason code, if it has one.", default=None
        )
    )
    cannot_decide: str | None = field(
        metadata=setting(
            Expression(_ANSWER), "True when the reviewer says that they cannot decide.", default=None
        )
    )


@dataclass(frozen=True, slots=True)
class UseCaseReviewSettings:
    """How people review the cases of a use case."""

    team: str = field(metadata=setting(Text(longest=30), "Name of the team in `teams` that reviews."))
    second_team: str | None = field(
        metadata=setting(
            Text(longest=30),
            "Team of the second reader under the two-person rule; by default the same. With `two_person` "
            "only.",
            default=None,
        )
    )
    escalation_team: str | None = field(
        metadata=setting(
            Text(longest=30),
            "Team that decides what the first one could not: nobody was able to decide, readers disagreed, "
            "the deadline passed, or every loop failed. Without one such cases wait.",
            default=None,
        )
    )
    two_person: bool = field(
        metadata=setting(
            Flag(),
            "Two people decide each case, in a loop of their own each; a third where they disagree. "
            "Escalated cases too, so the escalation team needs three people.",
            default=False,
        )
    )
    merge: str = field(
        metadata=setting(
            Choice(("unanimous", "majority", "first")),
            "How the answers of one loop become one, where `task_count` is more than 1.",
            default="unanimous",
        )
    )
    requires_roster: bool = field(
        metadata=setting(
            Flag(),
            "Only people on the roster may decide: trained, within their authority, without a conflict of "
            "interest. `overread roster put` puts one in force.",
            default=False,
        )
    )
    authority: str | None = field(
        metadata=setting(
            Expression(_CASE),
            "The amount that a reviewer's authority must reach. With `requires_roster` only.",
            default=None,
        )
    )
    conflict_key: str | None = field(
        metadata=setting(
            Expression(_CASE),
            "Whom or what the case is about; who has it among their conflicts may not decide. With "
            "`requires_roster` only.",
            default=None,
        )
    )
    statement: str | None = field(
        metadata=setting(
            Text(longest=1000),
            "What reviewers sign with their answer; the page shows it.",
            default=None,
        )
    )
    reason_code_required: bool = field(
        metadata=setting(
            Flag(),
            "An answer without a reason code does not count. With `answer.reason_code` only.",
            default=False,
        )
    )
    template: Path = field(
        metadata=setting(ExistingFile(), "The worker template (Liquid and Crowd HTML). Synthesis lints it.")
    )
    title: str = field(
        metadata=setting(limited(limits.TASK_TITLE), "Title of a task in the reviewers' list.")
    )
    description: str = field(
        metadata=setting(limited(limits.TASK_DESCRIPTION), "What a task asks for, in the reviewers' list.")
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
    task_count: int = field(
        metadata=setting(
            Integer(limits.TASK_COUNT.minimum, limits.TASK_COUNT.maximum),
            "How many reviewers answer one loop. The answers come when all are there.",
            default=1,
        )
    )
    time_limit_s: int = field(
        metadata=setting(
            Integer(limits.TASK_TIME_LIMIT_S.minimum, limits.TASK_TIME_LIMIT_S.maximum),
            "Seconds that a reviewer has for a task once accepted.",
            default=limits.TASK_TIME_LIMIT_DEFAULT_S,
        )
    )
    availability_s: int = field(
        metadata=setting(
            Integer(limits.TASK_AVAILABILITY_S.minimum, limits.TASK_AVAILABILITY_S.maximum),
            "Seconds that a task stays in the reviewers' list; at most 43200 with a public team.",
            default=86_400,
        )
    )
    answer: AnswerSettings = field(
        metadata=setting(Section(AnswerSettings), "Where the answer has what the decision needs.", default={})
    )
    blind: bool = field(
        metadata=setting(Flag(), "Reviewers do not see the model's prediction.", default=False)
    )
    show_prediction_to_caller: bool = field(
        metadata=setting(Flag(), "The caller sees the prediction while people decide.", default=False)
    )
    max_generations: int = field(
        metadata=setting(
            Integer(1, 20), "How many loops one decision may have before it is escalated.", default=3
        )
    )
    on_delete: str = field(
        metadata=setting(
            Choice(("refuse", "drain")),
            "What happens to open loops when a flow definition is deleted: `refuse` keeps it, `drain` stops "
            "loops that nobody has begun.",
            default="refuse",
        )
    )
    guideline_version: str | None = field(
        metadata=setting(
            Text(pattern=r"[\w .:/=+@-]+", form="letters, digits, spaces and _.:/=+-@", longest=64),
            "Version of the guideline that the template gives, on the page and kept with each answer; by "
            "default the template's hash. Backend `overread` only.",
            default=None,
        )
    )
    qualification: str | None = field(
        metadata=setting(
            Text(pattern=NAME, form=NAME_FORM, longest=63),
            "The qualification that reviewers have to show first; `overread review qualification put` stores "
            "its questions. Backend `overread` only.",
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


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What kind of data a use case handles."""

    data_class: str = field(
        metadata=setting(
            Choice(("personal", "free-of-personal-data")),
            "`personal` data never reaches a public team. Say `free-of-personal-data` only when it is.",
            key="class",
        )
    )
    subject: str | None = field(
        metadata=setting(
            Expression(_CASE),
            "Whom a case is about. What is kept of one person can be erased at once; by default each case "
            "is about somebody else.",
            default=None,
        )
    )


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where the news of decisions are posted."""

    url: str = field(
        metadata=setting(
            Text(pattern=r"https?://[^\s/@]+(/\S*)?", form="an http or https address", longest=2000),
            "The receiver. Plain http is for `allowed_networks` only.",
        )
    )
    allowed_networks: tuple[str, ...] = field(
        metadata=setting(
            ListOf(Text(longest=64), most=20),
            "Private networks in which the receiver may be. Elsewhere only public addresses are called.",
            default=(),
        )
    )


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """Who hears of decisions, beside the events."""

    webhook: WebhookSettings | None = field(
        metadata=setting(Section(WebhookSettings), "A receiver of signed posts.", default=None)
    )
    feedback: bool = field(
        metadata=setting(
            Flag(),
            "What people decided, and what turned out to be right, becomes a data set for training.",
            default=False,
        )
    )


@dataclass(frozen=True, slots=True)
class UseCaseSettings:
    """One kind of decision."""

    name: str
    prediction: PredictionSettings = field(
        metadata=setting(Section(PredictionSettings), "Where predictions come from.")
    )
    labels: tuple[str, ...] = field(
        metadata=setting(
            ListOf(_LABEL, fewest=2, most=1000),
            "Every label that a prediction or an answer may have. Any other goes to people.",
        )
    )
    input: InputSettings = field(
        metadata=setting(Section(InputSettings), "What of the input is held back.", default={})
    )
    mode: str = field(
        metadata=setting(
            Choice(("live", "shadow")),
            "`shadow`: the model answers every case, and the route it would have taken is recorded.",
            default="live",
        )
    )
    routing: RoutingSettings = field(
        metadata=setting(Section(RoutingSettings), "Which predictions people see.")
    )
    monitor: MonitorSettings | None = field(
        metadata=setting(
            Section(MonitorSettings),
            "The error monitor: once spot checks show that too many automatic decisions are wrong, people "
            "decide all cases. With `routing.guarantee` always; needs `routing.spot_check_probability`.",
            default=None,
        )
    )
    load: LoadSettings | None = field(
        metadata=setting(
            Section(LoadSettings),
            "With a guarantee and a team of known capacity: AppConfig refuses a policy that gives the team "
            "more than it can read.",
            default=None,
        )
    )
    review: UseCaseReviewSettings = field(
        metadata=setting(Section(UseCaseReviewSettings), "How people review.")
    )
    data: DataSettings = field(metadata=setting(Section(DataSettings), "What kind of data this is."))
    delivery: DeliverySettings = field(
        metadata=setting(Section(DeliverySettings), "Who hears of decisions.", default={})
    )
