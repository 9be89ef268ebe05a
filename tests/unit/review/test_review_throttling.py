"""The store under a DynamoDB that throttles, fails and interferes: calls are repeated, nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from overread_aws.review_store import DynamoReviewStore
from overread_review.service.errors import RecordChangedError, StoreUnavailableError
from overread_testing.review_fakes import ADA, ReviewLab, review_lab


class TroubledClient:
    """A DynamoDB client whose next calls fail with the given codes, before or after they took effect."""

    def __init__(self, client: Any, *, codes: list[str], after: bool = False) -> None:
        self._client = client
        self.codes = codes
        self._after = after
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls[name] += 1
            code = self.codes.pop(0) if self.codes else ""
            if not code:
                return getattr(self._client, name)(**request)
            if self._after:
                getattr(self._client, name)(**request)
            raise client_error(code, operation=name)

        return call


def client_error(code: str, *, operation: str, status: int = 400) -> ClientError:
    """What botocore raises; `A/B` is code A with a cancellation reason B."""
    code, _, reason = code.partition("/")
    response: Any = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": 500 if code == "InternalServerError" else status},
    }
    if reason:
        response["CancellationReasons"] = [{"Code": "None"}, {"Code": reason}]
    return ClientError(response, operation)


@pytest.fixture
def dynamodb(emulator: Any) -> Any:
    client = emulator.client("dynamodb")
    for item in client.scan(TableName="records")["Items"]:
        client.delete_item(TableName="records", Key={"pk": item["pk"], "sk": item["sk"]})
    return client


def make_store(
    client: Any, *, codes: list[str], after: bool = False
) -> tuple[DynamoReviewStore, list[float]]:
    waits: list[float] = []
    troubled = TroubledClient(client, codes=codes, after=after)
    return DynamoReviewStore(troubled, table_name="records", pause=waits.append), waits


def make_loop(lab: ReviewLab) -> Any:
    return replace(lab.start("loop-1"), version=0)


@pytest.fixture
def lab() -> ReviewLab:
    lab = review_lab()
    lab.flow_definition()
    return lab


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflictException",
        "TransactionInProgressException",
        "TransactionCanceledException/ThrottlingError",
        "TransactionCanceledException/ProvisionedThroughputExceeded",
        "TransactionCanceledException/TransactionConflict",
    ],
)
def test_what_may_work_later_is_tried_again(dynamodb: Any, lab: ReviewLab, code: str) -> None:
    store, waits = make_store(dynamodb, codes=[code] * 9)
    stored = store.create_loop(make_loop(lab), open_limit=9)
    assert len(waits) == 9
    assert max(waits) <= 0.64
    assert store.find_loop("loop-1") == stored


def test_a_store_that_is_throttled_for_long_is_unavailable_and_nothing_is_written(
    dynamodb: Any, lab: ReviewLab
) -> None:
    store, waits = make_store(dynamodb, codes=["ThrottlingException"] * 10)
    with pytest.raises(StoreUnavailableError, match="ThrottlingException after 10 attempts"):
        store.create_loop(make_loop(lab), open_limit=9)
    assert len(waits) == 9
    assert store.find_loop("loop-1") is None
    assert store.count_open_loops(lab.loop("loop-1").terms.flow_definition_arn) == 0


def test_what_can_never_work_is_tried_once(dynamodb: Any) -> None:
    store, waits = make_store(dynamodb, codes=["ValidationException"])
    with pytest.raises(ClientError, match="ValidationException"):
        store.find_loop("loop-1")
    assert waits == []


def test_a_condition_that_does_not_hold_is_no_trouble_of_the_store(dynamodb: Any, lab: ReviewLab) -> None:
    store, waits = make_store(dynamodb, codes=[])
    stored = store.create_loop(make_loop(lab), open_limit=9)
    store.replace_loop(stored, before=stored)
    with pytest.raises(RecordChangedError):
        store.replace_loop(stored, before=stored)
    assert waits == []


def test_a_start_that_took_effect_without_a_word_counts_once(dynamodb: Any, lab: ReviewLab) -> None:
    store, _ = make_store(dynamodb, codes=["InternalServerError"], after=True)
    loop = make_loop(lab)
    stored = store.create_loop(loop, open_limit=9)
    assert store.find_loop("loop-1") == stored
    assert store.count_open_loops(loop.terms.flow_definition_arn) == 1


def test_an_answer_survives_a_throttled_store_and_is_written_once(dynamodb: Any) -> None:
    client = TroubledClient(dynamodb, codes=[])
    waits: list[float] = []
    store = DynamoReviewStore(client, table_name="records", pause=waits.append)
    lab = review_lab(store=store)
    lab.flow_definition(TaskCount=2)
    lab.start("loop-1")
    lab.service.tasks.claim("loop-1", reviewer=ADA)
    client.codes = ["ThrottlingException"] * 25
    refusals = 0
    while refusals < 5:
        try:
            lab.service.tasks.answer("loop-1", reviewer=ADA, content={"a": 1})
        except StoreUnavailableError:
            refusals += 1
            continue
        break
    assert (refusals, len(waits)) == (2, 9 + 9 + 5)
    (answer,) = lab.loop("loop-1").answers
    assert lab.documents.get(answer.content_key) == b'{"a":1}'
    assert len(store.history(ADA.key, limit=9).entries) == 1
