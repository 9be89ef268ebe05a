"""Faults of guarantees, of what may be, of error monitors, and of how much there is to read."""

from __future__ import annotations

from tests.unit.config.broken import LOANS, Broken, routing, use_case
from tests.unit.config.conftest import changed

_ROUTING = f"{LOANS}.routing"
_ENVELOPE = "{lowest_threshold: 0.9, highest_alpha: 0.02, highest_delta: 0.05}"
_LINEAR = "policy_rollout: linear\n"


def guaranteed(
    name: str = "loans", *, envelope: str = _ENVELOPE, more: str = "", spot_checks: str = "0.05"
) -> str:
    """VALID with a guarantee in place of the threshold, and all that it needs."""
    lines = f"guarantee: guarantees/{name}.json\n      spot_check_probability: {spot_checks}"
    lines += f"\n      envelope: {envelope}" if envelope else ""
    lines += f"\n      {more}" if more else ""
    return changed("threshold: 0.9", lines) + _LINEAR


def monitored(terms: str) -> str:
    """VALID with spot checks and an error monitor."""
    return routing("spot_check_probability: 0.05").replace(
        "    labels: [approve", f"    monitor: {terms}\n    labels: [approve"
    )


def loaded(terms: str) -> str:
    """A guarantee for a team whose capacity is known."""
    text = guaranteed().replace("groups: [readers]", "groups: [readers]\n    capacity: {reviewers: 4}")
    return text.replace("    labels: [approve", f"    load: {terms}\n    labels: [approve")


GUARANTEES: dict[str, Broken] = {
    "guarantee": Broken(
        guaranteed("none"), "guarantees/none", f"{_ROUTING}.guarantee", "none.json", "an existing file"
    ),
    "guarantee_faulty": Broken(
        guaranteed("faulty"),
        "guarantees/faulty",
        f"{_ROUTING}.guarantee",
        "faulty.json",
        "overread threshold certify",
        "errors",
    ),
    "guarantee_and_threshold": Broken(
        guaranteed(more="threshold: 0.95"),
        "threshold: 0.95",
        f"{_ROUTING}.threshold",
        "0.95",
        "either threshold or guarantee",
        "contradicts",
    ),
    "guarantee_of_another_use_case": Broken(
        guaranteed("cards"), "guarantees/cards", f"{_ROUTING}.guarantee", "cards", "loans", "another use case"
    ),
    "guarantee_of_another_model": Broken(
        guaranteed("other-model"),
        "guarantees/other-model",
        f"{_ROUTING}.guarantee",
        "sha256:0123456789ab",
        "sha256:d6051828bcfb",
        "another model",
    ),
    "guarantee_of_another_label": Broken(
        guaranteed("other-label"),
        "guarantees/other-label",
        f"{_ROUTING}.guarantee",
        "'refer'",
        "`approve`, `decline`",
        "no label",
    ),
    "guarantee_undercut": Broken(
        guaranteed(more="label_thresholds: {decline: 0.95}"),
        "decline: 0.95",
        f"{_ROUTING}.label_thresholds",
        "0.95",
        "[0.97, 1]",
        "below the guarantee's 0.97 for decline",
    ),
    "guarantee_undercut_elsewhere": Broken(
        guaranteed(more="label_thresholds: {approve: 0.92}"),
        "approve: 0.92",
        f"{_ROUTING}.label_thresholds",
        "0.92",
        "[0.93, 1]",
        "below the guarantee's 0.93 for approve",
    ),
    "guarantee_without_spot_checks": Broken(
        guaranteed(spot_checks="0"),
        "spot_check_probability",
        f"{_ROUTING}.spot_check_probability",
        "0",
        "above 0",
        "without anything to see",
    ),
    "guarantee_at_once": Broken(
        guaranteed().replace("linear", "all-at-once"),
        "policy_rollout",
        "policy_rollout",
        "'all-at-once'",
        "`linear`",
        "before its error monitor",
    ),
    "envelope": Broken(
        guaranteed(envelope="0.9"), "envelope", f"{_ROUTING}.envelope", "0.9", "`highest_alpha`"
    ),
    "envelope_missing": Broken(
        guaranteed(envelope=""), "routing:", f"{_ROUTING}.envelope", "nothing", "highest_alpha", "is required"
    ),
    "envelope_lowest_threshold": Broken(
        guaranteed(envelope=_ENVELOPE.replace("0.9,", "9,")),
        "envelope",
        f"{_ROUTING}.envelope.lowest_threshold",
        "9",
        "[0, 1]",
    ),
    "envelope_highest_alpha": Broken(
        guaranteed(envelope=_ENVELOPE.replace("0.02", "2%")),
        "envelope",
        f"{_ROUTING}.envelope.highest_alpha",
        "2%",
        "[0, 1]",
    ),
    "envelope_highest_delta": Broken(
        guaranteed(envelope=_ENVELOPE.replace("0.05", "-1")),
        "envelope",
        f"{_ROUTING}.envelope.highest_delta",
        "-1",
        "[0, 1]",
    ),
    "outside_with_threshold": Broken(
        routing(f"envelope: {_ENVELOPE.replace('0.9', '0.95')}"),
        "threshold: 0.9",
        f"{_ROUTING}.threshold",
        "0.9",
        "[0.95, 1]",
        "outside the envelope",
    ),
    "outside_with_label_threshold": Broken(
        routing(f"envelope: {_ENVELOPE}\n      label_thresholds: {{decline: 0.5}}"),
        "decline: 0.5",
        f"{_ROUTING}.label_thresholds",
        "0.5",
        "[0.9, 1]",
        "threshold of decline",
    ),
    "outside_with_guarantees_threshold": Broken(
        guaranteed(envelope=_ENVELOPE.replace("0.9,", "0.95,")),
        "guarantees/loans",
        f"{_ROUTING}.guarantee",
        "0.93",
        "[0.95, 1]",
        "threshold",
    ),
    "outside_with_alpha": Broken(
        guaranteed("lax", envelope=_ENVELOPE.replace("0.05", "0.3")),
        "guarantees/lax",
        f"{_ROUTING}.guarantee",
        "0.2",
        "at most 0.02",
        "alpha",
    ),
    "outside_with_delta": Broken(
        guaranteed("lax", envelope=_ENVELOPE.replace("0.02", "0.2")),
        "guarantees/lax",
        f"{_ROUTING}.guarantee",
        "0.3",
        "at most 0.05",
        "delta",
    ),
    "monitor": Broken(monitored("true"), "monitor", f"{LOANS}.monitor", "true", "`alpha`"),
    "monitor_alpha": Broken(
        monitored("{alpha: 0, delta: 0.05}"), "monitor", f"{LOANS}.monitor.alpha", "0", "above 0 and below 1"
    ),
    "monitor_alpha_missing": Broken(
        monitored("{delta: 0.05}"), "monitor", f"{LOANS}.monitor.alpha", "nothing", "above 0", "is required"
    ),
    "monitor_delta": Broken(
        monitored("{alpha: 0.02, delta: x}"), "monitor", f"{LOANS}.monitor.delta", "'x'", "below 1"
    ),
    "monitor_delta_missing": Broken(
        monitored("{alpha: 0.02}"), "monitor", f"{LOANS}.monitor.delta", "nothing", "below 1", "is required"
    ),
    "monitor_outcomes": Broken(
        monitored("{alpha: 0.02, delta: 0.05, outcomes: all}"),
        "monitor",
        f"{LOANS}.monitor.outcomes",
        "'all'",
        "true",
    ),
    "monitor_without_spot_checks": Broken(
        use_case("monitor: {alpha: 0.02, delta: 0.05}"),
        "routing:",
        f"{_ROUTING}.spot_check_probability",
        "0",
        "above 0",
        "without anything to see",
    ),
    "load": Broken(loaded("much"), "load", f"{LOANS}.load", "'much'", "`cases_per_hour`"),
    "load_cases": Broken(
        loaded("{cases_per_hour: 0, review_seconds: 60}"),
        "load",
        f"{LOANS}.load.cases_per_hour",
        "0",
        "[0.001",
    ),
    "load_seconds": Broken(
        loaded("{cases_per_hour: 9, review_seconds: 0}"), "load", f"{LOANS}.load.review_seconds", "0", "[1,"
    ),
    "load_without_guarantee": Broken(
        use_case("load: {cases_per_hour: 9, review_seconds: 60}"),
        "load",
        f"{LOANS}.load",
        "a section",
        "leave it out",
        "without routing.guarantee",
    ),
    "load_without_capacity": Broken(
        loaded("{cases_per_hour: 9, review_seconds: 60}").replace("    capacity: {reviewers: 4}\n", ""),
        "load",
        f"{LOANS}.load",
        "a section",
        "leave it out",
        "capacity",
    ),
}
