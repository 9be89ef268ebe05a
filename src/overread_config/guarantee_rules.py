"""Rules between what is guaranteed, what may be, what watches it, and who reads the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from overread.risk.guarantee import ThresholdGuarantee
from overread_config.breaches import refuse, refuse_given, require
from overread_config.faults import FaultList
from overread_config.guarantee_file import model_version
from overread_config.sections import Branch


def _routings(root: Branch) -> Iterator[tuple[Branch, Branch]]:
    """Use cases with their routing, as far as it could be read."""
    for use_case in root.children("use_cases"):
        routing = use_case.get("routing")
        if isinstance(routing, Branch):
            yield use_case, routing


def _guaranteed(root: Branch) -> Iterator[tuple[Branch, Branch, ThresholdGuarantee]]:
    """Those with a guarantee that could be read."""
    for use_case, routing in _routings(root):
        guarantee = routing.get("guarantee")
        if isinstance(guarantee, ThresholdGuarantee):
            yield use_case, routing, guarantee


def _add(routing: Branch, key: str, *, faults: FaultList, problem: str, value: object, allowed: str) -> None:
    """A fault of what a guarantee's file says, on the line that names the file."""
    faults.add(
        line=routing.line_of(key),
        field=f"{routing.field}.{key}",
        problem=problem,
        value=str(value),
        allowed=allowed,
    )


def _threshold_or_guarantee(root: Branch, faults: FaultList) -> None:
    for _, routing in _routings(root):
        if routing.gives("threshold") and routing.gives("guarantee"):
            refuse(
                routing,
                "threshold",
                faults=faults,
                problem="contradicts guarantee, whose thresholds are used",
                allowed="either threshold or guarantee",
            )
        elif not routing.gives("guarantee"):
            require(
                routing,
                "threshold",
                faults=faults,
                where="without guarantee",
                allowed="a number in [0, 1], or guarantee",
            )


def _whose_guarantee(root: Branch, faults: FaultList) -> None:
    for use_case, routing, guarantee in _guaranteed(root):
        if guarantee.use_case != use_case.name:
            _add(
                routing,
                "guarantee",
                faults=faults,
                problem="is of another use case",
                value=f"one of {guarantee.use_case}",
                allowed=f"a guarantee of {use_case.name}",
            )
        model = use_case.get("prediction.model")
        if model is not None and guarantee.model_version != model_version(model):
            _add(
                routing,
                "guarantee",
                faults=faults,
                problem="is of another model",
                value=f"one of {guarantee.model_version}",
                allowed=f"a guarantee of {model_version(model)}, the model that is deployed",
            )
        labels = use_case.get("labels") or guarantee.label_thresholds
        for label in sorted(set(guarantee.label_thresholds) - set(labels)):
            _add(
                routing,
                "guarantee",
                faults=faults,
                problem="has a threshold of something that is no label of the use case",
                value=repr(label),
                allowed=", ".join(f"`{known}`" for known in labels),
            )


def _not_below_guarantee(root: Branch, faults: FaultList) -> None:
    for _, routing, guarantee in _guaranteed(root):
        for label, stated in _label_thresholds(routing).items():
            lowest = guarantee.threshold_for(label)
            if stated < lowest:
                _add(
                    routing,
                    "label_thresholds",
                    faults=faults,
                    problem=f"is below the guarantee's {lowest:g} for {label}",
                    value=stated,
                    allowed=f"a number in [{lowest:g}, 1]",
                )


def _envelope(root: Branch, faults: FaultList) -> None:
    for _, routing in _routings(root):
        envelope = routing.get("envelope")
        if routing.gives("guarantee"):
            require(
                routing,
                "envelope",
                faults=faults,
                where="with guarantee",
                allowed="lowest_threshold, highest_alpha and highest_delta",
            )
        if not isinstance(envelope, Branch):
            continue
        for key, name, value in _stated(routing):
            lowest = envelope.get("lowest_threshold")
            if lowest is not None and value < lowest:
                _add(
                    routing,
                    key,
                    faults=faults,
                    problem=f"is outside the envelope with its {name}",
                    value=f"{value:g}",
                    allowed=f"thresholds in [{lowest:g}, 1]",
                )
        _promise_in_envelope(routing, envelope, faults=faults)


def _promise_in_envelope(routing: Branch, envelope: Branch, *, faults: FaultList) -> None:
    guarantee = routing.get("guarantee")
    if not isinstance(guarantee, ThresholdGuarantee):
        return
    for name, value in (("alpha", guarantee.alpha), ("delta", guarantee.delta)):
        highest = envelope.get(f"highest_{name}")
        if highest is not None and value > highest:
            _add(
                routing,
                "guarantee",
                faults=faults,
                problem=f"is outside the envelope with its {name}",
                value=f"{value:g}",
                allowed=f"{name} of at most {highest:g}",
            )


def _stated(routing: Branch) -> Iterator[tuple[str, str, float]]:
    """Every threshold: the key that states it, what it is called, and its value."""
    guarantee = routing.get("guarantee")
    if isinstance(guarantee, ThresholdGuarantee):
        yield "guarantee", "threshold", guarantee.threshold
        for label, value in guarantee.label_thresholds.items():
            yield "guarantee", f"threshold of {label}", value
    if routing.get("threshold") is not None:
        yield "threshold", "threshold", routing.get("threshold")
    for label, value in _label_thresholds(routing).items():
        yield "label_thresholds", f"threshold of {label}", value


def _label_thresholds(routing: Branch) -> Mapping[str, float]:
    stated: Mapping[str, float] = routing.get("label_thresholds") or {}
    return stated


def _rollout(root: Branch, faults: FaultList) -> None:
    if any(True for _ in _guaranteed(root)) and root.get("policy_rollout") == "all-at-once":
        refuse(
            root,
            "policy_rollout",
            faults=faults,
            problem="brings a policy with a guarantee out before its error monitor has seen anything of it",
            allowed="`linear`",
        )


def _monitor(root: Branch, faults: FaultList) -> None:
    for use_case, routing in _routings(root):
        monitor = use_case.get("monitor")
        if isinstance(monitor, Branch) and not routing.gives("guarantee"):
            require(
                monitor,
                "alpha",
                "delta",
                faults=faults,
                where="without routing.guarantee",
                allowed="a number above 0 and below 1",
            )
        is_watched = use_case.gives("monitor") or routing.gives("guarantee")
        if is_watched and routing.get("spot_check_probability") == 0:
            refuse(
                routing,
                "spot_check_probability",
                faults=faults,
                problem="leaves the error monitor without anything to see",
                allowed="a number above 0, up to 1",
            )


def _load(root: Branch, faults: FaultList) -> None:
    teams = {team.name: team for team in root.children("teams")}
    for use_case, routing in _routings(root):
        if not routing.gives("guarantee"):
            refuse_given(
                use_case, "load", faults=faults, where="without routing.guarantee, which says how much"
            )
            continue
        team = teams.get(use_case.get("review.team"))
        if team is not None and not team.gives("capacity"):
            where = "without a capacity of the team that reviews"
            refuse_given(use_case, "load", faults=faults, where=where)


GUARANTEE_RULES: tuple[Callable[[Branch, FaultList], None], ...] = (
    _threshold_or_guarantee,
    _whose_guarantee,
    _not_below_guarantee,
    _envelope,
    _rollout,
    _monitor,
    _load,
)
