"""How an application tests both of Overread's answers in its own CI: decided at once, and by people.

A sandbox lets the test answer the review itself, so nothing waits for a person. Copy it, put your own cases
and use case in, and run it with pytest against a deployment with `review.sandbox: true`, or against the local
stack (`overread local up --sandbox`). Needs the packages overread and boto3, and in the environment:
OVERREAD_API_URL, OVERREAD_REVIEW_URL, AWS credentials and region.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
import pytest

from overread_client import ApiError, Decision, Decisions, ReviewSandbox

Found = TypeVar("Found")
USE_CASE = "loan-approval"
PATIENCE_S = 30.0

# A case of which the model is sure, and one that a rule sends to people whatever the model says.
SURE: dict[str, Any] = {
    "amount": 1544,
    "duration_months": 4,
    "purpose": "radio or television",
    "installment_rate": "25 to 35 %",
    "checking_account": "no checking account",
    "savings": "under 100 DM",
    "credit_history": "critical account, or other credits elsewhere",
    "existing_credits": "4 or 5",
    "other_installment_plans": "none",
    "other_debtors": "none",
    "employment": "4 to 7 years",
    "job": "unskilled resident",
    "property": "real estate",
    "housing": "owned",
    "residence": "under 1 year",
    "dependents": 2,
    "telephone": "none",
}
LARGE: dict[str, Any] = {**SURE, "amount": 15_000}


@pytest.fixture(scope="module")
def api() -> Decisions:
    return Decisions(os.environ["OVERREAD_API_URL"], session=boto3.Session())


@pytest.fixture(scope="module")
def sandbox() -> ReviewSandbox:
    return ReviewSandbox(os.environ["OVERREAD_REVIEW_URL"])


def test_a_sure_case_is_decided_at_once(api: Decisions) -> None:
    # Spot checks send a few sure cases to people as well: in five tries, one comes back decided.
    decisions = (api.decide(USE_CASE, SURE, idempotency_key=new_key()) for _ in range(5))
    decision = next(decision for decision in decisions if decision.is_final)
    assert decision.label == "approve"
    assert decision.document["outcome"]["source"] == "model"


def test_a_large_loan_is_decided_by_people(api: Decisions, sandbox: ReviewSandbox) -> None:
    key = new_key()
    pending = api.decide(USE_CASE, LARGE, idempotency_key=key)
    assert not pending.is_final
    assert {"code": "rule"} in pending.document["route"]["reasons"]

    answer(sandbox, pending, {"decision": {"label": "decline"}, "reason_code": "repayment-capacity"})

    decision = soon(lambda: api.get(pending.decision_id), lambda decision: decision.is_final)
    assert decision.label == "decline"
    assert decision.document["outcome"]["source"] == "human"
    # The same key is the same decision, however often it is sent.
    assert api.decide(USE_CASE, LARGE, idempotency_key=key).document == decision.document


def test_what_people_cannot_decide_is_escalated(api: Decisions, sandbox: ReviewSandbox) -> None:
    pending = api.decide(USE_CASE, LARGE, idempotency_key=new_key())
    answer(sandbox, pending, {"overread": {"cannot_decide": True, "reason": "no proof of income"}})
    decision = soon(lambda: api.get(pending.decision_id), lambda decision: decision.state != "IN_REVIEW")
    assert decision.state == "ESCALATED"
    assert decision.label is None


def new_key() -> str:
    """A key of this run's own: an old key would give an old decision."""
    return f"ci-{uuid.uuid4()}"


def answer(sandbox: ReviewSandbox, pending: Decision, content: dict[str, Any]) -> None:
    """Answers as soon as the review has been opened, which takes a moment after the decision's 202."""

    def answered() -> bool:
        try:
            return sandbox.answer_decision(pending.decision_id, content) == "Completed"
        except ApiError as error:
            if error.status != 404:
                raise
            return False

    soon(answered, bool)


def soon(look: Callable[[], Found], enough: Callable[[Found], bool]) -> Found:
    """What `look` gives once it is `enough`."""
    until = time.monotonic() + PATIENCE_S
    while not enough(found := look()):
        assert time.monotonic() < until, f"not within {PATIENCE_S:.0f} s: {found}"
        time.sleep(0.1)
    return found
