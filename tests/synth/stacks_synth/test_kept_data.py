"""Keys, buckets and table, asserted on the template: the emulator drops most of this in silence."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import pytest
from tests.synth.stacks_synth.conftest import ENVIRONMENTS, ON_OWN_SERVICE, Assembly

from overread_aws.decision_table import table_definition

OWN_BUCKETS = ("Audit", "Inputs", "Outputs")
STATEFUL = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key")


def buckets(assembly: Assembly, environment: str) -> dict[str, dict[str, Any]]:
    """Properties of every bucket by its construct's name, which its logical id ends with a hash after."""
    found = assembly.resources(f"{environment}-data", "AWS::S3::Bucket")
    return {name[:-8]: bucket["Properties"] for name, bucket in found.items()}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_there_are_input_output_audit_and_access_log_buckets(environment: str, assembly: Assembly) -> None:
    assert sorted(buckets(assembly, environment)) == ["AccessLogs", *OWN_BUCKETS]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_bucket_is_versioned_and_closed_to_the_public(environment: str, assembly: Assembly) -> None:
    for name, bucket in buckets(assembly, environment).items():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4, name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_bucket_refuses_calls_without_tls(environment: str, assembly: Assembly) -> None:
    policies = assembly.resources(f"{environment}-data", "AWS::S3::BucketPolicy").values()
    assert len(policies) == 4
    for policy in policies:
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        denied = [s["Condition"] for s in statements if s["Effect"] == "Deny" and s["Action"] == "s3:*"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    ("bucket", "sid"), [("Outputs", "OnlyReviewsOfThisDeployment"), ("Audit", "OnlyThisDeployment")]
)
def test_nobody_but_this_deployments_roles_writes_answers_and_the_archive(
    environment: str, bucket: str, sid: str, assembly: Assembly
) -> None:
    policies = assembly.resources(f"{environment}-data", "AWS::S3::BucketPolicy")
    (policy,) = [policy for name, policy in policies.items() if name.startswith(bucket)]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    (denied,) = [one for one in statements if one.get("Sid") == sid]
    assert (denied["Effect"], denied["Action"], denied["Principal"]) == ("Deny", "s3:PutObject", {"AWS": "*"})
    roles = "".join(
        part
        for part in denied["Condition"]["ArnNotLike"]["aws:PrincipalArn"]["Fn::Join"][1]
        if isinstance(part, str)
    )
    assert roles.endswith(f":role/overread-{environment}-*")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_data_is_encrypted_with_the_data_key(environment: str, assembly: Assembly) -> None:
    (key,) = (
        name for name in assembly.resources(f"{environment}-data", "AWS::KMS::Key") if "DataKey" in name
    )
    for name in OWN_BUCKETS:
        bucket = buckets(assembly, environment)[name]
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["BucketKeyEnabled"] is True
        assert rule["ServerSideEncryptionByDefault"] == {
            "KMSMasterKeyID": {"Fn::GetAtt": [key, "Arn"]},
            "SSEAlgorithm": "aws:kms",
        }
    table = assembly.properties(f"{environment}-data", "AWS::DynamoDB::Table")
    assert table["SSESpecification"] == {
        "KMSMasterKeyId": {"Fn::GetAtt": [key, "Arn"]},
        "SSEEnabled": True,
        "SSEType": "KMS",
    }


def test_access_logs_have_the_only_encryption_that_s3_delivers_them_to(assembly: Assembly) -> None:
    (rule,) = buckets(assembly, "prod")["AccessLogs"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_reads_of_data_are_logged_each_bucket_apart(environment: str, assembly: Assembly) -> None:
    for name in OWN_BUCKETS:
        logging = buckets(assembly, environment)[name]["LoggingConfiguration"]
        assert logging["DestinationBucketName"]["Ref"].startswith("AccessLogs")
        assert logging["LogFilePrefix"] == f"{name.lower()}/"


def test_worker_pages_may_read_inputs_and_nothing_else(assembly: Assembly) -> None:
    found = buckets(assembly, "prod")
    assert found["Inputs"]["CorsConfiguration"] == {
        "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    }
    assert [name for name, bucket in found.items() if "CorsConfiguration" in bucket] == ["Inputs"]


@pytest.mark.parametrize(
    ("environment", "retention"),
    [
        ("demo", None),
        ("mixed", {"Days": 7, "Mode": "GOVERNANCE"}),
        ("prod", {"Days": 2557, "Mode": "COMPLIANCE"}),
    ],
)
def test_audit_objects_are_locked_as_the_settings_say(
    environment: str, retention: dict[str, Any] | None, assembly: Assembly
) -> None:
    found = buckets(assembly, environment)
    audit = found.pop("Audit")
    assert audit.get("ObjectLockEnabled", False) is (retention is not None)
    lock = audit.get("ObjectLockConfiguration")
    assert (lock["Rule"]["DefaultRetention"] if lock else None) == retention
    assert all("ObjectLockConfiguration" not in bucket for bucket in found.values())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_unfinished_uploads_and_old_access_logs_go_away(environment: str, assembly: Assembly) -> None:
    for name, bucket in buckets(assembly, environment).items():
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}, name
        assert ("ExpirationInDays" in rule) is (name == "AccessLogs"), name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_decisions_table_has_keys_stream_index_and_recovery(environment: str, assembly: Assembly) -> None:
    table = assembly.properties(f"{environment}-data", "AWS::DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "TimeToLiveSpecification" not in table
    # What the store's own tests run against, which names the attributes that it reads from each index.
    expected = table_definition("decisions")
    for member, name in (("GlobalSecondaryIndexes", "IndexName"), ("AttributeDefinitions", "AttributeName")):
        assert sorted(table[member], key=itemgetter(name)) == sorted(expected[member], key=itemgetter(name))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_key_rotates(environment: str, assembly: Assembly) -> None:
    keys = [r["Properties"] for _, _, r in assembly.every(of=environment) if r["Type"] == "AWS::KMS::Key"]
    assert len(keys) == 3
    assert all(key["EnableKeyRotation"] is True and key["RotationPeriodInDays"] == 365 for key in keys)


@pytest.mark.parametrize(
    ("environment", "policy"),
    [("demo", "Delete"), ("prod", "Retain"), ("mixed", "Retain"), ("desk", "Delete"), ("open", "Retain")],
)
def test_data_outlives_its_stack_where_the_settings_say_so(
    environment: str, policy: str, assembly: Assembly
) -> None:
    kept = [r for _, _, r in assembly.every(of=environment) if r["Type"] in STATEFUL]
    # The review service has a table and a bucket of its own.
    assert len(kept) == (10 if environment in ON_OWN_SERVICE else 8)
    assert {(r["DeletionPolicy"], r["UpdateReplacePolicy"]) for r in kept} == {(policy, policy)}


@pytest.mark.parametrize(("environment", "protected"), [("demo", False), ("prod", True)])
def test_production_stacks_and_table_are_protected_from_deletion(
    environment: str, protected: bool, assembly: Assembly
) -> None:
    table = assembly.properties(f"{environment}-data", "AWS::DynamoDB::Table")
    assert table.get("DeletionProtectionEnabled", False) is protected
    for name, artifact in assembly.manifest["artifacts"].items():
        if name.startswith(f"overread-{environment}-") and artifact["type"] == "aws:cloudformation:stack":
            assert artifact["properties"].get("terminationProtection", False) is protected
