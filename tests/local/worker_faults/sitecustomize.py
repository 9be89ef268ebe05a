"""Faults at the AWS calls of Lambda workers; Python imports this at its start where it lies on PYTHONPATH.

No product code knows of it: `Faults.python` makes the interpreter that a local stack runs its functions with,
and everything is told through files of the folder that OVERREAD_FAULTS names.

    recording        while it exists, every call is written to `calls`
    armed/SITE       the kind of fault that the next call at that site has; it moves to `fired` with it
    chance           a share and a seed: any call may have any fault, by chance
    offset_s         how many seconds the functions' clock is ahead

A site is `function:service.Operation#n`: the first such call of one invocation (1), or a later one (2).
"""

import importlib.abc
import importlib.machinery
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(os.environ.get("OVERREAD_FAULTS", "/nonexistent"))
KINDS = ("before", "after", "kill-before", "kill-after", "delay")
DELAY_S = 0.3
_MOST = 2
_counts: Counter[str] = Counter()
_random = random.Random(os.getpid() * 7919 + int(os.environ.get("OVERREAD_FAULTS_SEED", "0")))


def now() -> datetime:
    """The functions' time, as far ahead as the test says."""
    return datetime.now(UTC) + timedelta(seconds=float(_text("offset_s") or 0))


def before_call(model: Any, context: dict[str, Any], **_rest: Any) -> None:
    """A call begins: noted, and perhaps held up, refused or the last thing that this worker does."""
    name = f"{model.service_model.service_name}.{model.name}"
    _counts[name] += 1
    site = f"{_function()}:{name}#{min(_counts[name], _MOST)}"
    context["overread_site"] = site
    if (FOLDER / "recording").exists():
        with (FOLDER / "calls").open("a") as calls:
            calls.write(f"{site}\n")
    context["overread_chance"] = chance = _drawn()
    for kind in ("before", "kill-before", "delay"):
        if chance == kind or _taken(site, kind):
            _do(kind, site)


def after_call(context: dict[str, Any], **_rest: Any) -> None:
    """A call has been served: its reply may be lost, or its worker."""
    site = context.get("overread_site", "")
    for kind in ("after", "kill-after"):
        if context.get("overread_chance") == kind or _taken(site, kind):
            _do(kind, site)


def _do(kind: str, site: str) -> None:
    from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

    if kind.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "delay":
        time.sleep(DELAY_S)
    if kind == "before":
        raise EndpointConnectionError(endpoint_url=f"fault://{site}")
    if kind == "after":
        raise ReadTimeoutError(endpoint_url=f"fault://{site}")


def _taken(site: str, kind: str) -> bool:
    """Whether this call has the fault: whoever renames the file first, once."""
    armed = FOLDER / "armed" / site
    if not armed.exists() or _text(f"armed/{site}") != kind:
        return False
    try:
        armed.rename(FOLDER / "fired" / f"{site}!{kind}")
    except FileNotFoundError:
        return False
    return True


def _drawn() -> str:
    """A kind of fault by chance, none mostly; it is counted before it happens."""
    text = _text("chance")
    if not text or _random.random() >= json.loads(text)["share"]:
        return ""
    kind = _random.choice(KINDS)
    with (FOLDER / "drawn").open("a") as drawn:
        drawn.write(f"{kind}\n")
    return kind


def _function() -> str:
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "?")


def _text(name: str) -> str:
    try:
        return (FOLDER / name).read_text().strip()
    except FileNotFoundError:
        return ""


def _watch_sessions(module: ModuleType) -> None:
    """Every session of botocore's made from now on has the hooks."""
    original = module.Session.__init__

    def begin(session: Any, *arguments: Any, **options: Any) -> None:
        original(session, *arguments, **options)
        session.register("before-call", before_call)
        session.register("after-call", after_call)

    module.Session.__init__ = begin


def _watch_handler(module: ModuleType) -> None:
    """Calls are counted anew with each invocation, and the clock is the test's."""
    if hasattr(module, "_now"):
        vars(module)["_now"] = now
    original: Callable[..., Any] | None = getattr(module, "handler", None)
    if original is None:
        return

    def handler(event: Any, context: Any) -> Any:
        _counts.clear()
        return original(event, context)

    vars(module)["handler"] = handler


class AfterImport(importlib.abc.MetaPathFinder):
    """Changes modules as soon as they have been imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "botocore.session":
            change = _watch_sessions
        elif fullname.startswith("overread_lambda."):
            change = _watch_handler
        else:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def changed(module: ModuleType) -> None:
            execute(module)
            change(module)

        spec.loader.exec_module = changed  # type: ignore[method-assign]
        return spec


if FOLDER.is_dir():
    sys.meta_path.insert(0, AfterImport())
