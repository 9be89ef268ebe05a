"""Every check of a role's permissions that the emulator made, once each."""

import json
from collections.abc import Callable, Mapping
from inspect import signature
from threading import Lock
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from overread_local.emulator.condition_keys import role_of

Enforce = Callable[..., Any]


class AccessLog:
    """Which role asked for which action on which resource, under which condition keys, and the answer.

    Only while IAM is on: the emulator checks nothing otherwise.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._checks: set[str] = set()

    def install(self) -> None:
        """Watches the emulator's evaluator."""
        iam_evaluator.enforce = self._watched(iam_evaluator.enforce)

    def checks(self) -> list[dict[str, Any]]:
        """The checks so far: `role` (its ARN), `action`, `resource`, `context` and `allowed`."""
        with self._lock:
            return [json.loads(check) for check in sorted(self._checks)]

    def _watched(self, enforce: Enforce) -> Enforce:
        parameters = signature(enforce)

        def watched(*given: Any, **named: Any) -> Any:
            denied = enforce(*given, **named)
            if not isinstance(denied, iam_evaluator.AuthError):
                self._note(parameters.bind(*given, **named).arguments, is_allowed=denied is None)
            return denied

        return watched

    def _note(self, asked: Mapping[str, Any], *, is_allowed: bool) -> None:
        principal = iam_evaluator.resolve_principal(asked["access_key_id"], get_account_id())
        if isinstance(principal, iam_evaluator.AuthError) or principal.type != "AssumedRole":
            return
        context = asked.get("service_context") or {}
        check = {
            "role": role_of(principal.arn),
            "action": asked["iam_action"],
            "resource": asked.get("resource_arn", "*"),
            "context": {name: value for name, value in context.items() if value},
            "allowed": is_allowed,
        }
        with self._lock:
            self._checks.add(json.dumps(check, sort_keys=True))
