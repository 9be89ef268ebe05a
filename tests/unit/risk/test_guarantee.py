"""The threshold guarantee's document: read whole, refused with every fault, named by what it says."""

import json
import subprocess
import sys
from typing import Any

import pytest

from overread.errors import InvalidGuaranteeError
from overread.risk.guarantee import ReferenceStandard, parse_guarantee

GOOD: dict[str, Any] = {
    "schema": 1,
    "use_case": "loan-approval",
    "model_version": "sha256:0011",
    "method": "fixed-sequence-binomial",
    "alpha": 0.01,
    "delta": 0.05,
    "threshold": 0.93,
    "label_thresholds": {"approve": 0.95},
    "coverage": 0.72,
    "n": 1440,
    "errors": 5,
    "points": 2000,
    "data_sha256": "a" * 64,
    "reference": {
        "standard": "two-blind-readers",
        "error": {"estimate": 0.02, "upper": 0.04, "points": 300},
    },
    "date": "2026-11-23",
}


def _with(**changes: Any) -> str:
    return json.dumps(GOOD | changes)


def test_a_guarantee_is_what_its_document_says() -> None:
    guarantee = parse_guarantee(_with())
    assert guarantee.document() == GOOD
    assert guarantee.threshold_for("approve") == 0.95
    assert guarantee.threshold_for("decline") == 0.93
    assert guarantee.reference.standard is ReferenceStandard.TWO_BLIND_READERS


def test_its_id_changes_with_every_member_and_not_with_their_order() -> None:
    ids = {parse_guarantee(_with()).id}
    assert parse_guarantee(json.dumps(dict(reversed(GOOD.items())))).id in ids
    others = {
        "use_case": "other",
        "alpha": 0.02,
        "threshold": 0.94,
        "date": "2026-11-24",
        "data_sha256": "b" * 64,
        "reference": {"standard": "one-reader", "error": None},
    }
    for name, value in others.items():
        ids.add(parse_guarantee(_with(**{name: value})).id)
    assert len(ids) == 1 + len(others)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "schema must be one of 1, got 2"),
        ({"alpha": 0}, "alpha must be a number between 0 and 1, got 0"),
        ({"delta": 1}, "delta must be a number between 0 and 1, got 1"),
        ({"threshold": 1.2}, "threshold must be a number in [0, 1], got 1.2"),
        ({"threshold": "0.9"}, "threshold must be a number in [0, 1], got '0.9'"),
        ({"label_thresholds": {"approve": 2}}, "label_thresholds.approve must be a number in [0, 1], got 2"),
        ({"label_thresholds": []}, "label_thresholds must be an object, got []"),
        ({"n": 2001, "coverage": 1}, "n must be at most the 2000 points, got 2001"),
        ({"errors": -1}, "errors must be a whole number of at least 0, got -1"),
        ({"errors": 15}, "errors must be less than the share 0.01 of 1440 points, got 15"),
        ({"coverage": 0.9}, "coverage must be n / points, got 0.9"),
        ({"data_sha256": "A" * 64}, "data_sha256 must be a text of 1 to 64 characters matching"),
        ({"reference": {"standard": "somebody"}}, "reference.standard must be one of one-reader, two-blind"),
        (
            {"reference": {"standard": "one-reader", "error": {"estimate": 0.2, "upper": 0.1, "points": 9}}},
            "reference.error.upper must be at least the estimate, got 0.1",
        ),
        ({"date": "2026-13-01"}, "date must be a day such as 2026-11-23, got '2026-13-01'"),
        ({"more": 1}, "more is unknown"),
    ],
)
def test_a_fault_is_named_with_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidGuaranteeError) as refused:
        parse_guarantee(_with(**changes))
    assert any(fault.startswith(said) for fault in refused.value.faults), refused.value.faults


@pytest.mark.parametrize("member", sorted(set(GOOD) - {"label_thresholds"}))
def test_a_missing_member_is_named(member: str) -> None:
    with pytest.raises(InvalidGuaranteeError, match=f"{member} is missing"):
        parse_guarantee(json.dumps({name: value for name, value in GOOD.items() if name != member}))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": NaN}', '{"schema": 1, "schema": 1}'])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(InvalidGuaranteeError):
        parse_guarantee(text)


def test_it_is_read_where_there_is_no_numpy() -> None:
    code = "import sys; sys.modules['numpy'] = None; import overread.risk.guarantee"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
