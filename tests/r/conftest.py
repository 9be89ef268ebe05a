"""R and the packages that the R code needs: without them skipped with the reason, but not on CI."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

PACKAGES = ("caret", "curl", "e1071", "httpuv", "jsonlite", "lintr", "nnet", "openssl", "testthat")


@pytest.fixture(scope="session")
def rscript() -> str:
    """The command Rscript of an R that has everything."""
    found = shutil.which("Rscript")
    names = ", ".join(f"'{name}'" for name in PACKAGES)
    probe = f"quit(status = !all(sapply(c({names}), requireNamespace, quietly = TRUE)))"
    if found is None or subprocess.run([found, "-e", probe], capture_output=True, check=False).returncode:
        missing = f"R with the packages {', '.join(PACKAGES)} is missing (Debian: r-cran-…)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def r_environment() -> dict[str, str]:
    """R asks the machine for its time zone, in vain on a bare one."""
    return os.environ | {"TZ": "UTC", "_R_CHECK_FORCE_SUGGESTS_": "false"}
