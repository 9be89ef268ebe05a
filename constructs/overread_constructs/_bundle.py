"""What a Lambda zip holds: importable packages and locked requirements, hashed by their inputs alone."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from overread.errors import OverreadError

BUNDLER_VERSION = "2"
"""Raise it when the same inputs give other bytes, or nobody will upload them."""

PYTHON_VERSION = "3.14"
PLATFORM = "manylinux_2_28_aarch64"
OLDER_PLATFORMS = ("manylinux_2_17_aarch64", "manylinux2014_aarch64")
BUNDLE_PYTHON = "OVERREAD_BUNDLE_PYTHON"
"""Environment variable: the interpreter that runs the functions, where that is not Lambda's own."""

_ABOUT_ITSELF = "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), end='')"
_NEVER = ("__pycache__/*", "*/__pycache__/*", "*.pyc", "*.pyo", "py.typed", "*/py.typed")


class BundleError(OverreadError):
    """A package cannot be found, or its requirements cannot be installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the zip runs: what tells it from elsewhere, and whose pip installs for it with what options."""

    identity: tuple[str, ...]
    python: str
    options: tuple[str, ...] = ()

    @classmethod
    def chosen(cls, environ: Mapping[str, str]) -> Target:
        """Lambda's Python on arm64, or the interpreter that OVERREAD_BUNDLE_PYTHON names.

        Raises:
            BundleError: that interpreter does not run.
        """
        local = environ.get(BUNDLE_PYTHON, "")
        return cls._interpreter(local) if local else cls._lambda()

    @classmethod
    def _lambda(cls) -> Target:
        platforms = [option for name in (PLATFORM, *OLDER_PLATFORMS) for option in ("--platform", name)]
        return cls(
            identity=(PYTHON_VERSION, PLATFORM),
            python=sys.executable,
            options=("--implementation", "cp", "--python-version", PYTHON_VERSION, *platforms),
        )

    @classmethod
    def _interpreter(cls, python: str) -> Target:
        # By what it is, not by where it lies: two machines with the same interpreter make the same zip.
        command = [python, "-I", "-c", _ABOUT_ITSELF]
        try:
            run = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            raise BundleError(f"{BUNDLE_PYTHON} must name a Python interpreter, got {python!r}") from error
        return cls(identity=tuple(run.stdout.split()), python=python)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Packages by name and folder, the lock file of what they need, what to leave out, and for where."""

    packages: tuple[tuple[str, Path], ...]
    requirements: Path | None
    exclude: tuple[str, ...]
    target: Target

    @classmethod
    def of(cls, *, packages: Sequence[str], requirements: Path | None, exclude: Sequence[str]) -> Bundle:
        """Find the packages as the interpreter would, without importing them.

        Raises:
            BundleError: with every package that is missing or is no top-level package with an `__init__.py`;
                or the interpreter to bundle for does not run.
        """
        faults = []
        found = []
        for name in sorted(set(packages)):
            folder = _folder(name)
            if folder is None:
                faults.append(f"packages must name installed top-level packages, got {name!r}")
            else:
                found.append((name, folder))
        if not packages:
            faults.append("packages must name at least one package, got none")
        if requirements is not None and not requirements.is_file():
            faults.append(
                f"requirements must be a lock file, got {str(requirements)!r}, which does not exist"
            )
        if faults:
            raise BundleError("PythonCode: " + "; ".join(faults))
        return cls(
            packages=tuple(found),
            requirements=requirements,
            exclude=tuple(sorted(set(exclude))),
            target=Target.chosen(os.environ),
        )

    def files(self) -> Iterator[tuple[str, Path]]:
        """Name in the zip and path on disk of every file of the packages, sorted by name."""
        for name, folder in self.packages:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                inside = f"{name}/{path.relative_to(folder).as_posix()}"
                if not self._leaves_out(inside):
                    yield inside, path

    def digest(self) -> str:
        """SHA-256 over the sorted names and bytes, the lock file, the target and the bundler's version."""
        digest = hashlib.sha256()
        for part in (BUNDLER_VERSION, *self.target.identity, *self.exclude):
            _feed(digest, part.encode())
        _feed(digest, self.requirements.read_bytes() if self.requirements else b"")
        for inside, path in self.files():
            _feed(digest, inside.encode())
            _feed(digest, path.read_bytes())
        return digest.hexdigest()

    def write(self, into: Path) -> None:
        """Fill the folder `into`.

        Raises:
            BundleError: when pip is missing or fails; with what it said.
        """
        if self.requirements is not None:
            _install(self.requirements, into=into, target=self.target)
            self._prune(into)
        for inside, path in self.files():
            target = into / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)

    def _prune(self, folder: Path) -> None:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif self._leaves_out(path.relative_to(folder).as_posix()):
                path.unlink()

    def _leaves_out(self, inside: str) -> bool:
        return any(fnmatch.fnmatchcase(inside, pattern) for pattern in (*_NEVER, *self.exclude))


def _feed(digest: hashlib._Hash, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)


def _folder(name: str) -> Path | None:
    if not name.isidentifier():
        return None
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not spec.submodule_search_locations:
        return None
    return Path(spec.origin).parent


def _install(requirements: Path, *, into: Path, target: Target) -> None:
    probe = subprocess.run([target.python, "-m", "pip", "--version"], check=False, capture_output=True)  # noqa: S603
    if probe.returncode != 0:
        raise BundleError(f"PythonCode: {target.python} has no pip; run `{target.python} -m ensurepip`")
    command = [target.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-compile", "--no-deps", "--require-hashes", "--only-binary=:all:", *target.options]
    command += ["--target", str(into), "--requirement", str(requirements)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if run.returncode != 0:
        raise BundleError(f"PythonCode: pip could not install {requirements}: {run.stderr.strip()}")
    # Console scripts start with this machine's interpreter, and nothing in a Lambda calls them.
    shutil.rmtree(into / "bin", ignore_errors=True)
