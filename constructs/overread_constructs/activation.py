"""When Textract or Rekognition start a human loop by themselves: typed conditions, rendered to A2I's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from overread.review import limits

Number = int | float | Decimal
_COMPARISONS = (
    ("equals", "Equals"),
    ("less_than", "LessThan"),
    ("less_than_equals", "LessThanEquals"),
    ("greater_than", "GreaterThan"),
    ("greater_than_equals", "GreaterThanEquals"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Comparisons with a confidence of 0 to 100; all must hold. A range is an `AllOf` of two conditions."""

    equals: Number | None = None
    less_than: Number | None = None
    less_than_equals: Number | None = None
    greater_than: Number | None = None
    greater_than_equals: Number | None = None

    def parameters(self, *, prefix: str) -> dict[str, object]:
        """The flat parameters, such as `{"WordBlockConfidenceLessThan": 80}` for the prefix `WordBlock`."""
        given = ((getattr(self, name), suffix) for name, suffix in _COMPARISONS)
        return {
            f"{prefix}Confidence{suffix}": _json_number(value) for value, suffix in given if value is not None
        }

    def faults(self, *, where: str) -> Iterator[str]:
        """What is wrong with it, `where` in front."""
        given = [(name, getattr(self, name)) for name, _ in _COMPARISONS if getattr(self, name) is not None]
        if not given:
            yield f"{where} must compare the confidence with at least one number, got none"
        for name, value in given:
            if not 0 <= value <= 100:
                yield f"{where}.{name} must be 0 to 100, got {value!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormKeyConfidence:
    """Textract: the pair of an important key, or the words of its value, were read with such confidence.

    `key` may be "*". Given both, the pair's block and each of its word blocks must compare so.
    """

    key: str
    aliases: tuple[str, ...] = ()
    key_value_block: Confidence | None = None
    word_block: Confidence | None = None
    condition_type: ClassVar[str] = "ImportantFormKeyConfidenceCheck"

    def parameters(self) -> dict[str, object]:
        """`ConditionParameters`."""
        blocks = ((self.key_value_block, "KeyValueBlock"), (self.word_block, "WordBlock"))
        compared = [block.parameters(prefix=prefix) for block, prefix in blocks if block]
        return _key_parameters(self.key, aliases=self.aliases) | {
            k: v for one in compared for k, v in one.items()
        }

    def faults(self, *, where: str) -> Iterator[str]:
        """What is wrong with it, `where` in front."""
        if not self.key:
            yield f"{where}.key must name a key of the form or be '*', got ''"
        if self.key_value_block is None and self.word_block is None:
            yield f"{where} must have key_value_block or word_block, got neither"
        if self.key_value_block:
            yield from self.key_value_block.faults(where=f"{where}.key_value_block")
        if self.word_block:
            yield from self.word_block.faults(where=f"{where}.word_block")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormKeyMissing:
    """Textract: neither the important key nor an alias of it was found."""

    key: str
    aliases: tuple[str, ...] = ()
    condition_type: ClassVar[str] = "MissingImportantFormKey"

    def parameters(self) -> dict[str, object]:
        """`ConditionParameters`."""
        return _key_parameters(self.key, aliases=self.aliases)

    def faults(self, *, where: str) -> Iterator[str]:
        """What is wrong with it, `where` in front."""
        if not self.key:
            yield f"{where}.key must name a key of the form, got ''"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationLabelConfidence:
    """Rekognition: a moderation label, exact in case, or any ("*"), was found with such confidence."""

    label: str
    confidence: Confidence
    condition_type: ClassVar[str] = "ModerationLabelConfidenceCheck"

    def parameters(self) -> dict[str, object]:
        """`ConditionParameters`."""
        return {"ModerationLabelName": self.label} | self.confidence.parameters(prefix="")

    def faults(self, *, where: str) -> Iterator[str]:
        """What is wrong with it, `where` in front."""
        if not self.label:
            yield f"{where}.label must name a moderation label or be '*', got ''"
        yield from self.confidence.faults(where=f"{where}.confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSample:
    """A share of the requests in percent. AWS decides by the request, so repeating one decides the same."""

    percentage: Number
    condition_type: ClassVar[str] = "Sampling"

    def parameters(self) -> dict[str, object]:
        """`ConditionParameters`."""
        return {"RandomSamplingPercentage": _json_number(self.percentage)}

    def faults(self, *, where: str) -> Iterator[str]:
        """What is wrong with it, `where` in front."""
        smallest, largest = limits.SAMPLING_PERCENTAGE_MINIMUM, limits.SAMPLING_PERCENTAGE_MAXIMUM
        if not float(smallest) <= float(self.percentage) <= float(largest):
            yield f"{where}.percentage must be {smallest} to {largest}, got {self.percentage!r}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of two or more conditions holds."""

    conditions: tuple[Condition, ...]
    member: ClassVar[str] = "Or"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each of two or more conditions holds."""

    conditions: tuple[Condition, ...]
    member: ClassVar[str] = "And"


TextractCheck = FormKeyConfidence | FormKeyMissing
Check = TextractCheck | ModerationLabelConfidence | RandomSample
Condition = Check | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class _Activation:
    """`conditions` are independent: any that holds starts a loop; none given, every request starts one."""

    conditions: tuple[Condition, ...] = field(default=())
    request_source: ClassVar[limits.RequestSource]
    priced_as: ClassVar[limits.PricedTask]
    checks: ClassVar[tuple[type, ...]]

    def render(self) -> str:
        """The value of `HumanLoopActivationConditions`."""
        tree = {"Conditions": [_tree(condition) for condition in self.conditions]}
        return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))

    def faults(self) -> list[str]:
        """Every fault of the conditions, each with its place."""
        faults = [
            fault
            for number, condition in enumerate(self.conditions)
            for fault in self._faults(condition, where=f"activation.conditions[{number}]", depth=1)
        ]
        if not faults and not limits.ACTIVATION_CONDITIONS.allows(text := self.render()):
            most = limits.ACTIVATION_CONDITIONS.maximum
            faults.append(f"activation must render to at most {most:,} characters, got {len(text):,}")
        return faults

    def _faults(self, condition: Condition, *, where: str, depth: int) -> Iterator[str]:
        if isinstance(condition, (AnyOf, AllOf)):
            name = type(condition).__name__
            if len(condition.conditions) < 2:
                yield f"{where}: {name} must join at least 2 conditions, got {len(condition.conditions)}"
            if depth > 2:
                yield f"{where}: AnyOf and AllOf must nest at most 2 levels deep, got {name} at level {depth}"
                return
            for number, inner in enumerate(condition.conditions):
                yield from self._faults(inner, where=f"{where}.{name}[{number}]", depth=depth + 1)
        elif not isinstance(condition, self.checks):
            allowed = ", ".join(check.__name__ for check in self.checks)
            yield f"{where} must be one of {allowed}, got {type(condition).__name__}"
        else:
            yield from condition.faults(where=where)


@dataclass(frozen=True, slots=True)
class TextractActivation(_Activation):
    """When `AnalyzeDocument` with FORMS starts a loop.

    Example::

        TextractActivation((
            AnyOf((
                FormKeyConfidence(key="Total", key_value_block=Confidence(less_than=85)),
                FormKeyMissing(key="Total", aliases=("Amount due",)),
            )),
            RandomSample(percentage=5),
        ))
    """

    request_source: ClassVar[limits.RequestSource] = limits.RequestSource.TEXTRACT
    priced_as: ClassVar[limits.PricedTask] = limits.PricedTask.TEXTRACT
    checks: ClassVar[tuple[type, ...]] = (FormKeyConfidence, FormKeyMissing, RandomSample)


@dataclass(frozen=True, slots=True)
class RekognitionActivation(_Activation):
    """When `DetectModerationLabels` on an image starts a loop.

    Example::

        RekognitionActivation((
            AllOf((
                ModerationLabelConfidence(label="Violence", confidence=Confidence(greater_than_equals=50)),
                ModerationLabelConfidence(label="Violence", confidence=Confidence(less_than=90)),
            )),
        ))
    """

    request_source: ClassVar[limits.RequestSource] = limits.RequestSource.REKOGNITION
    priced_as: ClassVar[limits.PricedTask] = limits.PricedTask.REKOGNITION
    checks: ClassVar[tuple[type, ...]] = (ModerationLabelConfidence, RandomSample)


Activation = TextractActivation | RekognitionActivation


def _tree(condition: Condition) -> dict[str, object]:
    if isinstance(condition, (AnyOf, AllOf)):
        return {condition.member: [_tree(inner) for inner in condition.conditions]}
    return {"ConditionType": condition.condition_type, "ConditionParameters": condition.parameters()}


def _key_parameters(key: str, *, aliases: tuple[str, ...]) -> dict[str, object]:
    return {"ImportantFormKey": key} | ({"ImportantFormKeyAliases": list(aliases)} if aliases else {})


def _json_number(value: Number) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
