"""Every runbook against deployed stacks: its fault is planted, its commands are run as the page has them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

import boto3
import pytest
from botocore import xform_name
from click.testing import CliRunner, Result
from tests.local.conftest import Deployment
from tests.local.metric_lines import metric_lines
from tests.local.organized import PREFIX
from tests.local.recorded_access import PLANTED
from tests.local.review_backends import function_of, until
from tests.local.test_error_monitor import policy_in_force

from overread_cli.demo.cases import load_cases
from overread_cli.main import main
from overread_client import ApiError, Decision, Decisions, ReviewSandbox

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/runbooks"
LOAN, TUMOR = "loan-approval", "tumor-screening"


@dataclass
class Runbook:
    """The commands of a page in their order; `values` stand for its `$NAMES`."""

    deployed: Deployment
    page: str
    folder: Path
    values: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Reads the page."""
        blocks = re.findall(r"```sh\n(.*?)```", (PAGES / f"{self.page}.md").read_text(), re.DOTALL)
        self.left = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
        self.values.setdefault("DAY", "2020-01-01")

    def next(self, begins: str) -> str:
        """The next command, which begins so."""
        assert self.left, f"{self.page}: no command is left, {begins!r} was to come"
        command = self.left.pop(0)
        assert command.startswith(begins), (self.page, command)
        filled = Template(command).safe_substitute(self.values)  # `$.level` is CloudWatch's
        assert not re.search(r"\$[A-Z]", filled), (self.page, filled)
        return filled

    def run(self, begins: str, *, ends_with: int = 0) -> Result:
        """Runs the next command of `overread`, on the local stack; it ends with that exit code."""
        words = shlex.split(self.next(f"overread {begins}").replace(" --aws", ""))
        given, out = _taken(words, "<"), _taken(words, ">")
        options = ["--state-dir", str(self.deployed.stack.state_dir)]
        if words[1:3] == ["audit", "report"]:
            options += [
                "--html",
                str(self.folder / "report.html"),
                "--json",
                str(self.folder / "report.json"),
            ]
        text = (self.folder / given).read_text() if given else None
        done = CliRunner().invoke(main, [*words[1:], *options], input=text)
        assert done.exit_code == ends_with, done.output
        if out:
            (self.folder / out).write_text(done.stdout)
        return done

    def aws(self, begins: str) -> Mapping[str, Any]:
        """Runs the next command of AWS's own command line, which this machine need not have."""
        _, service, operation, *options = shlex.split(self.next(f"aws {begins}"))
        client = self.deployed.client(service)
        method = xform_name(operation.replace("-", "_"))
        shape = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[method]
        ).input_shape
        members = {xform_name(name, "-"): name for name in shape.members}
        names = [members[option.removeprefix("--")] for option in options[::2]]
        found: Mapping[str, Any] = getattr(client, method)(**dict(zip(names, options[1::2], strict=True)))
        return found


def _taken(words: list[str], sign: str) -> str:
    """The file behind a redirection, which is taken out of the words."""
    if sign not in words:
        return ""
    at = words.index(sign)
    _, name = words[at : at + 2]
    del words[at : at + 2]
    return name


@pytest.fixture
def runbook(deployed: Deployment, tmp_path: Path) -> Iterator[Callable[..., Runbook]]:
    """Opens a page; in the end all its commands must have been run."""
    opened: list[Runbook] = []

    def open_page(page: str, **values: str) -> Runbook:
        opened.append(Runbook(deployed, page, tmp_path, values))
        return opened[-1]

    yield open_page
    for book in opened:
        assert book.left == [], f"{book.page}: these commands were not run"


@dataclass(frozen=True)
class Caller:
    """Who asks for decisions, with the credentials that the command line has too."""

    deployed: Deployment

    @property
    def session(self) -> boto3.Session:
        record = self.deployed.stack.record
        return boto3.Session(record.account, "local", region_name=record.region)

    @property
    def api(self) -> Decisions:
        url = self.deployed.stack.local_address(self.deployed.output("inference", "ApiUrl"))
        return Decisions(url.rstrip("/"), session=self.session)

    def unsure(self, *, reference: str) -> Decision:
        """A case that people decide."""
        case = load_cases(ROOT / "build/models", use_cases=[LOAN], each=1)[0]
        return self.api.decide(LOAN, {**case.input, "amount": 15_000}, reference=reference)

    def sure(self) -> Decision:
        """A case that the model decides, if it may; no spot check was drawn."""
        case = load_cases(ROOT / "build/models", use_cases=[TUMOR], each=1)[0]
        while True:
            decision = self.api.decide(TUMOR, case.input)
            if codes(decision) != ["spot_check"]:
                return decision
            self.api.cancel(decision.decision_id)

    def state(self, decision: Decision) -> str:
        return self.api.get(decision.decision_id).state

    def answer(self, decision: Decision, answer: Mapping[str, Any]) -> None:
        """Whoever is free reads it."""
        until(lambda: self.state(decision) == "IN_REVIEW", what="a review")
        sandbox = ReviewSandbox(self.deployed.stack.portal_url, session=self.session)
        sandbox.answer_decision(decision.decision_id, answer)

    def signed(self, *, reference: str) -> Decision:
        """A decision that somebody signed."""
        decision = self.unsure(reference=reference)
        self.answer(decision, {"decision": {"label": "decline"}, "reason_code": "capacity"})
        return self.api.wait(decision.decision_id, timeout_s=30.0)

    def invoke(self, module: str) -> None:
        """What the schedule does."""
        name = function_of(self.deployed.stack, module)
        reply = self.deployed.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in reply, reply["Payload"].read()


@contextmanager
def taken_away(deployed: Deployment, module: str, *actions: str) -> Iterator[None]:
    """Meanwhile a deployed function is denied these actions."""
    iam, functions = deployed.client("iam"), deployed.client("lambda")
    name = function_of(deployed.stack, module)
    role = functions.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    statement = {"Sid": PLANTED, "Effect": "Deny", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="planted", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="planted")


@pytest.fixture
def caller(deployed: Deployment) -> Caller:
    return Caller(deployed)


def codes(decision: Decision) -> list[str]:
    return [reason["code"] for reason in decision.document["route"]["reasons"]]


def test_every_page_is_in_the_list_and_the_other_way_round() -> None:
    listed = set(re.findall(r"\]\(([a-z-]+)\.md\)", (PAGES / "README.md").read_text()))
    assert listed == {page.stem for page in PAGES.glob("*.md")} - {"README"}


def test_kill_switch(runbook: Callable[..., Runbook], caller: Caller) -> None:
    book = runbook("kill-switch")
    assert caller.sure().is_final
    # The page's use case is loans, whose model is hardly ever sure; the switch over it acts alike.
    book.left = [line.replace(LOAN, TUMOR) for line in book.left]
    book.run("kill-switch on")
    assert f"{TUMOR}: on" in book.run("kill-switch status").stdout
    switched = caller.sure()
    assert (switched.is_final, codes(switched)) == (False, ["kill_switch"])
    book.run("kill-switch off")
    assert caller.sure().is_final
    book.run("audit report")
    report = json.loads((book.folder / "report.json").read_text())
    assert [one for one in report["changes"] if "income arrives empty" in json.dumps(one)]
    caller.api.cancel(switched.decision_id)


def test_redrive(runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller) -> None:
    events, sqs = deployed.client("events"), deployed.client("sqs")
    rules = events.list_rules()["Rules"]
    (heard,) = (one["Name"] for one in rules if "HumanLoop Status Change" in one.get("EventPattern", ""))
    decision = caller.unsure(reference="runbook-redrive")
    events.disable_rule(Name=heard)
    try:
        caller.answer(decision, {"decision": {"label": "approve"}})
        loop = _loops(deployed, decision)[0]
        event = {
            "detail-type": "SageMaker A2I HumanLoop Status Change",
            "source": "aws.sagemaker",
            "detail": {
                "humanLoopName": loop["HumanLoopName"],
                "humanLoopStatus": "Completed",
                "flowDefinitionArn": loop["FlowDefinitionArn"],
            },
        }
        target = events.list_targets_by_rule(Rule=heard)["Targets"][0]
        url = sqs.get_queue_url(QueueName=target["DeadLetterConfig"]["Arn"].rpartition(":")[2])["QueueUrl"]
        attribute = {"DataType": "String", "StringValue": target["Arn"]}
        sqs.send_message(
            QueueUrl=url, MessageBody=json.dumps(event), MessageAttributes={"TARGET_ARN": attribute}
        )
        book = runbook("redrive")
        assert re.search(rf"^ +1  {PREFIX}-demo-", book.run("dead-letters list").stdout, re.MULTILINE)
        book.run("outbox list")
        assert "1 handed over again" in book.run("dead-letters redrive").stdout
        book.run("outbox redrive")
        assert caller.api.wait(decision.decision_id, timeout_s=30.0).label == "approve"
    finally:
        events.enable_rule(Name=heard)


def _loops(deployed: Deployment, decision: Decision) -> list[dict[str, Any]]:
    """The human loops of a decision."""
    table = deployed.output("data", "TableName")
    key = {"pk": {"S": decision.decision_id}, "sk": {"S": "DECISION"}}
    item = deployed.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    names = set(re.findall(r'"(h-[a-z0-9-]+)"', json.dumps(item)))
    a2i = deployed.client("sagemaker-a2i-runtime")
    return [a2i.describe_human_loop(HumanLoopName=name) for name in sorted(names)]


def test_review_outage(runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller) -> None:
    with taken_away(deployed, "start_loop", "sagemaker:StartHumanLoop"):
        waiting, unneeded = caller.unsure(reference="runbook-outage"), caller.unsure(reference="unneeded")
        until(lambda: "waiting" in _review(caller, waiting), what="a start that failed")
        book = runbook("review-outage", DECISION=waiting.decision_id, UNNEEDED=unneeded.decision_id)
        assert waiting.decision_id in book.run("backlog list").stdout
        assert "review not started yet" in book.run("backlog show").stdout
        book.run("review list")
        assert "CANCELLED" in book.run("decisions cancel").stdout
    _make_due(deployed, waiting)
    until(lambda: caller.invoke("start_loop") or caller.state(waiting) == "IN_REVIEW", what="the start")
    (loop,) = _loops(deployed, waiting)
    assert loop["HumanLoopName"] in book.run("review list").stdout
    caller.api.cancel(waiting.decision_id)


def _review(caller: Caller, decision: Decision) -> Mapping[str, Any]:
    found: Mapping[str, Any] = caller.api.get(decision.decision_id).document.get("review", {})
    return found


def _make_due(deployed: Deployment, decision: Decision) -> None:
    """As if the time until the next attempt had passed."""
    deployed.client("dynamodb").update_item(
        TableName=deployed.output("data", "TableName"),
        Key={"pk": {"S": decision.decision_id}, "sk": {"S": "DECISION"}},
        UpdateExpression="SET due_at = :past, waiting.next_attempt_at = :past",
        ExpressionAttributeValues={":past": {"S": "2020-01-01T00:00:00.000Z"}},
    )


def test_standstill(runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller) -> None:
    events, table = deployed.client("events"), deployed.output("data", "TableName")
    decision = caller.unsure(reference="runbook-standstill")
    until(lambda: caller.state(decision) == "IN_REVIEW", what="a review")
    key = {"pk": {"S": decision.decision_id}, "sk": {"S": "DECISION"}}
    book = runbook("standstill", STACK=f"{deployed.prefix}-inference", DECISION=decision.decision_id)
    book.values["RULE"] = sweep = _rule_of_sweep(deployed, prefix=f"{deployed.prefix}-inference")
    events.disable_rule(Name=sweep)
    try:
        deployed.client("dynamodb").update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET due_at = :past",
            ExpressionAttributeValues={":past": {"S": "2020-01-01T00:00:00.000Z"}},
        )
        caller.invoke("measure_operations")
        assert until(lambda: _overdue(deployed), what="a line of metrics") >= 1
        rules = {rule["Name"]: rule["State"] for rule in book.aws("events list-rules")["Rules"]}
        assert [name for name, state in rules.items() if state == "DISABLED"] == [sweep]
        book.aws("events enable-rule")
    finally:
        events.enable_rule(Name=sweep)
    book.run("dead-letters list")
    assert decision.decision_id in book.run("backlog list").stdout
    book.run("backlog show")
    deployed.client("lambda").invoke(
        FunctionName=function_of(deployed.stack, "ingest_review"), Payload=b'{"sweep": "due"}'
    )
    item = deployed.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    assert item["due_at"]["S"] > datetime.now(UTC).isoformat()
    caller.api.cancel(decision.decision_id)


def _rule_of_sweep(deployed: Deployment, *, prefix: str) -> str:
    """The rule that wakes the ingest function for what is due."""
    events = deployed.client("events")
    (found,) = (
        rule["Name"]
        for rule in events.list_rules(NamePrefix=prefix)["Rules"]
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if json.loads(target.get("Input", "{}")) == {"sweep": "due"}
    )
    return str(found)


def _overdue(deployed: Deployment) -> int:
    """What was last measured."""
    figures = [
        line["Unreconciled"]
        for line in metric_lines(deployed, "measure_operations")
        if "Unreconciled" in line
    ]
    return int(figures[-1]) if figures else 0


def test_kms_disabled(runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller) -> None:
    """The emulator's tables do not ask for their key: what a disabled one does is done to the role."""
    kms = deployed.client("kms")
    aliases = kms.list_aliases()["Aliases"]
    (key,) = (one["TargetKeyId"] for one in aliases if one["AliasName"] == f"alias/{PREFIX}-demo-data")
    book = runbook("kms-disabled", KEY=key)
    kms.disable_key(KeyId=key)
    with taken_away(deployed, "route_prediction", "dynamodb:*", "s3:*"):
        with pytest.raises(ApiError) as refused:
            caller.unsure(reference="runbook-kms")
        assert refused.value.status in (500, 503)
        assert book.aws("kms describe-key")["KeyMetadata"]["KeyState"] == "Disabled"
    book.aws("kms enable-key")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"] is True
    book.run("dead-letters redrive")
    book.run("audit verify")
    decision = caller.unsure(reference="runbook-kms")
    assert not decision.is_over
    caller.api.cancel(decision.decision_id)


def test_server_errors(runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller) -> None:
    book = runbook("server-errors", FUNCTION=function_of(deployed.stack, "route_prediction"))
    with taken_away(deployed, "route_prediction", "dynamodb:*"):
        with pytest.raises(ApiError) as refused:
            caller.unsure(reference="runbook-errors")
        assert refused.value.status in (500, 503)
        book.values["GROUP"] = book.aws("lambda get-function-configuration")["LoggingConfig"]["LogGroup"]
        found = [one["message"] for one in book.aws("logs filter-log-events")["events"]]
        (line,) = [json.loads(one) for one in found if '"ERROR"' in one][-1:]
        assert (line["message"], line["code"][:12]) == ("service refused", "AccessDenied")
    assert book.aws("lambda get-account-settings")["AccountLimit"]["ConcurrentExecutions"] > 0
    book.run("dead-letters redrive")
    decision = caller.unsure(reference="runbook-errors")
    assert not decision.is_over
    caller.api.cancel(decision.decision_id)


def test_backlog_surge(runbook: Callable[..., Runbook], caller: Caller) -> None:
    waiting = [caller.unsure(reference=f"surge-{number}") for number in range(4)]
    book = runbook("backlog-surge", UNNEEDED=waiting[0].decision_id)
    book.run("backlog list")
    assert LOAN in book.run("monitor status").stdout
    book.run("kill-switch status")
    assert "CANCELLED" in book.run("decisions cancel").stdout
    for decision in waiting[1:]:
        caller.api.cancel(decision.decision_id)


def test_compromised_reviewer(
    runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller, tmp_path: Path
) -> None:
    began = datetime.now(UTC).isoformat()
    signed = caller.signed(reference="runbook-reviewer")
    subs = _signers(deployed, signed)
    roster = tmp_path / "roster.json"
    roster.write_text(json.dumps({"schema": 1, "people": []}))
    book = runbook("compromised-reviewer", ROSTER=str(roster), SUB=subs[0], DAY=began)
    book.run("roster show")
    book.run("roster put")
    listed = book.run("audit decided-by").stdout.split()
    assert signed.decision_id in listed
    book.run("decisions recheck")
    old = caller.api.get(signed.decision_id).document
    again = caller.api.get(old["contested_by"])
    assert (again.state in ("PENDING", "IN_REVIEW"), again.document["supersedes"]) == (
        True,
        signed.decision_id,
    )
    for decision_id in listed:
        caller.api.cancel(caller.api.get(decision_id).document["contested_by"])


def _signers(deployed: Deployment, decision: Decision) -> list[str]:
    table = deployed.output("data", "TableName")
    key = {"pk": {"S": decision.decision_id}, "sk": {"S": "DECISION"}}
    item = deployed.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    return re.findall(r'"sub": \{"S": "([^"]+)"\}', json.dumps(item))


def test_chain_break(
    runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller, tmp_path: Path
) -> None:
    decision = caller.signed(reference="runbook-chain")
    caller.invoke("anchor_audit")
    book = runbook("chain-break", FILE=str(tmp_path / "audit.zip"), DECISION=decision.decision_id)
    dynamodb, table = deployed.client("dynamodb"), deployed.output("data", "TableName")
    key = {"pk": {"S": decision.decision_id}, "sk": {"S": "AUDIT#00000001"}}
    entry = dynamodb.get_item(TableName=table, Key=key)["Item"]
    try:
        detail = {"M": {**entry["detail"]["M"], "use_case": {"S": "another"}}}
        dynamodb.put_item(TableName=table, Item={**entry, "detail": detail})
        assert "changed: hash" in book.run("audit verify", ends_with=1).output
        book.run("audit verify")
        book.run("audit export")
        assert book.run("audit replay", ends_with=1).output
    finally:
        dynamodb.put_item(TableName=table, Item=entry)
    book.run("audit verify")


def test_poison_template(runbook: Callable[..., Runbook], deployed: Deployment, caller: Caller) -> None:
    policy = policy_in_force(deployed, LOAN)
    flow = _poisoned(deployed, good=policy["review"]["flow_definition_arn"])
    _publish(
        deployed,
        {**policy, "version": "poisoned", "review": {**policy["review"], "flow_definition_arn": flow}},
    )
    name = flow.rpartition("/")[2]
    try:
        decision = caller.unsure(reference="runbook-poison")
        caller.answer(decision, {"verdict": "yes"})
        loops = until(lambda: _two(_loops(deployed, decision)), what="a second generation")
        assert {loop["FlowDefinitionArn"] for loop in loops} == {flow}
    finally:
        _publish(deployed, policy)
    book = runbook("poison-template", COMMIT="HEAD", FLOW=name, DECISION=decision.decision_id)
    book.next("git revert")
    book.next("cdk deploy")
    found = [json.loads(line) for line in book.run("review list").stdout.splitlines()]
    book.values["LOOP"] = " ".join(one["name"] for one in found)
    book.run("review stop")
    book.aws("sagemaker delete-flow-definition")

    def is_under_the_good_page() -> bool:
        for module in ("ingest_review", "start_loop"):
            caller.invoke(module)
        open_loops = [one for one in _loops(deployed, decision) if one["HumanLoopStatus"] == "InProgress"]
        return bool(open_loops) and all(one["FlowDefinitionArn"] != flow for one in open_loops)

    until(is_under_the_good_page, what="a review under the good page")
    assert "IN_REVIEW" in book.run("backlog show").stdout
    caller.api.cancel(decision.decision_id)


def _two(loops: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return loops if len(loops) == 2 else None


def _poisoned(deployed: Deployment, *, good: str) -> str:
    """The ARN of a flow definition like the good one, but for a page whose answers hold no label."""
    sagemaker = deployed.client("sagemaker")
    page = '<crowd-form><crowd-input name="verdict"></crowd-input></crowd-form>'
    ui = sagemaker.create_human_task_ui(
        HumanTaskUiName=f"{deployed.prefix}-loan-approval-bad0bad0", UiTemplate={"Content": page}
    )["HumanTaskUiArn"]
    like = sagemaker.describe_flow_definition(FlowDefinitionName=good.rpartition("/")[2])
    created = sagemaker.create_flow_definition(
        FlowDefinitionName=f"{deployed.prefix}-loan-approval-bad0bad0",
        HumanLoopConfig={**like["HumanLoopConfig"], "HumanTaskUiArn": ui},
        OutputConfig=like["OutputConfig"],
        RoleArn=like["RoleArn"],
    )
    return str(created["FlowDefinitionArn"])


def _publish(deployed: Deployment, policy: Mapping[str, Any]) -> None:
    """Puts a policy in force, at once: functions that hold an older one are started anew."""
    appconfig, functions = deployed.client("appconfig"), deployed.client("lambda")
    application = deployed.output("review", "AppConfigApplicationId")
    profiles = appconfig.list_configuration_profiles(ApplicationId=application)["Items"]
    (profile,) = (one["Id"] for one in profiles if one["Name"] == policy["use_case"])
    version = appconfig.create_hosted_configuration_version(
        ApplicationId=application,
        ConfigurationProfileId=profile,
        Content=json.dumps(policy).encode(),
        ContentType="application/json",
    )["VersionNumber"]
    strategies = appconfig.list_deployment_strategies()["Items"]
    (at_once,) = (one["Id"] for one in strategies if one["Name"] == f"{PREFIX}-demo-all-at-once")
    appconfig.start_deployment(
        ApplicationId=application,
        EnvironmentId=deployed.output("review", "AppConfigEnvironmentId"),
        DeploymentStrategyId=at_once,
        ConfigurationProfileId=profile,
        ConfigurationVersion=str(version),
    )
    for module in ("route_prediction", "start_loop", "ingest_review"):
        name = function_of(deployed.stack, module)
        memory = functions.get_function_configuration(FunctionName=name)["MemorySize"]
        functions.update_function_configuration(FunctionName=name, MemorySize=memory + 1)
