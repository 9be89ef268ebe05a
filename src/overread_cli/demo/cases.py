"""The demo's cases: held-out records with their truth, and the sending of them to the deployed API."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from overread_client import ApiError, Decision, Decisions


@dataclass(frozen=True)
class Case:
    """One record that needs a decision; `truth` never leaves the demo's own process."""

    use_case: str
    reference: str
    input: Mapping[str, Any]
    truth: str


def load_cases(models: Path, *, use_cases: Sequence[str], each: int) -> tuple[Case, ...]:
    """The first `each` held-out records of every use case.

    Raises:
        click.ClickException: a records file is missing; the message says how to make it.
    """
    return tuple(case for use_case in use_cases for case in _load(models, use_case=use_case, each=each))


def _load(models: Path, *, use_case: str, each: int) -> Iterator[Case]:
    path = models / f"{use_case}.records.jsonl"
    if not path.is_file():
        raise click.ClickException(
            f"{path} is missing: run `make setup`, which trains the models and writes it"
        )
    with path.open() as lines:
        for _, line in zip(range(each), lines, strict=False):
            record = json.loads(line)
            yield Case(
                use_case=use_case,
                reference=record["reference"],
                input=record["input"],
                truth=record["truth"],
            )


def submit_all(
    cases: Sequence[Case], *, api: Decisions, on_reply: Callable[[Case, Decision], None], parallel: int = 4
) -> dict[str, Decision]:
    """Sends every case and gives the first reply by reference.

    Raises:
        click.ClickException: the API refused a case; the message is its problem document's.
    """
    replies: dict[str, Decision] = {}

    def submit(case: Case) -> tuple[Case, Decision]:
        key = f"demo-{case.reference}"
        try:
            decision = api.decide(case.use_case, case.input, idempotency_key=key, reference=case.reference)
        except ApiError as error:
            raise click.ClickException(f"{case.use_case} {case.reference}: {error}") from error
        return case, decision

    with ThreadPoolExecutor(parallel) as pool:
        for case, decision in pool.map(submit, cases):
            replies[case.reference] = decision
            on_reply(case, decision)
    return replies
