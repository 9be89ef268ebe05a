"""The routing policy of a use case: its document, read and checked, every expression in it compiled once."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from overread.document_faults import Faults, Section
from overread.errors import InvalidPolicyError
from overread.strict_json import canonical_json, parse_json

USE_CASE_NAME = r"[a-z0-9](-*[a-z0-9])*"
_RULE_NAME = r"[a-z0-9](-*[a-z0-9])*"
_FLOW_DEFINITION_ARN = (
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:flow-definition/[a-z0-9](-*[a-z0-9]){0,62}"
)
GUARANTEE_ID = r"g-[a-z2-7]{26}"
_ENDPOINT_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
_EXPRESSION_LENGTH = 1024
_STATEMENT_LENGTH = 1000
_NAMES_BYTES = 100_000
"""Labels and withheld names stand in every record, and a record has its largest size (DynamoDB: 400 KB)."""


class Mode(StrEnum):
    """What the router does with a case that people should decide."""

    LIVE = "live"
    SHADOW = "shadow"


class Source(StrEnum):
    """Where predictions come from."""

    ENDPOINT = "sagemaker-endpoint"
    CALLER = "caller"


class MergePolicy(StrEnum):
    """How several people's answers to one human loop become one."""

    UNANIMOUS = "unanimous"
    MAJORITY = "majority"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Rule:
    """A business rule: where `when` holds, people decide."""

    name: str
    when: Any


@dataclass(frozen=True, slots=True)
class PolicyGuarantee:
    """The threshold guarantee that the thresholds of a policy stand on; `id` names its document."""

    id: str
    alpha: float
    delta: float
    threshold: float
    label_thresholds: Mapping[str, float]
    coverage: float
    model_version: str
    reference: str

    def document(self) -> dict[str, Any]:
        """As the policy states it."""
        return {**asdict(self), "label_thresholds": dict(self.label_thresholds)}

    @property
    def sha256(self) -> str:
        """A hash that its every word is in: the id alone names a document that the policy may misquote."""
        return hashlib.sha256(canonical_json(self.document())).hexdigest()


@dataclass(frozen=True, slots=True)
class MonitorTerms:
    """What the error monitor of a use case alarms at: more than the share `alpha` of what the model decides
    alone is wrong, with a chance of at most `delta` that it alarms although that is not so.

    `outcomes`: what turned out to be true counts too, where it is told of every case or of a random sample.
    """

    alpha: float
    delta: float
    outcomes: bool


@dataclass(frozen=True, slots=True)
class ReviewTerms:
    """Everything that a review and the reading of its answers depend on; pinned in each decision.

    `label_path`, `reason_code_path` and `cannot_decide_path` are JMESPath over the answer's content; the last
    two may be empty. `withheld` names the input's fields that reach neither the model nor a worker's page.
    `queue` is the team that reads, `max_open` how many human loops it has open at most (None: any number).
    `authority_path` and `conflict_path` are JMESPath over `{"input": …}`: what a reader's authority must
    reach, and what none may be biased about. `statement` is what readers sign. `monitor`: spot checks, and
    with `monitor_outcomes` truths that are learnt later, are told to the error monitor.
    """

    flow_definition_arn: str
    task_ui_sha256: str
    backend: str
    labels: tuple[str, ...]
    withheld: tuple[str, ...]
    label_path: str
    reason_code_path: str
    cannot_decide_path: str
    blind: bool
    show_prediction_to_caller: bool
    free_of_personal_data: bool
    max_generations: int
    queue: str = ""
    max_open: int | None = None
    two_person: bool = False
    second_flow_definition_arn: str = ""
    escalation_flow_definition_arn: str = ""
    merge: MergePolicy = MergePolicy.UNANIMOUS
    requires_roster: bool = False
    authority_path: str = ""
    conflict_path: str = ""
    statement: str = ""
    reason_code_required: bool = False
    webhook: bool = False
    feedback: bool = False
    monitor: bool = False
    monitor_outcomes: bool = False


@dataclass(frozen=True, slots=True)
class UseCasePolicy:
    """How one use case is decided. `label` and `confidence` are compiled; None when callers predict.

    Of the spot checks, the share `spot_check_two_reader_share` is read by two people. Cases that are not
    urgent are refused while `max_waiting` others wait for people. `subject_path` finds in `{"input": …}` whom
    the case is about; empty: each case is about somebody else.
    """

    use_case: str
    version: str
    mode: Mode
    source: Source
    endpoint_name: str
    label: Any
    confidence: Any
    model_name: str
    model_version: str
    threshold: float
    label_thresholds: Mapping[str, float]
    always_review: bool
    rules: tuple[Rule, ...]
    spot_check_probability: float
    review: ReviewTerms
    spot_check_two_reader_share: float = 0.0
    max_waiting: int | None = None
    subject_path: str = ""
    guarantee: PolicyGuarantee | None = None
    monitor: MonitorTerms | None = None

    def threshold_for(self, label: str) -> float:
        """The confidence that `label` needs; a label's own threshold beats the general one."""
        return self.label_thresholds.get(label, self.threshold)

    def may_be_automatic(self, label: str) -> bool:
        """Whether any confidence is enough for `label`.

        A guarantee label by label says 1 for labels that its data did not have: nothing is known of them,
        and a model that is always fully confident would pass that.
        """
        is_by_label = self.guarantee is not None and bool(self.label_thresholds) and self.threshold >= 1.0
        return not is_by_label or label in self.label_thresholds


def parse_policy(text: str | bytes) -> UseCasePolicy:
    """The policy in a routing policy document.

    Raises:
        InvalidPolicyError: the document has faults; all are listed and nothing of it may be used.
    """
    try:
        document = parse_json(text)
    except ValueError as error:
        raise InvalidPolicyError([f"not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise InvalidPolicyError(["the document must be an object"])
    faults = Faults()
    policy = _read(document, faults)
    if faults.found:
        raise InvalidPolicyError(faults.found)
    return policy


def _read(document: dict[str, Any], faults: Faults) -> UseCasePolicy:
    top = faults.section(
        document,
        "",
        required=("schema", "use_case", "version", "prediction", "labels", "routing", "review", "data"),
        optional=("mode", "input", "delivery", "monitor"),
    )
    top.choice("schema", (1,))
    prediction = _prediction(document, faults)
    labels = top.texts("labels", minimum=1, maximum=1000, length=128)
    routing = faults.section(
        document.get("routing"),
        "routing",
        required=("threshold",),
        optional=(
            "label_thresholds",
            "always_review",
            "rules",
            "spot_check_probability",
            "spot_check_two_reader_share",
            "guarantee",
        ),
    )
    monitor = _monitor(document.get("monitor"), faults)
    review, max_waiting = _review(document, faults, labels=labels, monitor=monitor)
    policy = UseCasePolicy(
        use_case=top.text("use_case", pattern=USE_CASE_NAME, length=30),
        version=top.text("version", length=64),
        mode=Mode(top.choice("mode", tuple(Mode), default=Mode.LIVE)),
        **prediction,
        threshold=routing.fraction("threshold"),
        label_thresholds=routing.fractions("label_thresholds", allowed=labels),
        always_review=routing.flag("always_review"),
        rules=_rules(routing.get("rules", []), faults),
        spot_check_probability=routing.fraction("spot_check_probability", default=0.0),
        review=review,
        spot_check_two_reader_share=routing.fraction("spot_check_two_reader_share", default=0.0),
        max_waiting=max_waiting,
        subject_path=_subject_path(document, faults),
        guarantee=_guarantee(routing.get("guarantee"), faults, labels=labels),
        monitor=monitor,
    )
    _check_guarantee(policy, faults)
    return policy


def _guarantee(stated: Any, faults: Faults, *, labels: tuple[str, ...]) -> PolicyGuarantee | None:
    if stated is None:
        return None
    members = ("id", "alpha", "delta", "threshold", "coverage", "model_version", "reference")
    section = faults.section(stated, "routing.guarantee", required=members, optional=("label_thresholds",))
    return PolicyGuarantee(
        id=section.text("id", pattern=GUARANTEE_ID, length=28),
        alpha=section.open_fraction("alpha"),
        delta=section.open_fraction("delta"),
        threshold=section.fraction("threshold"),
        label_thresholds=section.fractions("label_thresholds", allowed=labels),
        coverage=section.fraction("coverage"),
        model_version=section.text("model_version", length=256),
        reference=section.text("reference", pattern="[a-z-]+", length=64),
    )


def _check_guarantee(policy: UseCasePolicy, faults: Faults) -> None:
    """A policy may send more to people than its guarantee asks for, never less."""
    guarantee = policy.guarantee
    if guarantee is None:
        return
    if policy.source is Source.ENDPOINT and policy.model_version != guarantee.model_version:
        faults.add(
            "prediction.model_version", f"the guarantee's {guarantee.model_version}", policy.model_version
        )
    if policy.threshold < guarantee.threshold:
        faults.add("routing.threshold", f"at least the guarantee's {guarantee.threshold:g}", policy.threshold)
    for label in sorted({*policy.label_thresholds, *guarantee.label_thresholds}):
        lowest = guarantee.label_thresholds.get(label, guarantee.threshold)
        if policy.threshold_for(label) < lowest:
            path = f"routing.label_thresholds.{label}"
            faults.add(path, f"at least the guarantee's {lowest:g}", policy.threshold_for(label))


def _monitor(stated: Any, faults: Faults) -> MonitorTerms | None:
    if stated is None:
        return None
    section = faults.section(stated, "monitor", required=("alpha", "delta"), optional=("outcomes",))
    return MonitorTerms(
        alpha=section.open_fraction("alpha"),
        delta=section.open_fraction("delta"),
        outcomes=section.flag("outcomes"),
    )


def _subject_path(document: dict[str, Any], faults: Faults) -> str:
    stated = document.get("data")
    path = stated.get("subject") if isinstance(stated, dict) else None
    if path is None:
        return ""
    _compiled(path, "data.subject", faults)
    return str(path)


def _prediction(document: dict[str, Any], faults: Faults) -> dict[str, Any]:
    stated = document.get("prediction")
    is_endpoint = isinstance(stated, dict) and stated.get("source") == Source.ENDPOINT
    of_endpoint = ("endpoint_name", "label", "confidence", "model_name", "model_version")
    section = faults.section(
        stated,
        "prediction",
        required=("source", *(of_endpoint if is_endpoint else ())),
    )
    source = Source(section.choice("source", tuple(Source), default=Source.CALLER))
    if source is Source.CALLER:
        return {
            "source": source,
            "endpoint_name": "",
            "label": None,
            "confidence": None,
            "model_name": "",
            "model_version": "",
        }
    return {
        "source": source,
        "endpoint_name": section.text("endpoint_name", pattern=_ENDPOINT_NAME),
        "label": _compiled(section.get("label"), "prediction.label", faults),
        "confidence": _compiled(section.get("confidence"), "prediction.confidence", faults),
        "model_name": section.text("model_name", length=256),
        "model_version": section.text("model_version", length=256),
    }


def _rules(stated: Any, faults: Faults) -> tuple[Rule, ...]:
    if not isinstance(stated, list) or len(stated) > 100:
        faults.add("routing.rules", "a list of at most 100 rules", stated)
        return ()
    rules: list[Rule] = []
    for index, rule in enumerate(stated):
        path = f"routing.rules[{index}]"
        section = faults.section(rule, path, required=("name", "when"))
        name = section.text("name", pattern=_RULE_NAME, length=63)
        if name in {known.name for known in rules}:
            faults.add(f"{path}.name", "a name that no other rule has", name)
        rules.append(Rule(name=name, when=_compiled(section.get("when"), f"{path}.when", faults)))
    return tuple(rules)


def _review(
    document: dict[str, Any], faults: Faults, *, labels: tuple[str, ...], monitor: MonitorTerms | None
) -> tuple[ReviewTerms, int | None]:
    """The terms of reviews, and how many cases may wait for people."""
    section = faults.section(
        document.get("review"),
        "review",
        required=("flow_definition_arn", "answer"),
        optional=(
            "task_ui_sha256",
            "backend",
            "blind",
            "show_prediction_to_caller",
            "max_generations",
            "public_workforce",
            "queue",
            "two_person",
            "second_flow_definition_arn",
            "escalation_flow_definition_arn",
            "merge",
            "requires_roster",
            "authority",
            "conflict_key",
            "statement",
            "reason_code_required",
        ),
    )
    answer = faults.section(
        section.get("answer"),
        "review.answer",
        required=("label",),
        optional=("reason_code", "cannot_decide"),
    )
    for name in ("label", "reason_code", "cannot_decide"):
        if answer.get(name) is not None:
            _compiled(answer.get(name), f"review.answer.{name}", faults)
    for name in ("authority", "conflict_key"):
        if section.get(name) is not None:
            _compiled(section.get(name), f"review.{name}", faults)
    queue, max_waiting = _queue(section.get("queue"), faults)
    delivery = faults.section(document.get("delivery", {}), "delivery", optional=("webhook", "feedback"))
    shown = faults.section(document.get("input", {}), "input", optional=("withheld",))
    withheld = shown.texts("withheld", maximum=1000, length=256)
    names_bytes = sum(len(name.encode()) for name in (*labels, *withheld))
    if names_bytes > _NAMES_BYTES:
        faults.add("labels and input.withheld", f"at most {_NAMES_BYTES} bytes together", names_bytes)
    data = faults.section(document.get("data"), "data", required=("class",), optional=("subject",))
    free_of_personal_data = (
        data.choice("class", ("personal", "free-of-personal-data"), default="personal")
        == "free-of-personal-data"
    )
    if section.flag("public_workforce") and not free_of_personal_data:
        faults.add("review.public_workforce", "false while data.class is personal", True)
    _check_who_may_decide(section, answer, faults)
    terms = ReviewTerms(
        flow_definition_arn=section.text("flow_definition_arn", pattern=_FLOW_DEFINITION_ARN, length=1024),
        task_ui_sha256=section.text("task_ui_sha256", length=71, default=""),
        backend=section.choice("backend", ("a2i", "overread"), default="a2i"),
        labels=labels,
        withheld=withheld,
        label_path=answer.text("label", length=_EXPRESSION_LENGTH),
        reason_code_path=answer.text("reason_code", length=_EXPRESSION_LENGTH, default=""),
        cannot_decide_path=answer.text("cannot_decide", length=_EXPRESSION_LENGTH, default=""),
        blind=section.flag("blind"),
        show_prediction_to_caller=section.flag("show_prediction_to_caller"),
        free_of_personal_data=free_of_personal_data,
        max_generations=section.count("max_generations", minimum=1, maximum=20, default=3),
        **queue,
        two_person=section.flag("two_person"),
        second_flow_definition_arn=_arn(section, "second_flow_definition_arn"),
        escalation_flow_definition_arn=_arn(section, "escalation_flow_definition_arn"),
        merge=MergePolicy(section.choice("merge", tuple(MergePolicy), default=MergePolicy.UNANIMOUS)),
        requires_roster=section.flag("requires_roster"),
        authority_path=section.text("authority", length=_EXPRESSION_LENGTH, default=""),
        conflict_path=section.text("conflict_key", length=_EXPRESSION_LENGTH, default=""),
        statement=section.text("statement", length=_STATEMENT_LENGTH, default=""),
        reason_code_required=section.flag("reason_code_required"),
        webhook=delivery.flag("webhook"),
        feedback=delivery.flag("feedback"),
        monitor=monitor is not None,
        monitor_outcomes=monitor is not None and monitor.outcomes,
    )
    return terms, max_waiting


def _check_who_may_decide(section: Section, answer: Section, faults: Faults) -> None:
    """What would leave every answer unusable, and what nobody would ever look at."""
    if section.flag("reason_code_required") and answer.get("reason_code") is None:
        faults.add("review.reason_code_required", "false while review.answer.reason_code is missing", True)
    if section.flag("requires_roster"):
        if section.flag("public_workforce"):
            faults.add(
                "review.requires_roster", "false for a public workforce, whose people have no names", True
            )
        return
    for name in ("authority", "conflict_key"):
        if section.get(name) is not None:
            faults.add(f"review.{name}", "left out while review.requires_roster is false", section.get(name))


def _arn(section: Section, name: str) -> str:
    if section.get(name) is None:
        return ""
    return section.text(name, pattern=_FLOW_DEFINITION_ARN, length=1024)


def _queue(stated: Any, faults: Faults) -> tuple[dict[str, Any], int | None]:
    """The members of the terms that tell of the team's queue, and how many cases may wait for it."""
    if stated is None:
        return {}, None
    section = faults.section(stated, "review.queue", required=("name",), optional=("max_open", "max_waiting"))
    name = section.text("name", pattern=_RULE_NAME, length=63)
    most = {
        member: section.count(member, minimum=1, maximum=1_000_000, default=1)
        if section.get(member) is not None
        else None
        for member in ("max_open", "max_waiting")
    }
    return {"queue": name, "max_open": most["max_open"]}, most["max_waiting"]


def _compiled(expression: Any, path: str, faults: Faults) -> Any:
    if not isinstance(expression, str) or not 1 <= len(expression) <= _EXPRESSION_LENGTH:
        faults.add(path, f"a JMESPath expression of 1 to {_EXPRESSION_LENGTH} characters", expression)
        return None
    try:
        return jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        faults.add(path, f"a JMESPath expression ({' '.join(str(error).split())[:200]})", expression)
        return None
