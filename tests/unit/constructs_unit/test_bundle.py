"""The Lambda bundle: hashed by its inputs only, complete enough for a bare interpreter."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from overread_constructs import BundleError, PythonCode, _bundle, python_code
from overread_constructs._bundle import Bundle

ROOT = Path(__file__).resolve().parents[3]
BARE_PYTHON = ROOT / ".venv-lambda" / "bin" / "python"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `scoring` that fails when it is imported."""
    monkeypatch.delenv("OVERREAD_BUNDLE_PYTHON", raising=False)
    folder = tmp_path / "source" / "scoring"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "rules.json").write_text("{}")
    (folder / "py.typed").write_text("")
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def bundle(*, requirements: Path | None = None, exclude: tuple[str, ...] = ()) -> Bundle:
    return Bundle.of(packages=["scoring"], requirements=requirements, exclude=exclude)


def names(bundled: Bundle) -> list[str]:
    return [name for name, _ in bundled.files()]


def test_a_package_is_found_without_being_imported(package: Path) -> None:
    assert names(bundle()) == ["scoring/__init__.py", "scoring/inner/__init__.py", "scoring/inner/rules.json"]
    assert "scoring" not in sys.modules


def test_compiled_files_neither_change_the_hash_nor_reach_the_zip(package: Path, tmp_path: Path) -> None:
    before = bundle().digest()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    (package / "inner" / "__pycache__").mkdir()
    (package / "inner" / "__pycache__" / "y.txt").write_bytes(b"x")
    (package / "left.pyc").write_bytes(b"x")
    assert bundle().digest() == before
    bundle().write(tmp_path / "zip")
    assert not list((tmp_path / "zip").rglob("*.pyc"))
    assert not list((tmp_path / "zip").rglob("__pycache__"))


def test_times_and_the_order_of_packages_do_not_change_the_hash(package: Path) -> None:
    one = Bundle.of(packages=["scoring", "overread"], requirements=None, exclude=())
    (package / "__init__.py").touch()
    other = Bundle.of(packages=["overread", "scoring", "scoring"], requirements=None, exclude=())
    assert one.digest() == other.digest()


def test_the_place_of_a_package_does_not_change_the_hash(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bundle().digest()
    package.parent.rename(tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert bundle().digest() == before


@pytest.mark.parametrize("change", ["bytes", "name", "new file", "exclude", "requirements"])
def test_an_input_changes_the_hash(package: Path, tmp_path: Path, change: str) -> None:
    before = bundle().digest()
    lock: Path | None = None
    exclude: tuple[str, ...] = ()
    if change == "bytes":
        (package / "__init__.py").write_text("raise RuntimeError('other')\n")
    elif change == "name":
        (package / "inner" / "rules.json").rename(package / "inner" / "sules.json")
    elif change == "new file":
        (package / "more.py").write_text("")
    elif change == "exclude":
        exclude = ("scoring/inner/*",)
    else:
        lock = tmp_path / "lock.txt"
        lock.write_text("jmespath==1.1.0\n")
    assert bundle(requirements=lock, exclude=exclude).digest() != before


def test_bytes_that_move_from_one_file_to_another_change_the_hash(package: Path) -> None:
    (package / "a.py").write_text("x = 1\n")
    (package / "b.py").write_text("y = 2\n")
    before = bundle().digest()
    (package / "b.py").unlink()
    (package / "a.py").write_text("x = 1\nscoring/b.pyy = 2\n")
    assert bundle().digest() != before


@pytest.mark.parametrize("constant", ["BUNDLER_VERSION", "PYTHON_VERSION", "PLATFORM"])
def test_bundler_version_and_platform_change_the_hash(
    package: Path, monkeypatch: pytest.MonkeyPatch, constant: str
) -> None:
    before = bundle().digest()
    monkeypatch.setattr(_bundle, constant, "other")
    assert bundle().digest() != before


def test_excluded_files_stay_out(package: Path, tmp_path: Path) -> None:
    bundle(exclude=("scoring/inner/*",)).write(tmp_path / "zip")
    assert [p.name for p in (tmp_path / "zip").rglob("*") if p.is_file()] == ["__init__.py"]


@pytest.mark.parametrize("name", ["nowhere_to_be_found", "json.tool", "os", "../overread", ""])
def test_a_name_that_is_no_installed_package_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match="must name installed top-level packages, got"):
        PythonCode.bundle(packages=[name, "overread"])


def test_all_faults_of_a_bundle_come_together(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as raised:
        PythonCode.bundle(packages=["nowhere_to_be_found"], requirements=tmp_path / "lock.txt")
    assert "nowhere_to_be_found" in str(raised.value)
    assert "lock.txt" in str(raised.value)
    with pytest.raises(BundleError, match="at least one package, got none"):
        PythonCode.bundle(packages=[])


def test_requirements_without_hashes_are_refused(package: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("jmespath==1.1.0\n")
    with pytest.raises(BundleError, match=r"pip could not install .*lock\.txt"):
        bundle(requirements=lock).write(tmp_path / "zip")


def test_the_bundle_of_another_interpreter_has_another_hash_and_that_interpreters_wheels(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_lambda = bundle()
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(BARE_PYTHON))
    here = bundle(requirements=python_code.REVIEW_REQUIREMENTS)
    assert here.digest() != for_lambda.digest()
    here.write(tmp_path / "zip")
    run = bare(
        "import sys; sys.path.insert(0, sys.argv[1]); import regex, cryptography.fernet", tmp_path / "zip"
    )
    assert run.returncode == 0, run.stderr


def test_the_place_of_an_interpreter_does_not_change_the_hash(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(BARE_PYTHON))
    before = bundle().digest()
    elsewhere = tmp_path / "python"
    elsewhere.symlink_to(BARE_PYTHON.resolve())
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(elsewhere))
    assert bundle().digest() == before


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false", "/"])
def test_an_interpreter_that_does_not_run_is_refused(
    package: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", python)
    with pytest.raises(BundleError, match=f"must name a Python interpreter, got '{python}'"):
        bundle()


def test_an_interpreter_without_pip_is_told_how_to_get_it(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = tmp_path / "python"
    without.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec {BARE_PYTHON} "$@"\n')
    without.chmod(0o755)
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(without))
    with pytest.raises(BundleError, match=r"has no pip; run `.*python -m ensurepip`"):
        bundle(requirements=python_code.HANDLER_REQUIREMENTS).write(tmp_path / "zip")


@pytest.mark.parametrize(
    ("shipped", "locked"),
    [
        (python_code.HANDLER_REQUIREMENTS, "requirements.txt"),
        (python_code.EVIDENCE_REQUIREMENTS, "evidence-requirements.txt"),
        (python_code.REVIEW_REQUIREMENTS, "review-requirements.txt"),
        (python_code.CONSOLIDATION_REQUIREMENTS, "consolidation-requirements.txt"),
        (python_code.ANALYTICS_REQUIREMENTS, "analytics-requirements.txt"),
    ],
)
def test_the_shipped_lock_files_are_those_of_the_functions(shipped: Path, locked: str) -> None:
    assert shipped.read_bytes() == (ROOT / "lambda" / locked).read_bytes()


def test_what_the_review_services_zip_shadows_is_what_lambdas_boto3_takes() -> None:
    pins = {
        name: dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "lambda" / name).read_text(), re.MULTILINE))
        for name in ("review-requirements.txt", "runtime.txt")
    }
    runtime = pins["runtime.txt"]
    shared = runtime.keys() & pins["review-requirements.txt"].keys()
    assert "python-dateutil" in shared
    assert {name: pins["review-requirements.txt"][name] for name in shared} == {
        name: runtime[name] for name in shared
    }


def test_every_module_of_the_handlers_zip_imports_where_boto3_is_all_there_is(tmp_path: Path) -> None:
    Bundle.of(
        packages=python_code.HANDLER_PACKAGES,
        requirements=python_code.HANDLER_REQUIREMENTS,
        exclude=python_code.HANDLER_EXCLUDE,
    ).write(tmp_path)
    assert (tmp_path / "jmespath" / "__init__.py").is_file()
    assert not (tmp_path / "bin").exists()
    assert not list(tmp_path.glob("overread_aws/review_*"))
    assert size_of(tmp_path) < 3_000_000
    assert "overread.review.limits" in imported(python_code.HANDLER_PACKAGES, folder=tmp_path)


def test_every_module_of_the_evidence_archives_zip_imports_where_boto3_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(BARE_PYTHON))
    Bundle.of(
        packages=python_code.HANDLER_PACKAGES,
        requirements=python_code.EVIDENCE_REQUIREMENTS,
        exclude=python_code.EVIDENCE_EXCLUDE,
    ).write(tmp_path)
    modules = imported(python_code.HANDLER_PACKAGES, folder=tmp_path)
    assert {"overread_lambda.archive_evidence", "overread_aws.sealing"} <= set(modules)


def test_the_consolidations_zip_runs_where_boto3_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(BARE_PYTHON))
    Bundle.of(
        packages=python_code.HANDLER_PACKAGES,
        requirements=python_code.CONSOLIDATION_REQUIREMENTS,
        exclude=python_code.CONSOLIDATION_EXCLUDE,
    ).write(tmp_path)
    assert size_of(tmp_path) < 120_000_000
    modules = imported(python_code.HANDLER_PACKAGES, folder=tmp_path)
    assert {"overread_lambda.consolidate_annotations", "overread.consensus.boxes"} <= set(modules)


def test_the_analytics_exports_zip_writes_parquet_without_numpy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(BARE_PYTHON))
    Bundle.of(
        packages=python_code.HANDLER_PACKAGES,
        requirements=python_code.ANALYTICS_REQUIREMENTS,
        exclude=python_code.ANALYTICS_EXCLUDE,
    ).write(tmp_path)
    assert not (tmp_path / "numpy").exists()
    assert size_of(tmp_path) < 140_000_000  # Lambda takes 250 MB
    modules = imported(python_code.HANDLER_PACKAGES, folder=tmp_path)
    assert {"overread_lambda.export_analytics", "overread_aws.parquet_files"} <= set(modules)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from overread.analytics import TABLES\n"
        "from overread_aws.parquet_files import parquet\n"
        "print(parquet(TABLES['labels'], [TABLES['labels'].row(job='a')])[:4])\n"
    )
    assert "PAR1" in bare(code, tmp_path).stdout


def test_every_module_of_the_review_services_zip_imports_where_boto3_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_BUNDLE_PYTHON", str(BARE_PYTHON))
    Bundle.of(
        packages=python_code.REVIEW_PACKAGES,
        requirements=python_code.REVIEW_REQUIREMENTS,
        exclude=python_code.REVIEW_EXCLUDE,
    ).write(tmp_path)
    assert not list((tmp_path / "babel" / "locale-data").glob("fr*"))
    assert size_of(tmp_path) < 40_000_000
    modules = imported(python_code.REVIEW_PACKAGES, folder=tmp_path)
    assert {"overread_lambda.review_service", "overread_review.app"} <= set(modules)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def imported(packages: tuple[str, ...], *, folder: Path) -> list[str]:
    """The names of all modules of the packages in `folder`, imported by the bare interpreter."""
    code = (
        "import importlib, pkgutil, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "for name in sys.argv[2:]:\n"
        "    package = importlib.import_module(name)\n"
        "    assert package.__file__.startswith(sys.argv[1]), package.__file__\n"
        "    for module in pkgutil.walk_packages(package.__path__, name + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "        print(module.name)\n"
    )
    run = bare(code, folder, *packages)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def bare(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the interpreter of the local Lambda workers makes of `code`."""
    return subprocess.run(
        [BARE_PYTHON, "-I", "-c", code, str(folder), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-west-1"},
        cwd=folder,
    )
