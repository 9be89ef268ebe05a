"""Versions of Posit Workbench on SageMaker and their images (AWS: RStudio versioning, November 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

LARGEST_IMAGE_GB = 25
MOST_USERS = 60
"""User profiles of one domain with RStudio."""
SERVER_INSTANCES = ("system", "ml.c5.4xlarge", "ml.c5.9xlarge")
"""What the RStudio server can run on; `system` is free of charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchVersion:
    """One version; `image` is the end of its image's ARN, `deprecated` the day AWS drops it."""

    name: str
    r: str
    image: str
    deprecated: date


VERSIONS: Mapping[str, WorkbenchVersion] = {
    one.name: one
    for one in (
        WorkbenchVersion(
            name="2026.08.2+200.pro1",
            r="4.6.1",
            image="rstudio-workbench-2026.08-sagemaker-1.0",
            deprecated=date(2028, 1, 31),
        ),
        WorkbenchVersion(
            name="2025.05.1+513.pro3",
            r="older than 4.6.1",
            image="rstudio-workbench-2025.05-sagemaker-1.1",
            deprecated=date(2026, 12, 5),
        ),
    )
}
CURRENT = "2026.08.2+200.pro1"
"""What a domain that names no version gets."""

IMAGE_ACCOUNTS: Mapping[str, str] = {
    "us-east-1": "081325390199",
    "us-east-2": "429704687514",
    "us-west-1": "742091327244",
    "us-west-2": "236514542706",
    "af-south-1": "559312083959",
    "ap-east-1": "493642496378",
    "ap-south-1": "394103062818",
    "ap-northeast-2": "806072073708",
    "ap-southeast-1": "492261229750",
    "ap-southeast-2": "452832661640",
    "ap-northeast-1": "102112518831",
    "ca-central-1": "310906938811",
    "eu-central-1": "936697816551",
    "eu-west-1": "470317259841",
    "eu-west-2": "712779665605",
    "eu-west-3": "615547856133",
    "eu-north-1": "243637512696",
    "eu-south-1": "592751261982",
    "sa-east-1": "782484402741",
}
"""AWS's account that holds the images, by region."""


def image_arn(version: str, *, region: str) -> str:
    """The ARN of a version's image in a region.

    Raises:
        KeyError: no such version, or no such image in the region; check both before.
    """
    return f"arn:aws:sagemaker:{region}:{IMAGE_ACCOUNTS[region]}:image/{VERSIONS[version].image}"
