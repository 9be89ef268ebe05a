"""A synthesised deployment made of a few resources, and an account that answers what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly, Stack
from overread_cli.preflight.checks import UnreadError


class PlantedAccount(Account):
    """Answers by service and operation: an exception is raised, a function called, the rest refused."""

    def __init__(self, answers: Mapping[tuple[str, str], Any]) -> None:
        super().__init__(lambda service, region=None: None)
        self.answers = dict(answers)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def ask(self, service: str, operation: str, *, region: str | None = None, **parameters: Any) -> Any:
        self.asked.append((service, operation, parameters))
        answer = self.answers.get((service, operation))
        if answer is None:
            raise UnreadError(action=f"{service}:{operation}", reason="not yours", is_refused=True)
        if isinstance(answer, Exception):
            raise answer
        return answer(**parameters) if callable(answer) else answer

    def all(
        self, service: str, operation: str, key: str, *, region: str | None = None, **parameters: Any
    ) -> list[Any]:
        answer = self.ask(service, operation, region=region, **parameters)
        return list(answer[key] if isinstance(answer, dict) else answer)


def failed(action: str, reason: str) -> UnreadError:
    """A call that fails with this reason."""
    return UnreadError(action=action, reason=reason, is_refused=False)


Make = Callable[..., Assembly]


@pytest.fixture
def assembly() -> Make:
    """Makes an assembly of one stack with these resources: (type, properties)."""

    def make(
        *resources: tuple[str, dict[str, Any]],
        minimum_cli: str | None = "2.1148.0",
        destinations: tuple[dict[str, Any], ...] = (),
        environment: str = "aws://111122223333/eu-west-1",
        **properties: Any,
    ) -> Assembly:
        template = {
            "Resources": {
                f"Resource{index}": {"Type": kind, "Properties": values}
                for index, (kind, values) in enumerate(resources)
            }
        }
        stack = Stack("overread-test-data", environment, properties, template)
        return Assembly((stack,), destinations, minimum_cli)

    return make
