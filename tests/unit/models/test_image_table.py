"""The table of scikit-learn images is the one that SageMaker's own SDK ships (read as data)."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from overread_constructs.images import SKLEARN_IMAGE_ACCOUNTS, SKLEARN_IMAGE_VERSION, sklearn_image

TABLE = "sagemaker/core/image_uri_config/sklearn.json"


@pytest.fixture(scope="module")
def newest() -> dict[str, Any]:
    """The SDK's entry of the newest scikit-learn inference image for x86."""
    try:
        table = metadata.distribution("sagemaker-core").locate_file(TABLE)
    except metadata.PackageNotFoundError:
        if os.environ.get("CI") == "true":
            pytest.fail("sagemaker-core must be installed in CI: pip install --no-deps sagemaker-core")
        pytest.skip("sagemaker-core is not installed: pip install --no-deps sagemaker-core")
    versions = json.loads(Path(str(table)).read_text(encoding="utf-8"))["inference"]["versions"]
    entry: dict[str, Any] = {"version": list(versions)[-1], **versions[list(versions)[-1]]}
    return entry


def test_version_is_the_newest_that_the_sdk_knows(newest: dict[str, Any]) -> None:
    assert newest["version"] == SKLEARN_IMAGE_VERSION


def test_accounts_are_the_sdk_s(newest: dict[str, Any]) -> None:
    assert dict(SKLEARN_IMAGE_ACCOUNTS) == newest["registries"]


def test_addresses_are_what_the_sdk_would_form(newest: dict[str, Any]) -> None:
    (processor,), (python,) = newest["processors"], newest["py_versions"]
    session = botocore.session.Session()
    suffixes = {p["partition"]: p["dnsSuffix"] for p in session.get_data("endpoints")["partitions"]}
    image = f"{newest['repository']}:{newest['version']}-{processor}-{python}"
    for region, account in newest["registries"].items():
        suffix = suffixes[session.get_partition_for_region(region)]
        assert sklearn_image(region) == f"{account}.dkr.ecr.{region}.{suffix}/{image}"
