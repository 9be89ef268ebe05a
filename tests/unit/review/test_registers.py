"""Small records under conditional writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overread_review.service.errors import StoreUnavailableError
from overread_review.service.model import QueueState
from overread_review.service.ports import StoredRecord
from overread_review.service.registers import queues_register
from overread_testing.review_fakes import FakeStore


def test_a_change_is_applied_again_to_what_others_wrote_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    register = queues_register(store)
    register.save(QueueState("arn", paused_by="first"))
    replace_record, others = FakeStore.replace_record, ["second"]

    def interfering(self: FakeStore, record: StoredRecord) -> StoredRecord:
        if others:
            found = register.find("arn")
            assert found is not None
            text = record.text.replace('"first!"', f'"{others.pop()}"')
            replace_record(self, replace(record, text=text, version=found.version))
        return replace_record(self, record)

    monkeypatch.setattr(FakeStore, "replace_record", interfering)
    changed = register.change(
        QueueState("arn"), by=lambda newest: replace(newest, paused_by=f"{newest.paused_by}!")
    )
    assert changed.paused_by == "second!"
    assert register.find("arn") == changed


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    register = queues_register(FakeStore())
    first = register.change(QueueState("arn"), by=lambda newest: newest)
    assert first.version == 1
    assert register.change(QueueState("arn"), by=lambda newest: newest) == first


def test_a_record_that_never_comes_to_rest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    register = queues_register(store)
    first = register.save(QueueState("arn"))
    second = register.save(replace(first, paused=True))
    monkeypatch.setattr(register, "find", lambda _key: replace(second, version=first.version))
    with pytest.raises(StoreUnavailableError, match="queue arn is being changed; try again"):
        register.change(QueueState("arn"), by=lambda newest: replace(newest, paused=False))
