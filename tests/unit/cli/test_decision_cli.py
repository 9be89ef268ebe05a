"""`overread decide`, `decisions` and what people steer, against the handlers over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result

from overread.routing.policy import MonitorTerms
from overread_cli import decision_target
from overread_cli.main import main
from overread_client import Pauses
from overread_lambda.logs import log
from overread_testing.api_calls import Api
from overread_testing.audits import GUARANTEE, tell_errors
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import World

LEAD = "arn:aws:sts::111122223333:assumed-role/Lead/session"
ROSTER = {
    "schema": 1,
    "people": [
        {
            "sub": "s-1",
            "issuer": "https://id.example.com",
            "name": "Ada",
            "use_cases": {
                "loan-approval": {"qualified_until": "2027-01-01T00:00:00Z", "authority_limit": 50000}
            },
        }
    ],
}


@dataclass
class Desk:
    """The API over a world, and the command line pointed at it. `before` runs before each call of a path."""

    api: Api
    url: str = ""
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    authorizations: list[str] = field(default_factory=list)

    def run(self, *arguments: str, given: str = "", url: bool = True) -> Result:
        """One command; `given` is its standard input."""
        options = ["--url", self.url] if url else []
        return CliRunner().invoke(main, [*arguments, *options], input=given)

    def decide(self, *options: str, confidence: float = 0.99) -> Result:
        """`overread decide` of a case that the model is so sure of."""
        reply = {"label": "approve", "confidence": confidence}
        self.api.world.models.reply = json.dumps(reply).encode()
        return self.run("decide", "loan-approval", "--input", "-", *options, given='{"amount": 1}')

    def decision_id(self, *options: str, confidence: float = 0.99) -> str:
        """The id of a new decision."""
        done = self.decide("--json", *options, confidence=confidence)
        assert done.exit_code == 0, done.output
        return str(json.loads(done.stdout)["decision_id"])


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "111122223333"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("NO_PROXY", "127.0.0.1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(decision_target.TOKEN_VARIABLE, raising=False)
    monkeypatch.setattr(log, "disabled", True)  # it goes to the output that the commands write to
    found = Desk(Api(World(policy())))

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/live")
            found.authorizations.append(self.headers["Authorization"])
            found.before.get(path, lambda: None)()
            got = found.api.call(
                self.command,
                path,
                body=body or None,
                key=self.headers.get("Idempotency-Key"),
                query=dict(parse_qsl(parts.query)),
            )
            content = json.dumps(got.document).encode()
            self.send_response(got.status)
            for name, value in {**got.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{http.server_port}/live"
    yield found
    http.shutdown()
    http.server_close()
    thread.join()


def lines(result: Result) -> dict[str, str]:
    """A shown decision: values by name."""
    assert result.exit_code == 0, result.output
    return {line[:14].strip(): line[14:] for line in result.stdout.splitlines()}


def test_a_sure_case_is_decided_and_told_in_words(desk: Desk) -> None:
    shown = lines(desk.decide("--reference", "loan-8841"))
    assert (shown["state"], shown["reference"]) == ("FINAL", "loan-8841")
    assert shown["outcome"] == "approve, by the model, 2026-11-22T21:00:00.000Z"
    assert shown["prediction"].startswith("approve at 0.99, by loan-approval")
    assert shown["route"] == "goes to the model"
    assert "AWS4-HMAC-SHA256" in desk.authorizations[0]


def test_an_unsure_case_tells_the_reason_and_nothing_of_the_answer(desk: Desk) -> None:
    shown = lines(desk.decide(confidence=0.5))
    assert (shown["state"], shown["route"]) == ("PENDING", "goes to people: confidence_below_threshold")
    assert "prediction" not in shown


def test_the_same_key_is_the_same_decision(desk: Desk) -> None:
    assert desk.decision_id("--key", "k") == desk.decision_id("--key", "k")
    assert desk.decision_id() != desk.decision_id()


def test_all_that_a_request_may_say_is_sent(desk: Desk, tmp_path: Path) -> None:
    desk.decide("--priority", "high", "--deadline", "2026-12-01T12:00:00Z", confidence=0.5)
    (item,) = desk.api.world.records.items.values()
    assert (item["priority"], item["deadline"]) == ("high", "2026-12-01T12:00:00.000Z")
    file = tmp_path / "prediction.json"
    file.write_text('{"label": "approve", "confidence": 1, "model": "m", "version": "1"}')
    refused = desk.decide("--prediction", str(file))
    assert refused.exit_code == 1
    assert "prediction must be left out" in refused.stderr


def test_waiting_ends_when_it_is_over(desk: Desk) -> None:
    pending = desk.decision_id(confidence=0.5)
    looks = []

    def look() -> None:
        looks.append(pending)
        if len(looks) == 3:
            desk.api.call("POST", f"/v1/decisions/{pending}/cancel")

    desk.before[f"/v1/decisions/{pending}"] = look
    done = desk.run("decisions", "get", pending, "--wait", "60")
    assert (done.exit_code, len(looks)) == (1, 3)
    assert f"{pending} is PENDING; waiting" in done.stderr
    assert f"decision {pending} was cancelled" in done.stderr


def test_waiting_in_vain_says_which_decision_it_is(desk: Desk) -> None:
    done = desk.decide("--wait", "0", confidence=0.5)
    assert done.exit_code == 1
    assert "was not final after 0 s" in done.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [("{", "is not JSON"), ("[1]", "must hold a JSON object"), ('{"a": 1, "a": 2}', "is not JSON")],
)
def test_an_input_that_is_no_object_is_not_sent(desk: Desk, given: str, told: str) -> None:
    done = desk.run("decide", "loan-approval", "--input", "-", given=given)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "nothing was sent" in done.stderr
    assert desk.authorizations == []


def test_a_refusal_is_one_sentence(desk: Desk) -> None:
    done = desk.run("decide", "tumor", "--input", "-", given="{}")
    assert done.exit_code == 1
    assert done.stderr == "Error: 404 Unknown use case: use case 'tumor' is unknown (name)\n"


def test_who_does_not_know_what_happened_is_told_the_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.url = "http://127.0.0.1:1/live"
    monkeypatch.setattr("overread_client._decisions.Pauses", lambda: Pauses(attempts=1))
    done = desk.decide("--key", "order-8841")
    assert done.exit_code == 1
    assert "ask again with --key order-8841" in done.stderr
    assert "does not answer" in done.stderr


def test_a_token_goes_in_place_of_a_signature(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(decision_target.TOKEN_VARIABLE, "t-1")
    desk.decide()
    assert desk.authorizations == ["Bearer t-1"]


def test_decisions_are_listed_newest_first(desk: Desk) -> None:
    assert desk.run("decisions", "list").stdout == "no decisions\n"
    first = desk.decision_id("--reference", "r")
    desk.api.world.clock.pass_seconds(1)
    second = desk.decision_id(confidence=0.5)
    assert desk.run("decisions", "list").stdout.splitlines() == [
        f"2026-11-22T21:00:01.000Z  {second}  PENDING    loan-approval",
        f"2026-11-22T21:00:00.000Z  {first}  FINAL      loan-approval  r",
    ]
    only = desk.run("decisions", "list", "--state", "final", "--json").stdout
    assert json.loads(only) == {
        "decision_id": first,
        "use_case": "loan-approval",
        "state": "FINAL",
        "reference": "r",
        "received_at": "2026-11-22T21:00:00.000Z",
    }
    assert desk.run("decisions", "list", "--reference", "x").stdout == "no decisions stand so\n"
    assert desk.run("decisions", "list", "--use-case", "x").stdout == "no decisions stand so\n"
    cut = desk.run("decisions", "list", "--limit", "1")
    assert (len(cut.stdout.splitlines()), "--limit 10" in cut.stderr) == (1, True)


def test_watching_prints_each_change_until_it_is_over(desk: Desk) -> None:
    pending = desk.decision_id(confidence=0.5)
    looks = []

    def look() -> None:
        looks.append(pending)
        if len(looks) == 2:
            desk.api.call("POST", f"/v1/decisions/{pending}/cancel")

    desk.before[f"/v1/decisions/{pending}"] = look
    done = desk.run("decisions", "watch", pending)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"{pending}  PENDING", f"{pending}  CANCELLED"]
    assert desk.run("decisions", "watch", desk.decision_id(confidence=0.5), "--timeout", "0").exit_code == 1


def test_a_decision_is_contested_and_the_truth_told(desk: Desk) -> None:
    final = desk.decision_id()
    told = lines(desk.run("decisions", "outcome", final, "decline", "--learnt-at", "2026-11-22T20:00:00Z"))
    assert told["truth"] == "decline, learnt 2026-11-22T20:00:00.000Z"
    new = lines(desk.run("decisions", "contest", final, "--grounds", "g"))
    assert (new["supersedes"], new["state"]) == (final, "PENDING")
    old = lines(desk.run("decisions", "get", final))
    assert old["contested by"] == new["decision"]
    again = lines(desk.run("decisions", "contest", final, "--grounds", "g"))
    assert again["decision"] == new["decision"]


def test_a_decision_is_cancelled_with_a_reason(desk: Desk) -> None:
    pending = desk.decision_id(confidence=0.5)
    shown = lines(desk.run("decisions", "cancel", pending, "--reason-code", "withdrawn"))
    assert (shown["state"], shown["cancelled"]) == ("CANCELLED", "cancelled_by_caller (reason withdrawn)")
    done = desk.run("decisions", "cancel", desk.decision_id())
    assert done.exit_code == 1
    assert "409 The decision is final" in done.stderr


def test_a_kill_switch_goes_on_at_once_and_off_by_two(desk: Desk) -> None:
    assert desk.run("kill-switch", "status").stdout == "every use case: off, models may decide\n"
    on = desk.run("kill-switch", "on", "--use-case", "loan-approval", "--reason", "drift")
    assert on.stdout.splitlines() == [
        "loan-approval: on, people decide",
        "  since 2026-11-22T21:00:00.000Z, by 111122223333:assumed-role/LoanService: drift",
    ]
    off = ("kill-switch", "off", "--use-case", "loan-approval", "--reason", "new model")
    proposed = desk.run(*off).stdout
    assert "loan-approval: on, people decide" in proposed
    assert "off is proposed; it happens when another person gives the same command" in proposed
    desk.api.user_arn = LEAD
    assert "loan-approval: off, models may decide" in desk.run(*off).stdout
    assert json.loads(desk.run("kill-switch", "status", "--json").stdout)["scope"] == "all"


def test_a_kill_switch_needs_a_reason(desk: Desk) -> None:
    assert desk.run("kill-switch", "on").exit_code == 2


def test_a_roster_is_checked_proposed_approved_and_shown(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "roster.json"
    file.write_text(json.dumps(ROSTER))
    checked = desk.run("roster", "check", str(file), url=False)
    assert (checked.exit_code, checked.stdout) == (0, "1 people; the roster is right\n")
    assert "is proposed" in desk.run("roster", "put", str(file)).stdout
    shown = desk.run("roster", "show").stdout
    assert shown.startswith("no roster is in force\nproposed  ")
    desk.api.user_arn = LEAD
    assert desk.run("roster", "put", str(file)).stdout.endswith("is in force\n")
    shown = desk.run("roster", "show").stdout
    assert "approved by 111122223333:assumed-role/Lead" in shown
    assert shown.splitlines()[1:] == [
        "  Ada  s-1",
        "    loan-approval until 2027-01-01T00:00:00Z, up to 50000",
    ]


def test_a_roster_with_faults_is_told_whole_and_not_sent(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "roster.json"
    file.write_text(json.dumps({"schema": 1, "people": [{"name": ""}]}))
    for command, url in (("check", False), ("put", True)):
        done = desk.run("roster", command, str(file), url=url)
        assert done.exit_code == 2
        assert all(name in done.stderr for name in ("people[0].sub", "people[0].issuer", "people[0].name"))
    assert desk.authorizations == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--aws", "--url", "https://x"), "--aws goes with neither"),
        (("--url", "https://x", "--stack", "y"), "--stack does not go with --url"),
        (("--url", "nowhere"), "http(s) address of a decision API"),
    ],
)
def test_a_target_that_is_none_is_told(desk: Desk, options: tuple[str, ...], told: str) -> None:
    done = desk.run("decisions", "list", *options, url=False)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.parametrize(
    ("stacks", "told"),
    [
        ({}, "no decision API is deployed in this account and region"),
        (
            {"a": True, "b": True},
            "several decision APIs in this account and region; name one with --stack: a, b",
        ),
        ({"a": True, "data": False}, None),
    ],
)
def test_on_aws_the_api_is_found_by_its_stacks_output(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stacks: dict[str, bool], told: str | None
) -> None:
    client = boto3.client("cloudformation", region_name="eu-west-1")
    output = {"OutputKey": "ApiUrl", "OutputValue": f"{desk.url}/"}
    with Stubber(client) as script:
        page = [
            {
                "StackName": name,
                "CreationTime": "2026-11-22T21:00:00Z",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": [output] if has_api else [],
            }
            for name, has_api in stacks.items()
        ]
        script.add_response("describe_stacks", {"Stacks": page})
        monkeypatch.setattr(boto3.Session, "client", lambda *_, **__: client)
        done = desk.run("decisions", "list", "--aws", url=False)
    assert (done.exit_code, done.stdout) == ((1, "") if told else (0, "no decisions\n"))
    assert told is None or told in done.stderr


def test_without_a_local_stack_that_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["decisions", "list", "--state-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "no local stack runs in" in done.stderr


def test_a_guarantee_is_proposed_approved_and_shown(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "loans.json"
    file.write_text(json.dumps(GUARANTEE))
    show = ("guarantee", "show", "--use-case", "loan-approval")
    assert desk.run(*show).stdout == "loan-approval: no guarantee is approved\n"
    assert "proposed  g-" in desk.run("guarantee", "propose", str(file)).stdout
    desk.api.user_arn = LEAD
    assert desk.run("guarantee", "propose", str(file)).stdout.startswith("approved  g-")
    shown = desk.run(*show).stdout.splitlines()
    assert shown[0].endswith("approved by 111122223333:assumed-role/Lead")
    assert shown[1] == (
        "  at most 0.01 of automatic decisions wrong, 0.95 sure, from confidence 0.93 on (72.0% of cases), "
        "model v1, against one-reader"
    )


def test_a_guarantee_with_faults_is_told_whole_and_not_sent(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "loans.json"
    file.write_text(json.dumps({**GUARANTEE, "alpha": 2, "points": 0}))
    done = desk.run("guarantee", "propose", str(file))
    assert done.exit_code == 2
    assert "alpha must be a number between 0 and 1, got 2" in done.stderr
    assert "points must be a whole number of at least 1, got 0" in done.stderr
    assert desk.authorizations == []


def test_error_monitors_are_shown_and_begin_anew(desk: Desk) -> None:
    world = desk.api.world
    assert (
        desk.run("monitor", "status").stdout == "loan-approval: the routing policy wants no error monitor\n"
    )
    world.policies.policy = replace(policy(), monitor=MonitorTerms(alpha=0.1, delta=0.05, outcomes=False))
    tell_errors(world, 8)
    shown = desk.run("monitor", "status", "--use-case", "loan-approval").stdout
    assert shown.startswith("loan-approval: ALARM since 2026-11-22T21:00:00.000Z, people decide\n")
    assert "  8 of 8 audited decisions wrong, since " in shown
    listed = json.loads(desk.run("monitor", "status", "--json").stdout)
    assert listed["error_monitors"][0]["errors"] == 8
    again = ("monitor", "restart", "--use-case", "loan-approval", "--reason", "model replaced")
    assert "to begin anew is proposed" in desk.run(*again).stdout
    desk.api.user_arn = LEAD
    assert desk.run(*again).stdout.startswith("loan-approval: calm\n  0 of 0 audited decisions wrong")


def test_an_unknown_use_case_has_no_monitor(desk: Desk) -> None:
    done = desk.run("monitor", "status", "--use-case", "unknown")
    assert (done.exit_code, "use_case must be one of loan-approval" in done.stderr) == (1, True)


def test_doubtful_decisions_are_read_again_once(desk: Desk) -> None:
    first, second = desk.decision_id("--key", "a"), desk.decision_id("--key", "b")
    desk.api.user_arn = LEAD
    given = f"{first}\n{second}\n{first}\n"
    done = desk.run("decisions", "recheck", "-", "--grounds", "account taken over", given=given)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "2 of 2 are read again"
    assert (
        desk.run("decisions", "recheck", "-", "--grounds", "account taken over", given=given).stdout
        == done.stdout
    )


def test_what_cannot_be_read_again_is_named_and_the_rest_is_done(desk: Desk) -> None:
    final, pending = desk.decision_id("--key", "a"), desk.decision_id("--key", "b", confidence=0.5)
    unknown = "d-" + "a" * 26
    done = desk.run("decisions", "recheck", unknown, pending, final, "--grounds", "g")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{unknown}: decision '{unknown}' is unknown"
    assert lines[1] == f"{pending}: the decision is PENDING: only what is final can be contested"
    assert lines[2].startswith(f"{final}: read again as d-")
    assert f"not read again: {unknown}, {pending}" in done.stderr
