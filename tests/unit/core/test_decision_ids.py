"""Ids of decisions and scopes of callers."""

import pytest

from overread.decisions.ids import caller_scope, decision_id, is_decision_id

PARTS = {"environment": "demo", "caller_scope": "1:user/a", "use_case": "loan", "idempotency_key": "k"}


def test_the_same_request_has_the_same_id_and_any_other_another() -> None:
    ids = {decision_id(**{**PARTS, name: "other"}) for name in PARTS} | {decision_id(**PARTS)}
    assert len(ids) == 5
    assert decision_id(**PARTS) in ids
    assert all(map(is_decision_id, ids))


def test_parts_cannot_run_into_each_other() -> None:
    one = decision_id(**{**PARTS, "use_case": "loan", "idempotency_key": "x"})
    other = decision_id(**{**PARTS, "use_case": "loanx", "idempotency_key": ""})
    assert one != other


@pytest.mark.parametrize(
    "text", ["", "d-", "d-" + "a" * 25, "d-" + "A" * 26, "d-" + "1" * 26, "d-" + "a" * 26 + "\n"]
)
def test_what_is_no_decision_id(text: str) -> None:
    assert not is_decision_id(text)


@pytest.mark.parametrize(
    ("arn", "scope"),
    [
        ("arn:aws:sts::111122223333:assumed-role/App/session-1", "111122223333:assumed-role/App"),
        ("arn:aws:sts::111122223333:assumed-role/App/session-2", "111122223333:assumed-role/App"),
        ("arn:aws:iam::111122223333:user/ops/ada", "111122223333:user/ops/ada"),
        ("arn:aws:iam::111122223333:root", "111122223333:root"),
        ("arn:aws-cn:iam::111122223333:user/ada", "111122223333:user/ada"),
        ("", ""),
        ("None", ""),
        ("arn:aws:iam:::", ""),
    ],
)
def test_a_callers_scope_is_account_and_role_without_the_session(arn: str, scope: str) -> None:
    assert caller_scope(arn) == scope
