"""A model archive at work: unpacks model.tar.gz, imports code/inference.py, runs its four functions."""

import importlib.util
import io
import os
import shutil
import sys
import tarfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn")
_IMPORT_LOCK = threading.Lock()


class BrokenArchiveError(Exception):
    """The archive cannot serve; the message says what is wrong with it."""


class ContainerError(Exception):
    """The archive's code raised while answering; the message is its traceback, as a container returns it."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory together with the functions that serve it."""

    folder: Path
    model: Any
    input_fn: Callable[..., Any]
    predict_fn: Callable[..., Any]
    output_fn: Callable[..., Any]

    def answer(self, body: bytes, *, content_type: str, accept: str) -> tuple[bytes, str]:
        """Runs one request through the archive's functions: reply body and content type.

        Raises:
            ContainerError: any of them raised.
        """
        text = body.decode("utf-8") if _is_text(content_type) else body
        reply, error = _outcome(
            lambda: self.output_fn(self.predict_fn(self.input_fn(text, content_type), self.model), accept)
        )
        if error is not None:
            raise ContainerError("".join(traceback.format_exception(error))) from error
        payload, kind = reply if isinstance(reply, tuple) else (reply, accept)
        return payload.encode() if isinstance(payload, str) else bytes(payload), kind

    def discard(self) -> None:
        """Removes the unpacked archive."""
        shutil.rmtree(self.folder, ignore_errors=True)


def load(archive: bytes, *, folder: Path, environment: Mapping[str, str]) -> LoadedModel:
    """Unpacks an archive into `folder`, imports its code and calls its `model_fn`.

    Raises:
        BrokenArchiveError: it is not a gzipped tar, lacks code/inference.py or one of the functions, or its
            code raised.
    """
    folder.mkdir(parents=True)
    try:
        return _load(archive, folder=folder, environment=environment)
    except BrokenArchiveError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _load(archive: bytes, *, folder: Path, environment: Mapping[str, str]) -> LoadedModel:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BrokenArchiveError(f"model.tar.gz cannot be unpacked: {error}") from error
    script = folder / "code" / environment.get("SAGEMAKER_PROGRAM", "inference.py")
    if not script.is_file():
        raise BrokenArchiveError(f"model.tar.gz has no {script.relative_to(folder)}")
    with _IMPORT_LOCK, _imports_from(script.parent), _environment(environment):
        module = _ran(script, lambda: _import(script))
        missing = [name for name in FUNCTIONS if not callable(getattr(module, name, None))]
        if missing:
            raise BrokenArchiveError(f"{script.name} does not define {', '.join(missing)}")
        model = _ran(script, lambda: module.model_fn(str(folder)))
    return LoadedModel(
        folder=folder,
        model=model,
        input_fn=module.input_fn,
        predict_fn=module.predict_fn,
        output_fn=module.output_fn,
    )


def _ran(script: Path, work: Callable[[], Any]) -> Any:
    result, error = _outcome(work)
    if error is not None:
        raise BrokenArchiveError(f"{script.name} raised {type(error).__name__}: {error}") from error
    return result


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Runs foreign code, which may raise anything at all, and gives its result or what it raised."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(work)
        error = future.exception()
        return (None, error) if error is not None else (future.result(), None)


def _import(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("inference", script)
    if spec is None or spec.loader is None:
        raise BrokenArchiveError(f"{script.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _imports_from(folder: Path) -> Iterator[None]:
    """Lets an archive import its own modules, and keeps them from the next archive."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and Path(origin).is_relative_to(folder):
                del sys.modules[name]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """A container's environment variables, present while its code is imported and its model read."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _is_text(content_type: str) -> bool:
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    return kind.startswith("text/") or kind in {"application/json", "application/jsonlines"}
