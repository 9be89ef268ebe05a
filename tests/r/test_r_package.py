"""The R package: R's own check with its tests, and lintr over all R code."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_r_cmd_check_finds_nothing(rscript: str, r_environment: dict[str, str], tmp_path: Path) -> None:
    r = Path(rscript).with_name("R")
    source = shutil.copytree(ROOT / "r/overread", tmp_path / "overread")
    built = subprocess.run(
        [r, "CMD", "build", "--no-build-vignettes", source],
        cwd=tmp_path,
        env=r_environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (package,) = tmp_path.glob("overread_*.tar.gz")
    checked = subprocess.run(
        [r, "CMD", "check", "--no-manual", package],
        cwd=tmp_path,
        env=r_environment,
        check=False,
        capture_output=True,
        text=True,
    )
    told = checked.stdout + checked.stderr
    assert checked.returncode == 0, told
    assert "Running ‘testthat.R’" in told
    assert "ERROR" not in told
    assert "WARNING" not in told


@pytest.mark.parametrize("folder", ["r/overread", "examples/r"])
def test_lintr_finds_nothing(rscript: str, r_environment: dict[str, str], folder: str) -> None:
    code = "found <- lintr::lint_dir('.'); print(found); quit(status = length(found) > 0)"
    run = subprocess.run(
        [rscript, "-e", code],
        cwd=ROOT / folder,
        env=r_environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
