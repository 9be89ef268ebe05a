"""Who is on call does what the runbooks ask for with docs/on-call-policy.json, and not without any of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from tests.local.conftest import Deployment, client_of
from tests.local.recorded_access import PLANTED
from tests.local.review_backends import function_of
from tests.local.test_runbooks import Caller

from overread_cli.main import main
from overread_local.stack import LocalStack

FILE = Path(__file__).parents[2] / "docs/on-call-policy.json"
DENIED = r"AccessDenied|AuthorizationError|not authorized to perform"
UNSEEN = {"MendKeys", "ReadWhatIsEncrypted"}
"""Of KMS behind other services, and of its key policies, the emulator checks nothing."""


@dataclass
class OnCall:
    """A person with a key of their own, to whom statements of the policy are given."""

    deployed: Deployment
    user: str
    key: tuple[str, str]

    def given(self, statements: Sequence[dict[str, Any]]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.deployed.client("iam").put_user_policy(
            UserName=self.user, PolicyName="on-call", PolicyDocument=json.dumps(document)
        )

    def runs(self, *words: str) -> bool:
        """Whether the command is let through."""
        options = ["--state-dir", str(self.deployed.stack.state_dir)]
        done = CliRunner().invoke(main, [*words, *options])
        assert done.exit_code == 0 or re.search(DENIED, done.output), done.output
        return done.exit_code == 0

    def calls(self, service: str, operation: str, **parameters: Any) -> bool:
        """Whether the call is let through, whatever comes of it."""
        client = client_of(self.deployed.stack, service, key=(*self.key, None))
        try:
            getattr(client, operation)(**parameters)
        except ClientError as error:
            return re.search(DENIED, str(error)) is None
        return True


def statements(deployed: Deployment) -> list[dict[str, Any]]:
    """The policy's, for this deployment."""
    api = deployed.output("inference", "ApiUrl").split("//")[1].split(".")[0]
    text = FILE.read_text()
    for placeholder, value in {
        "log-group:PREFIX-": "log-group:/aws/cloudformation/PREFIX-",  # as the emulator names them
        "arn:aws:events:REGION:ACCOUNT:rule/PREFIX-*": "*",  # it does not look which rule
        ":API/": f":{api}/",
        "TABLE": deployed.output("data", "TableName"),
        "PREFIX": deployed.prefix,
        "REGION": deployed.stack.record.region,
        "ACCOUNT": deployed.stack.record.account,
    }.items():
        text = text.replace(placeholder, value)
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


@pytest.fixture(scope="module")
def on_call(deployed: Deployment) -> Iterator[OnCall]:
    iam, name = deployed.client("iam"), PLANTED
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = LocalStack.environment

    def environment(stack: LocalStack) -> dict[str, str]:
        return own(stack) | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStack, "environment", environment)
        yield OnCall(deployed, name, (key["AccessKeyId"], key["SecretAccessKey"]))


def test_who_is_on_call_may_do_what_runbooks_ask_for_and_nothing_without_its_statement(
    deployed: Deployment, on_call: OnCall
) -> None:
    caller = Caller(deployed)
    function = function_of(deployed.stack, "route_prediction")
    group = deployed.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]
    (rule, *_) = deployed.client("events").list_rules(NamePrefix=f"{deployed.prefix}-")["Rules"]
    table = deployed.output("data", "TableName")
    news = {"pk": {"S": "d-none"}, "sk": {"S": "OUTBOX#00000001#events"}}
    waiting = caller.unsure(reference="on-call")
    queue = deployed.client("sqs").list_queues(QueueNamePrefix=f"{deployed.prefix}-")["QueueUrls"][0]
    drill = ("--use-case", "digit-reading", "--reason", "drill")
    duties: dict[str, list[Callable[[], bool]]] = {
        "Look": [
            lambda: on_call.calls("sqs", "list_queues"),
            lambda: on_call.calls("events", "list_rules"),
            lambda: on_call.calls("cloudformation", "describe_stacks"),
        ],
        "ReadLogs": [
            lambda: on_call.calls("logs", "filter_log_events", logGroupName=group["LogGroup"]),
        ],
        "TurnModelsOffAndOn": [
            lambda: on_call.runs("kill-switch", "status"),
            lambda: on_call.runs("monitor", "status"),
            lambda: on_call.runs("kill-switch", "on", *drill),
            lambda: on_call.runs("kill-switch", "off", *drill),
        ],
        "HandDeadLettersOver": [
            lambda: on_call.runs("dead-letters", "list"),
            lambda: on_call.calls("sqs", "receive_message", QueueUrl=queue),
            lambda: on_call.calls("sqs", "delete_message", QueueUrl=queue, ReceiptHandle="none"),
        ],
        "HandEventsToFunctions": [
            lambda: on_call.calls("lambda", "get_function_configuration", FunctionName=function),
            lambda: on_call.calls("lambda", "invoke", FunctionName=function, InvocationType="Event"),
        ],
        "SeeWhatWaits": [
            lambda: on_call.runs("outbox", "list"),
            lambda: on_call.runs("backlog", "list"),
            lambda: on_call.runs("backlog", "show", waiting.decision_id),
        ],
        "MakeNewsDueAgain": [
            lambda: on_call.calls(
                "dynamodb",
                "update_item",
                TableName=table,
                Key=news,
                UpdateExpression="REMOVE gave_up_code",
                ConditionExpression="attribute_exists(pk)",
            )
        ],
        "WakeSchedules": [lambda: on_call.calls("events", "enable_rule", Name=rule["Name"])],
    }
    policy = statements(deployed)
    assert duties.keys() == {one["Sid"] for one in policy} - UNSEEN
    try:
        for sid, done in duties.items():
            on_call.given([one for one in policy if one["Sid"] not in {sid, *UNSEEN}])
            assert [number for number, let_through in enumerate(done) if let_through()] == [], (
                f"without {sid}"
            )
        on_call.given(policy)
        for sid, done in duties.items():
            assert all(let_through() for let_through in done), sid
        assert not on_call.calls("dynamodb", "delete_item", TableName=table, Key=news)
    finally:
        caller.api.cancel(waiting.decision_id)
        caller.deployed.client("iam").delete_user_policy(UserName=on_call.user, PolicyName="on-call")
