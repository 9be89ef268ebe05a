"""Every check of a role's permissions that the emulator made, once each."""

import json
from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from threading import Lock
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from overread_local.emulator.condition_keys import role_of

Enforce = Callable[..., Any]


class AccessLog:
    """Which role asked for which action on which resource, under which condition keys, and the answer.

    Only while IAM is on: the emulator checks nothing otherwise. `file` keeps them over a restart.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._roles: dict[str, str] = {}
        self._checks = set(file.read_text().splitlines()) if file.is_file() else set()

    def install(self) -> None:
        """Watches the emulator's evaluator."""
        iam_evaluator.enforce = self._watched(iam_evaluator.enforce)

    def checks(self) -> list[dict[str, Any]]:
        """The checks so far: `role`, `action`, `resource`, `context`, `allowed`, `denied_by` (a Sid)."""
        with self._lock:
            return [json.loads(check) for check in sorted(self._checks)]

    def _watched(self, enforce: Enforce) -> Enforce:
        parameters = signature(enforce)

        def watched(*given: Any, **named: Any) -> Any:
            denied = enforce(*given, **named)
            if not isinstance(denied, iam_evaluator.AuthError):
                self._note(parameters.bind(*given, **named).arguments, denied)
            return denied

        return watched

    def _note(self, asked: Mapping[str, Any], denied: Any) -> None:
        role = self._role_behind(asked["access_key_id"])
        if not role:
            return
        context = asked.get("service_context") or {}
        check = {
            "role": role,
            "action": asked["iam_action"],
            "resource": asked.get("resource_arn", "*"),
            "context": {name: value for name, value in context.items() if value},
            "allowed": denied is None,
            "denied_by": denied.matched_sid if denied else "",
        }
        line = json.dumps(check, sort_keys=True)
        with self._lock:
            if line not in self._checks:
                self._checks.add(line)
                with self._file.open("a") as file:
                    file.write(f"{line}\n")

    def _role_behind(self, key: str) -> str:
        """The ARN of the role whose session has the key, empty for others; kept, as it is dear to find."""
        if key not in self._roles:
            principal = iam_evaluator.resolve_principal(key, get_account_id())
            is_role = not isinstance(principal, iam_evaluator.AuthError) and principal.type == "AssumedRole"
            self._roles[key] = role_of(principal.arn) if is_role else ""
        return self._roles[key]
