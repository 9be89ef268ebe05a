"""Inputs and outputs in S3: one known version, from the one place."""

import base64
import hashlib

import pytest

from overread.decisions.record import StoredObject
from overread.errors import PermanentError, PoisonedAnswerError, RetryableError
from overread_aws.s3_objects import OUTPUT_BYTES, S3Inputs, S3Outputs
from overread_testing.aws_stubs import body_of, stubbed

BODY = b'{"amount":9600}'
SHA = hashlib.sha256(BODY).hexdigest()
KEY = f"inputs/loan-approval/{SHA}.json"


def test_an_input_is_stored_under_its_hash_which_s3_checks() -> None:
    with stubbed("s3") as (client, script):
        script.add_response(
            "put_object",
            {"VersionId": "v7"},
            {
                "Bucket": "in",
                "Key": KEY,
                "Body": BODY,
                "ContentType": "application/json",
                "ChecksumSHA256": base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
            },
        )
        stored = S3Inputs(client, bucket="in").put(BODY, use_case="loan-approval", sha256=SHA)
    assert stored == StoredObject(bucket="in", key=KEY, version_id="v7", sha256=SHA)


def test_an_input_is_read_in_the_version_that_was_stored() -> None:
    stored = StoredObject(bucket="in", key=KEY, version_id="v7", sha256=SHA)
    with stubbed("s3") as (client, script):
        script.add_response(
            "get_object", {"Body": body_of(BODY)}, {"Bucket": "in", "Key": KEY, "VersionId": "v7"}
        )
        assert S3Inputs(client, bucket="in").read(stored) == BODY


def test_a_bucket_without_versions_is_read_without_one() -> None:
    stored = StoredObject(bucket="in", key=KEY, version_id="", sha256=SHA)
    with stubbed("s3") as (client, script):
        script.add_response("get_object", {"Body": body_of(BODY)}, {"Bucket": "in", "Key": KEY})
        assert S3Inputs(client, bucket="in").read(stored) == BODY


def test_an_input_that_may_not_be_read_is_a_permanent_error() -> None:
    with stubbed("s3") as (client, script):
        script.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(PermanentError):
            S3Inputs(client, bucket="in").read(StoredObject("in", KEY, "v", SHA))


def test_an_output_is_read_with_its_version_and_hash() -> None:
    with stubbed("s3") as (client, script):
        reply = {"Body": body_of(BODY), "ContentLength": len(BODY), "VersionId": "v3"}
        script.add_response("get_object", reply, {"Bucket": "out", "Key": "reviews/a/output.json"})
        read = S3Outputs(client, bucket="out").read("s3://out/reviews/a/output.json")
    assert read.body == BODY
    assert read.stored == StoredObject("out", "reviews/a/output.json", "v3", SHA)


@pytest.mark.parametrize("uri", ["s3://other/x", "https://out/x", "s3://out/", "s3://out", "", "out/x"])
def test_an_address_elsewhere_is_never_read(uri: str) -> None:
    with stubbed("s3") as (client, _), pytest.raises(PoisonedAnswerError, match="output_elsewhere"):
        S3Outputs(client, bucket="out").read(uri)


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403), ("SlowDown", 503)])
def test_an_output_that_cannot_be_read_may_be_readable_later(code: str, status: int) -> None:
    with stubbed("s3") as (client, script):
        script.add_client_error("get_object", code, http_status_code=status)
        with pytest.raises(RetryableError, match=code):
            S3Outputs(client, bucket="out").read("s3://out/reviews/x")


def test_an_output_too_large_to_be_one_is_poison() -> None:
    with stubbed("s3") as (client, script):
        script.add_response("get_object", {"Body": body_of(b""), "ContentLength": OUTPUT_BYTES + 1})
        with pytest.raises(PoisonedAnswerError, match="output_too_large"):
            S3Outputs(client, bucket="out").read("s3://out/reviews/x")
