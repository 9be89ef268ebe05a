"""The table of scikit-learn images."""

import re

import pytest

from overread.review.limits import A2I_REGIONS
from overread_constructs import SKLEARN_IMAGE_ACCOUNTS, SKLEARN_IMAGE_VERSION, sklearn_image


def test_an_image_is_named_by_account_region_and_version() -> None:
    assert sklearn_image("eu-central-1") == (
        "492215442770.dkr.ecr.eu-central-1.amazonaws.com/"
        f"sagemaker-scikit-learn:{SKLEARN_IMAGE_VERSION}-cpu-py3"
    )


def test_china_has_a_domain_of_its_own() -> None:
    assert ".dkr.ecr.cn-north-1.amazonaws.com.cn/" in sklearn_image("cn-north-1")


def test_every_region_with_a2i_has_an_image() -> None:
    assert set(SKLEARN_IMAGE_ACCOUNTS) >= A2I_REGIONS
    assert all(re.fullmatch(r"\d{12}", account) for account in SKLEARN_IMAGE_ACCOUNTS.values())


def test_a_region_without_an_image_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ValueError, match=r"got 'eu-nowhere-1'; allowed: af-south-1, .*us-west-2"):
        sklearn_image("eu-nowhere-1")
