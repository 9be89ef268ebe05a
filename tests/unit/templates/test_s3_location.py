"""Every form in which templates write the address of an S3 object."""

import pytest

from overread_templates import S3Location, parse_s3_location


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("s3://my-bucket/a/b c+d%20.png", "a/b c+d%20.png"),
        ("http://s3.amazonaws.com/my-bucket/a/b%20c.png", "a/b c.png"),
        ("https://s3.eu-west-1.amazonaws.com/my-bucket/a.png?versionId=1", "a.png"),
        ("https://s3-eu-west-1.amazonaws.com/my-bucket/a.png", "a.png"),
        ("https://my-bucket.s3.amazonaws.com/a.png", "a.png"),
        ("https://my-bucket.s3.eu-west-1.amazonaws.com/a.png", "a.png"),
        ("https://my-bucket.s3-us-west-2.amazonaws.com/a.png", "a.png"),
        ("https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com/a.png", "a.png"),
    ],
)
def test_forms_of_an_address(text: str, key: str) -> None:
    assert parse_s3_location(text) == S3Location(bucket="my-bucket", key=key)


def test_a_bucket_name_may_contain_dots() -> None:
    assert parse_s3_location("https://my.bucket.s3.amazonaws.com/k") == S3Location(
        bucket="my.bucket", key="k"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3://only-bucket",
        "s3:///key",
        "https://example.com/b/k",
        "https://s3.amazonaws.com.evil.example/b/k",
        "javascript:alert(1)",
        "https://[broken/",
        "ftp://s3.amazonaws.com/b/k",
    ],
)
def test_what_is_no_s3_address(text: str) -> None:
    assert parse_s3_location(text) is None
