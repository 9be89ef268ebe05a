"""The table of decisions in an emulator, empty before every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from overread_aws.decision_table import table_definition
from overread_testing.aws_emulator import AwsEmulator, running_emulator

TABLE = "decisions"
BUCKET = "inputs"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    """Started once, with the table `decisions` and the bucket `inputs`."""
    with running_emulator(tmp_path_factory.mktemp("aws")) as emulator:
        emulator.client("dynamodb").create_table(**table_definition(TABLE))
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        yield emulator


@pytest.fixture(scope="session")
def dynamodb_client(aws: AwsEmulator) -> Any:
    """One client for all tests: clients are slow to make."""
    return aws.client("dynamodb")


@pytest.fixture(scope="session")
def s3_client(aws: AwsEmulator) -> Any:
    """One client for all tests."""
    return aws.client("s3")


@pytest.fixture
def dynamodb(dynamodb_client: Any) -> Any:
    """The client, the table empty."""
    for item in dynamodb_client.scan(TableName=TABLE)["Items"]:
        dynamodb_client.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    return dynamodb_client
