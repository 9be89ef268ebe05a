"""Every combination that SageMaker refuses is told before anything is deployed; time is an argument."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from overread.studio.domain_spec import DomainSpec, RImage, StudioUser, faults
from overread.studio.lock import destructions
from overread.studio.workbench import CURRENT, IMAGE_ACCOUNTS, VERSIONS, image_arn

TODAY = date(2026, 11, 24)
OLD = "2025.05.1+513.pro3"
FINE = DomainSpec(
    auth_mode="IAM",
    users=(StudioUser(name="ada", owner="ada"),),
    region="eu-central-1",
    security_groups=1,
    has_public_subnets=False,
    subnets=2,
)


def test_a_plain_domain_is_fine() -> None:
    assert faults(FINE, today=TODAY) == []
    assert faults(replace(FINE, workbench_version=OLD), today=date(2026, 12, 4)) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"auth_mode": "LDAP"}, "'LDAP'"),
        ({"security_groups": 3}, "got 3"),
        ({"security_groups": 0}, "got 0"),
        ({"has_public_subnets": True}, "private"),
        ({"subnets": 17}, "got 17"),
        ({"users": tuple(StudioUser(name=f"u{n}", owner="x") for n in range(61))}, "at most 60, got 61"),
        ({"users": (StudioUser(name="a", owner="x"),) * 2}, "twice: a"),
        ({"users": (StudioUser(name="domain-shared", owner="x"),)}, "SageMaker's"),
        ({"users": (StudioUser(name="a", owner="x", admin=True, enabled=False),)}, "DISABLED"),
        ({"workbench_version": "1.4"}, "'1.4'"),
        ({"workbench_version": CURRENT, "region": "eu-south-2"}, "eu-south-2"),
        ({"workbench_version": CURRENT, "region": ""}, "no region yet"),
        ({"server_instance": "ml.m5.large", "workbench_version": CURRENT}, "ml.c5.4xlarge"),
        ({"server_instance": "system"}, "with workbench_version"),
        ({"r_images": (RImage(name="geo", uri="x", workbench_version=OLD),)}, f"geo ({OLD})"),
        ({"r_images": (RImage(name="geo", uri="x", workbench_version=CURRENT),) * 2}, "twice: geo"),
        ({"connect_url": "http://connect"}, "connect_url"),
        ({"package_manager_url": "packages"}, "package_manager_url"),
        ({"data_prefix": "r"}, "data_prefix"),
        ({"on_destroy": "all"}, "on_destroy"),
    ],
)
def test_each_illegal_combination_has_one_message(change: dict[str, Any], word: str) -> None:
    (told,) = faults(replace(FINE, **change), today=TODAY)
    assert word in told


def test_a_version_is_refused_from_the_day_that_aws_drops_it() -> None:
    (told,) = faults(replace(FINE, workbench_version=OLD), today=date(2026, 12, 5))
    assert "2026-12-05" in told
    assert CURRENT in told


def test_all_faults_come_together() -> None:
    spec = replace(FINE, security_groups=5, auth_mode="", connect_url="x", on_destroy="")
    assert len(faults(spec, today=TODAY)) == 4


def test_each_version_has_an_image_in_every_region() -> None:
    arns = {image_arn(version, region=region) for version in VERSIONS for region in IMAGE_ACCOUNTS}
    assert len(arns) == len(VERSIONS) * len(IMAGE_ACCOUNTS) == 38
    assert image_arn(CURRENT, region="us-east-1") == (
        "arn:aws:sagemaker:us-east-1:081325390199:image/rstudio-workbench-2026.08-sagemaker-1.0"
    )


def test_new_and_gone_users_replace_nothing() -> None:
    locked = {"auth_mode": "IAM", "users": {"ada": "R_STUDIO_USER"}}
    assert destructions(locked, {"auth_mode": "IAM", "users": {"ben": "R_STUDIO_ADMIN"}}) == []


def test_a_replacement_says_what_is_lost_and_what_to_do() -> None:
    (one,) = destructions({"kms_key": "a"}, {"kms_key": "b"})
    assert (one.field, one.before, one.after) == ("kms_key", "a", "b")
    assert "home" in one.destroys
    assert "keep the key" in one.instead
