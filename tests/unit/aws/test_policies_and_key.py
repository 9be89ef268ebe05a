"""Routing policies from AppConfig, and the spot checks' secret."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from overread.errors import PermanentError, PolicyUnavailableError
from overread_aws.appconfig_policies import AppConfigPolicies
from overread_aws.secret_key import SecretKey
from overread_testing.aws_stubs import body_of, stubbed
from overread_testing.decision_builders import policy_document


class Ticks:
    """A monotonic clock that moves when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """AppConfig's side of the conversation."""

    def __init__(self, client: Any, script: Stubber) -> None:
        self.ticks = Ticks()
        self.script = script
        self.policies = AppConfigPolicies(client, application="app", environment="env", monotonic=self.ticks)
        self._count = 0

    def opens_session(self) -> None:
        self.script.add_response(
            "start_configuration_session",
            {"InitialConfigurationToken": f"token-{self._count}"},
            {
                "ApplicationIdentifier": "app",
                "EnvironmentIdentifier": "env",
                "ConfigurationProfileIdentifier": "loan-approval",
                "RequiredMinimumPollIntervalInSeconds": 45,
            },
        )

    def gives(self, document: object) -> None:
        """The next poll's document; bytes as they are, None for unchanged."""
        content = b"" if document is None else document
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.script.add_response(
            "get_latest_configuration",
            {
                "Configuration": body_of(content),
                "NextPollConfigurationToken": f"token-{self._count + 1}",
                "NextPollIntervalInSeconds": 45,
            },
            {"ConfigurationToken": f"token-{self._count}"},
        )
        self._count += 1

    def fails(self, operation: str = "get_latest_configuration") -> None:
        self.script.add_client_error(operation, "InternalServerException", http_status_code=500)

    def version(self) -> str:
        return self.policies.current("loan-approval").version


@pytest.fixture
def source() -> Iterator[Source]:
    with stubbed("appconfigdata") as (client, script):
        yield Source(client, script)


def test_a_policy_is_fetched_once_and_served_for_45_seconds(source: Source) -> None:
    source.opens_session()
    source.gives(policy_document())
    assert source.version() == "3f2a9c1b77de"
    source.ticks.now += 44
    assert source.version() == "3f2a9c1b77de"


def test_a_change_is_seen_at_the_next_poll_and_no_change_keeps_the_policy(source: Source) -> None:
    source.opens_session()
    source.gives(policy_document())
    source.version()
    source.ticks.now += 45
    source.gives(policy_document(version="second"))
    assert source.version() == "second"
    source.ticks.now += 45
    source.gives(None)
    assert source.version() == "second"


BAD: list[object] = [b"{", policy_document(routing__threshold=2), policy_document(use_case="other"), []]


@pytest.mark.parametrize("document", BAD, ids=["syntax", "fault", "other use case", "list"])
def test_a_bad_document_never_replaces_a_good_one(source: Source, document: object) -> None:
    source.opens_session()
    source.gives(policy_document())
    source.version()
    source.ticks.now += 45
    source.gives(document)
    assert source.version() == "3f2a9c1b77de"
    source.ticks.now += 45
    source.gives(policy_document(version="mended"))
    assert source.version() == "mended"


def test_the_last_good_policy_serves_while_appconfig_fails_and_a_new_session_follows(source: Source) -> None:
    source.opens_session()
    source.gives(policy_document())
    source.version()
    source.ticks.now += 45
    source.fails()
    assert source.version() == "3f2a9c1b77de"
    source.ticks.now += 14
    assert source.version() == "3f2a9c1b77de"
    source.ticks.now += 1
    source.opens_session()
    source.gives(policy_document(version="back"))
    assert source.version() == "back"


def test_without_any_good_policy_there_is_an_error_and_the_next_request_asks_again(source: Source) -> None:
    source.fails("start_configuration_session")
    with pytest.raises(PolicyUnavailableError):
        source.version()
    source.opens_session()
    source.gives(b"{}")
    with pytest.raises(PolicyUnavailableError):
        source.version()
    source.opens_session()
    source.gives(policy_document())
    assert source.version() == "3f2a9c1b77de"


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_a_refused_policy_is_logged_with_the_number_of_its_faults(source: Source) -> None:
    source.opens_session()
    source.gives(policy_document(routing__threshold=2, mode="dark"))
    logger = logging.getLogger("overread.policies")
    kept = Kept()
    logger.addHandler(kept)
    try:
        with pytest.raises(PolicyUnavailableError):
            source.version()
    finally:
        logger.removeHandler(kept)
    (record,) = kept.records
    assert record.getMessage() == "routing policy refused"
    assert vars(record)["faults"] == 2


@pytest.mark.parametrize(
    "reply", [{"SecretString": "0123456789abcdef"}, {"SecretBinary": b"0123456789abcdef"}]
)
def test_the_key_is_read_once(reply: dict[str, Any]) -> None:
    with stubbed("secretsmanager") as (client, script):
        script.add_response("get_secret_value", reply, {"SecretId": "arn:s"})
        key = SecretKey(client, secret_id="arn:s")
        assert key() == key() == b"0123456789abcdef"


@pytest.mark.parametrize("reply", [{"SecretString": "short"}, {}])
def test_a_key_that_is_no_secret_is_refused(reply: dict[str, Any]) -> None:
    with stubbed("secretsmanager") as (client, script):
        script.add_response("get_secret_value", reply)
        with pytest.raises(PermanentError, match="KeyTooShort"):
            SecretKey(client, secret_id="arn:s")()


def test_a_key_that_cannot_be_read_is_an_error_and_is_asked_for_again() -> None:
    with stubbed("secretsmanager") as (client, script):
        script.add_client_error("get_secret_value", "AccessDeniedException", http_status_code=400)
        script.add_response("get_secret_value", {"SecretString": "x" * 32})
        key = SecretKey(client, secret_id="arn:s")
        with pytest.raises(PermanentError):
            key()
        assert key() == b"x" * 32
