"""The repository's shape: source roots stay roots, imports point inward, nothing names a foreign address."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import constructs
import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ("requirements-dev.txt", "requirements-sdk.txt", "lambda/requirements.txt", "lambda/runtime.txt")
NEED_NUMPY = (
    "overread.consensus.",
    "overread.labeling.active.",
    "overread.risk.",
    *(
        f"overread.labeling.consolidation.{name}"
        for name in ("batch", "boxes", "classification", "masks", "png")
    ),
)
RUN_IN_LAMBDA = ("overread.risk.beta", "overread.risk.guarantee", "overread.risk.monitor")
SOURCE_ROOTS = ("src", "lambda", "constructs", "stacks", "tests/support")


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_root_is_not_a_package(root: str) -> None:
    assert (ROOT / root).is_dir()
    assert not (ROOT / root / "__init__.py").exists()


def test_no_folder_hides_the_constructs_package() -> None:
    assert "site-packages" in (constructs.__file__ or "")
    assert not (ROOT / "tests" / "constructs").exists()


def test_every_package_of_the_source_roots_is_in_the_wheel_and_under_the_import_rules() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    roots = [root for root in SOURCE_ROOTS if root != "tests/support"]
    packages = {
        p.relative_to(ROOT).as_posix()
        for r in roots
        for p in (ROOT / r).iterdir()
        if (p / "__init__.py").exists()
    }
    assert packages == set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert {p.rsplit("/", 1)[1] for p in packages} == set(project["tool"]["importlinter"]["root_packages"])


def test_imports_point_inward() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_the_core_imports_in_an_interpreter_without_aws_yaml_or_web_libraries() -> None:
    blocked = ("boto3", "botocore", "yaml", "starlette", "liquid", "aws_cdk", "click", "numpy", "scipy")
    code = (
        "import sys, pkgutil, importlib\n"
        f"sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "import overread\n"
        "for m in pkgutil.walk_packages(overread.__path__, 'overread.'):\n"
        f"    if not m.name.startswith({NEED_NUMPY!r}) or m.name in {RUN_IN_LAMBDA!r}:\n"
        "        importlib.import_module(m.name)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_lock_files_carry_hashes_and_no_addresses() -> None:
    for name in LOCKS:
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text, name
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), name
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
    assert not (ROOT / "uv.lock").exists()


def test_every_python_file_says_what_it_is_for() -> None:
    silent = []
    for path in tracked_files():
        if path.suffix != ".py" or path.stat().st_size == 0:
            continue
        text = re.sub(r"\A#!.*\n", "", path.read_text())
        if not re.match(r'(?:#[^\n]*\n)*r?"""\S', text):
            silent.append(path.relative_to(ROOT).as_posix())
    assert silent == []
