"""Assets build from a folder of wheels, without any index: what a network without internet has."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from overread_constructs._bundle import Bundle, BundleError

NAME = "overread_tiny"


def wheel(folder: Path) -> Path:
    """A wheel of one module, made by hand."""
    path = folder / f"{NAME}-1.0-py3-none-any.whl"
    info = f"{NAME}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{NAME}.py", "ANSWER = 42\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(
            f"{info}/RECORD", f"{NAME}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, and pip told to look nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return wheels


def bundle(tmp_path: Path, *, sha256: str) -> Bundle:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{NAME}==1.0 --hash=sha256:{sha256}\n")
    return Bundle.of(packages=["overread"], requirements=requirements, exclude=["overread/*"])


def test_a_folder_of_wheels_is_enough(tmp_path: Path, folder: Path) -> None:
    digest = hashlib.sha256(wheel(folder).read_bytes()).hexdigest()
    into = tmp_path / "zip"
    bundle(tmp_path, sha256=digest).write(into)
    assert (into / f"{NAME}.py").read_text() == "ANSWER = 42\n"


def test_a_wheel_that_is_missing_or_another_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BundleError, match=NAME):
        bundle(tmp_path, sha256="0" * 64).write(tmp_path / "zip")
    wheel(folder)
    with pytest.raises(BundleError, match=r"(?i)hash"):
        bundle(tmp_path, sha256="0" * 64).write(tmp_path / "zip")
