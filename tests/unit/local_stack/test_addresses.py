"""AWS addresses in settings lead to the emulator, as name resolution leads to AWS there."""

import json

import pytest

from overread_local.addresses import localised

HERE = "http://127.0.0.1:4599"


@pytest.mark.parametrize(
    ("address", "here"),
    [
        (
            "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/live",
            f"{HERE}/_aws/execute-api/a1b2c3d4e5/live",
        ),
        (
            "https://a1b2c3d4e5-vpce-0123abcd.execute-api.eu-central-1.amazonaws.com/live/portal/signed-in/p",
            f"{HERE}/_aws/execute-api/a1b2c3d4e5/live/portal/signed-in/p",
        ),
        (
            "https://a1b2.execute-api.cn-north-1.amazonaws.com.cn/live/portal/",
            f"{HERE}/_aws/execute-api/a1b2/live/portal/",
        ),
        (
            "https://overread-desk.auth.us-east-1.amazoncognito.com/oauth2/token",
            f"{HERE}/oauth2/token",
        ),
        (
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC/.well-known/jwks.json",
            f"{HERE}/us-east-1_AbC/.well-known/jwks.json",
        ),
    ],
)
def test_an_address_that_the_emulator_serves_becomes_its_own(address: str, here: str) -> None:
    assert localised(address, emulator_url=HERE) == here


@pytest.mark.parametrize(
    "text",
    [
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC",
        "https://login.vendor.example/oauth2/authorize",
        "https://bucket.s3.us-east-1.amazonaws.com/key",
        "arn:aws:execute-api:us-east-1:000000000000:a1b2/live/POST/sagemaker/ListTags",
        "https://execute-api.us-east-1.amazonaws.com/live",
    ],
)
def test_names_and_foreign_addresses_stay(text: str) -> None:
    assert localised(text, emulator_url=HERE) == text


def test_addresses_inside_a_document_are_found() -> None:
    issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC"
    document = {"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json", "id": "a"}
    changed = json.loads(localised(json.dumps(document), emulator_url=HERE))
    assert changed == document | {"jwks_uri": f"{HERE}/us-east-1_AbC/.well-known/jwks.json"}
