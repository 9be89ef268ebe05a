"""Whatever goes wrong from outside, over HTTP: one clear message, and nothing that was there is lost."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.unit.review.test_identity import make_lab, refusal

from overread.review import limits
from overread_review.app import create_app
from overread_review.portal.sessions import COOKIE, Sessions
from overread_review.portal.sign_in import OidcSignIn, SignInMethod
from overread_review.service.errors import DocumentRefusedError, DocumentUnavailableError
from overread_review.service.model import Reviewer
from overread_testing.review_fakes import ADA, GRACE, LENA, VERA, FakeDirectory

ROLE = "arn:aws:iam::111122223333:role/flow"
FLOW_ARN = "arn:aws:sagemaker:eu-west-1:111122223333:flow-definition/flow"
ANSWER = {"answer": {"decision": {"label": "approve"}}}
LEAKS = ("Traceback", 'File "', "Error(", "object at 0x", ".py")


@pytest.fixture
def desk(served_lab: Any) -> Any:
    """A task `loop-1` for one reviewer."""
    served_lab.lab.flow_definition(TaskTimeLimitInSeconds=600)
    served_lab.lab.start("loop-1", note="n")
    return served_lab


def said(reply: httpx.Response, status: int, *parts: str) -> str:
    """The one sentence of a problem; it tells the parts and nothing of the program's insides."""
    assert reply.status_code == status, reply.text
    document = reply.json()
    text = f"{document['title']}: {document['detail']}"
    assert reply.headers["content-type"] == "application/problem+json"
    assert len(document["detail"]) > 10
    assert not any(leak in text for leak in LEAKS), text
    for part in parts:
        assert part in text, text
    return text


def refused(call: Any, *parts: str, **params: Any) -> None:
    """The façade's ValidationException whose message has these parts."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert not any(leak in error["Message"] for leak in LEAKS), error
    for part in parts:
        assert part in error["Message"], error


def kept(desk: Any) -> tuple[Any, ...]:
    """All that must not be lost: loops as they are stored, documents, outputs, events."""
    lab = desk.lab
    loops = {name: lab.loop(name) for name in ("loop-1",)}
    return loops, dict(lab.documents.kept), dict(lab.documents.outputs), list(lab.events.delivered)


@contextmanager
def unchanged(desk: Any) -> Iterator[None]:
    """What the block does leaves no trace."""
    before = kept(desk)
    yield
    assert kept(desk) == before


def finish(desk: Any, reviewer: httpx.Client, name: str = "loop-1") -> None:
    """The task can still be done, and its output is written."""
    assert reviewer.post(f"/portal/api/tasks/{name}/claim").status_code == 200
    assert reviewer.post(f"/portal/api/tasks/{name}/answer", json=ANSWER).json()["status"] == "Completed"
    assert desk.lab.loop(name).output_uri in desk.lab.documents.outputs


# Templates


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("<crowd-form>\n{% if task.input.x %}</crowd-form>", 2),
        ("<crowd-form>\n\n{% endfor %}</crowd-form>", 3),
        ("{{ task.input.x | }}", 1),
        ("<p>{{ task.input.x</p>", 1),
        ("a\n{% for x in %}{% endfor %}", 2),
        ("{% include 'other' %}", 1),
        ("{% unknown %}", 1),
    ],
)
def test_a_malformed_template_is_refused_with_its_line(desk: Any, template: str, line: int) -> None:
    with unchanged(desk):
        refused(
            desk.sagemaker.create_human_task_ui,
            f"broken:{line}:",
            "not a valid Liquid template",
            HumanTaskUiName="broken",
            UiTemplate={"Content": template},
        )
    names = [ui["HumanTaskUiName"] for ui in desk.sagemaker.list_human_task_uis()["HumanTaskUiSummaries"]]
    assert names == ["ui"]


def test_a_template_that_cannot_be_rendered_fails_its_loop_and_says_why(desk: Any) -> None:
    content = "<crowd-form>\n{{ task.input.amount | divided_by: task.input.parts }}</crowd-form>"
    desk.sagemaker.create_human_task_ui(HumanTaskUiName="divides", UiTemplate={"Content": content})
    ui = "arn:aws:sagemaker:eu-west-1:111122223333:human-task-ui/divides"
    desk.lab.flow_definition("divides", HumanTaskUiArn=ui)
    desk.runtime.start_human_loop(
        HumanLoopName="bad-parts",
        FlowDefinitionArn=FLOW_ARN.replace("flow-definition/flow", "flow-definition/divides"),
        HumanLoopInput={"InputContent": '{"amount": 3, "parts": 0}'},
    )
    found = desk.runtime.describe_human_loop(HumanLoopName="bad-parts")
    assert (found["HumanLoopStatus"], found["FailureCode"]) == ("Failed", "ValidationError")
    assert "worker template cannot be rendered" in found["FailureReason"]
    assert ":2:" in found["FailureReason"]
    (event,) = desk.lab.events.delivered
    assert found["FailureReason"].startswith(f"{event['detail']['failureReason']}: ")
    finish(desk, desk.sign_in("ada"))


# Inputs


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('{"note": "' + "x" * 3_145_717 + '"}', ("inputContent", "less than or equal to 3145728")),
        ('{"note": ', ("InputContent is not valid JSON",)),
        ("[1]", ("InputContent is not a JSON object",)),
        ('{"note": NaN}', ("NaN is not JSON",)),
        ("[" * 100_000, ("InputContent is not valid JSON",)),
        ('{"note": "\\ud800"}', ("InputContent is not valid JSON",)),
    ],
    ids=["over 3 MiB", "cut off", "a list", "not a number", "too deep", "half a surrogate pair"],
)
def test_an_input_that_cannot_be_taken_leaves_its_name_free(
    desk: Any, content: str, parts: tuple[str, ...]
) -> None:
    with unchanged(desk):
        refused(
            desk.runtime.start_human_loop,
            *parts,
            HumanLoopName="next",
            FlowDefinitionArn=FLOW_ARN,
            HumanLoopInput={"InputContent": content},
        )
    desk.lab.start("next", note="well formed")
    finish(desk, desk.sign_in("ada"), "next")


def test_another_input_under_a_used_name_leaves_the_first_as_it_is(desk: Any) -> None:
    with unchanged(desk), pytest.raises(desk.runtime.exceptions.ConflictException, match="different input"):
        desk.runtime.start_human_loop(
            HumanLoopName="loop-1",
            FlowDefinitionArn=FLOW_ARN,
            HumanLoopInput={"InputContent": '{"note": "other"}'},
        )


# Images and documents


@pytest.fixture
def image_desk(served_lab: Any) -> Any:
    """The same with a page that shows an image."""
    content = '<crowd-form><img src="{{ task.input.image | grant_read_access }}"></crowd-form>'
    served_lab.sagemaker.create_human_task_ui(HumanTaskUiName="image", UiTemplate={"Content": content})
    ui = "arn:aws:sagemaker:eu-west-1:111122223333:human-task-ui/image"
    served_lab.lab.flow_definition("flow", HumanTaskUiArn=ui)
    served_lab.lab.start("loop-1", image="s3://inputs/case/7.png")
    return served_lab


@pytest.mark.parametrize(
    "error",
    [
        DocumentRefusedError("S3 AssumeRole: AccessDenied: the role may not be assumed"),
        DocumentUnavailableError("S3: connection refused"),
    ],
)
def test_an_image_that_cannot_be_signed_is_said_on_the_page_and_the_claim_stays(
    image_desk: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = image_desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")

    def refuse(*_: Any, **__: Any) -> str:
        raise error

    with unchanged(image_desk), monkeypatch.context() as patch:
        patch.setattr(image_desk.lab.documents, "sign_url", refuse, raising=False)
        reply = ada.get("/portal/tasks/loop-1/frame")
        assert reply.status_code == 503
        assert f"This task cannot be shown: {error}" in reply.text
    assert "objects.example/inputs/case/7.png" in ada.get("/portal/tasks/loop-1/frame").text
    finish(image_desk, ada)


def test_a_missing_input_document_is_said_and_the_answer_of_another_stays(desk: Any) -> None:
    desk.lab.flow_definition("twice", TaskCount=2)
    desk.lab.start("pair", flow="twice", note="n")
    desk.lab.service.tasks.claim("pair", reviewer=GRACE)
    desk.lab.service.tasks.answer("pair", reviewer=GRACE, content={"a": 1})
    loop = desk.lab.loop("pair")
    body = desk.lab.documents.kept.pop(loop.input_key)
    ada = desk.sign_in("ada")
    said(ada.post("/portal/api/tasks/pair/claim"), 503, loop.input_key, "does not exist")
    assert desk.lab.loop("pair").answers == loop.answers
    desk.lab.documents.kept[loop.input_key] = body
    finish(desk, ada, "pair")
    (output,) = desk.lab.documents.outputs.values()
    assert len(json.loads(output)["humanAnswers"]) == 2


def test_an_output_that_cannot_be_written_fails_the_loop_and_keeps_the_answer(desk: Any) -> None:
    desk.lab.documents.missing_buckets = frozenset({"outputs"})
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    ada.post("/portal/api/tasks/loop-1/answer", json=ANSWER)
    found = desk.runtime.describe_human_loop(HumanLoopName="loop-1")
    assert (found["HumanLoopStatus"], found["FailureCode"]) == ("Failed", "InternalError")
    assert "s3://outputs/reviews/flow/" in found["FailureReason"]
    assert "NoSuchBucket" in found["FailureReason"]
    (answer,) = desk.lab.loop("loop-1").answers
    assert json.loads(desk.lab.documents.kept[answer.content_key]) == ANSWER["answer"]


def test_an_output_that_cannot_be_written_now_is_written_by_the_sweep(desk: Any) -> None:
    desk.lab.documents.unavailable = 2
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    assert ada.post("/portal/api/tasks/loop-1/answer", json=ANSWER).status_code == 200
    assert desk.lab.documents.outputs == {}
    desk.lab.clock.advance(60)
    desk.lab.service.loops.sweep()
    assert desk.lab.documents.outputs == {}
    desk.lab.service.loops.sweep()
    assert desk.lab.loop("loop-1").output_uri in desk.lab.documents.outputs


# Too late, twice


def test_after_the_time_limit_an_answer_is_refused_and_the_task_goes_on(desk: Any) -> None:
    ada, grace = desk.sign_in("ada"), desk.sign_in("grace")
    ada.post("/portal/api/tasks/loop-1/claim")
    desk.lab.clock.advance(600)
    with unchanged(desk):
        said(ada.post("/portal/api/tasks/loop-1/answer", json=ANSWER), 410, "time for this task is over")
    finish(desk, grace)


def test_after_the_lifetime_a_claim_is_refused_and_the_loop_says_expired(desk: Any) -> None:
    desk.lab.clock.advance(limits.TASK_AVAILABILITY_S.maximum)
    desk.lab.service.loops.sweep()
    ada = desk.sign_in("ada")
    said(ada.post("/portal/api/tasks/loop-1/claim"), 410, "ended")
    found = desk.runtime.describe_human_loop(HumanLoopName="loop-1")
    assert (found["HumanLoopStatus"], found["FailureCode"]) == ("Failed", "Expired")
    assert found["FailureReason"]


def test_a_second_submit_is_refused_and_the_first_answer_stays(desk: Any) -> None:
    ada = desk.sign_in("ada")
    finish(desk, ada)
    with unchanged(desk):
        other = {"answer": {"decision": {"label": "decline"}}}
        said(ada.post("/portal/api/tasks/loop-1/answer", json=other), 409, "answered this task")
        said(ada.post("/portal/api/tasks/loop-1/claim"), 409, "answered this task")


def test_of_eight_submits_at_once_exactly_one_is_kept(desk: Any) -> None:
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")

    def submit(number: int) -> httpx.Response:
        return ada.post("/portal/api/tasks/loop-1/answer", json={"answer": {"n": number}})

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(submit, range(8)))
    assert sorted(reply.status_code for reply in replies) == [200] + [409] * 7
    for reply in replies:
        if reply.status_code == 409:
            said(reply, 409, "answered this task")
    winner = next(index for index, reply in enumerate(replies) if reply.status_code == 200)
    (output,) = desk.lab.documents.outputs.values()
    (answer,) = json.loads(output)["humanAnswers"]
    assert answer["answerContent"] == {"n": winner}
    assert len(desk.lab.events.delivered) == 1


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b'"x"', 400, "not an object"),
        (b"{}", 400, "an answer is a JSON object"),
        (b'{"answer": [1]}', 400, "an answer is a JSON object"),
        (b'{"answer": {"x": NaN}}', 400, "NaN"),
        (b'{"answer": {"x": "\\ud800"}}', 400, "surrogate"),
        (b'{"answer": ' + b'{"a":' * 60_000, 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
    ],
)
def test_an_answer_that_cannot_be_kept_is_said_and_the_next_one_counts(
    desk: Any, body: bytes, status: int, part: str
) -> None:
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    with unchanged(desk):
        said(ada.post("/portal/api/tasks/loop-1/answer", content=body), status, part)
    finish(desk, ada)


def test_an_answer_over_the_limit_is_said_with_the_limit(desk: Any) -> None:
    limit = desk.lab.service.settings.max_answer_bytes
    ada = desk.sign_in("ada")
    ada.post("/portal/api/tasks/loop-1/claim")
    with unchanged(desk):
        large = {"answer": {"x": "x" * limit}}
        said(ada.post("/portal/api/tasks/loop-1/answer", json=large), 400, f"{limit:,}")
        huge = b'{"answer": {"x": "' + b"x" * (4 * limit) + b'"}}'
        said(ada.post("/portal/api/tasks/loop-1/answer", content=huge), 413, "at most")
    finish(desk, ada)


# Who it is


def cookie(values: list[Any], *, secret: str = "secret") -> str:
    """A cookie as somebody would write who read the source but lacks the secret."""
    payload = zlib.compress(json.dumps([values, 9e9]).encode())
    packed = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    return f"{packed}.{Sessions(secret)._mac('cookie', packed)}"


FORGED_VALUES = [ADA.name, ADA.sub, "workforce", "", "", ["reviewers", "leads"], "id"]


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        ".",
        "a.b",
        cookie(FORGED_VALUES, secret="another"),
        cookie(FORGED_VALUES, secret=""),
        cookie(FORGED_VALUES, secret="secret").rpartition(".")[0] + ".",
    ],
)
def test_a_forged_reviewer_is_nobody(desk: Any, forged: str) -> None:
    with unchanged(desk), httpx.Client(base_url=desk.url, trust_env=False) as client:
        client.headers.update({"Cookie": f"{COOKIE}={forged}", "X-Overread-CSRF": "x" * 64})
        for reply in (
            client.get("/portal/api/tasks"),
            client.post("/portal/api/tasks/loop-1/claim"),
            client.post("/portal/api/tasks/loop-1/answer", json=ANSWER),
            client.get("/portal/api/lead/overview"),
        ):
            said(reply, 401, "sign in")
        frame = client.get("/portal/tasks/loop-1/frame")
        assert frame.status_code == 401
        assert "sign in" in frame.text


def test_a_signed_cookie_with_other_content_than_a_session_is_nobody(desk: Any) -> None:
    """Only the service signs, but what it signs for one purpose must not open another door."""
    sessions = Sessions(desk.lab.service.session_secret)
    later = desk.lab.clock.now.replace(year=2030)
    invitation = sessions.signed(FORGED_VALUES, purpose="invitation", expires_at=later)
    with unchanged(desk):
        reply = httpx.get(
            f"{desk.url}/portal/api/tasks", headers={"Cookie": f"{COOKIE}={invitation}"}, trust_env=False
        )
        said(reply, 401, "sign in")


def test_a_reviewer_who_left_the_directory_is_out_and_their_answer_stays(desk: Any) -> None:
    desk.lab.flow_definition("twice", TaskCount=2)
    desk.lab.start("pair", flow="twice", note="n")
    ada, grace = desk.sign_in("ada"), desk.sign_in("grace")
    ada.post("/portal/api/tasks/pair/claim")
    ada.post("/portal/api/tasks/pair/answer", json=ANSWER)
    directory = desk.lab.service.reviewers
    assert isinstance(directory, FakeDirectory)
    del directory.reviewers["ada"]
    said(ada.get("/portal/api/tasks"), 401, "sign in")
    said(ada.post("/portal/api/tasks/loop-1/claim"), 401, "sign in")
    finish(desk, grace, "pair")
    (output,) = desk.lab.documents.outputs.values()
    assert len(json.loads(output)["humanAnswers"]) == 2


def test_a_disabled_reviewers_claim_is_freed_and_their_answer_stays(desk: Any) -> None:
    desk.lab.start("second", note="n")
    ada, grace, lena = (desk.sign_in(name) for name in ("ada", "grace", LENA.name))
    finish(desk, ada, "second")
    ada.post("/portal/api/tasks/loop-1/claim")
    said(grace.post("/portal/api/tasks/loop-1/claim"), 409, "another reviewer")
    assert lena.post(f"/portal/api/lead/people/{ADA.key}/disable", json={}).status_code == 200
    said(ada.post("/portal/api/tasks/loop-1/answer", json=ANSWER), 403, "access")
    assert desk.lab.loop("loop-1").answers == ()
    assert len(desk.lab.loop("second").answers) == 1
    finish(desk, grace)


def test_a_reviewer_is_refused_what_is_for_leads_and_for_others(desk: Any) -> None:
    stranger, ada = desk.sign_in("stranger"), desk.sign_in("ada")
    with unchanged(desk):
        said(stranger.post("/portal/api/tasks/loop-1/claim"), 404, "not for you")
        said(ada.post("/portal/api/lead/tasks/loop-1/stop", json={}), 403, "lead")
        said(ada.post("/portal/api/tasks/nothing/claim"), 404, "not for you")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.acme.example"},
        {"iss": "https://login.example/pool-1/"},
        {"iss": ""},
        {"iss": None},
    ],
)
def test_a_token_of_another_issuer_signs_nobody_in(claims: dict[str, Any]) -> None:
    lab = make_lab()
    lab.issuer.claims = claims
    page = refusal(lab.sign_in())
    (sentence,) = re.findall(r'<p role="alert">(.*?)</p>', page, re.DOTALL)
    assert "token is not valid" in sentence
    assert not any(leak in page for leak in LEAKS)
    lab.issuer.claims = {}
    assert lab.sign_in().status_code == 303


def test_a_session_of_a_provider_that_is_not_configured_is_nobody(server: Any, desk: Any) -> None:
    sign_in = OidcSignIn([SignInMethod("workforce", "Our people", signs_out=False, invites=False)])
    server.current.app = create_app(desk.lab.service, sign_in=sign_in)
    sessions, now = Sessions(desk.lab.service.session_secret), desk.lab.clock.now

    def client(reviewer: Reviewer) -> httpx.Client:
        session = sessions.open(reviewer, now=now)
        return httpx.Client(
            base_url=desk.url,
            trust_env=False,
            cookies={COOKIE: sessions.cookie(session)},
            headers={"X-Overread-CSRF": sessions.csrf_token(session)},
        )

    impostor = replace(VERA, sub=ADA.sub, groups=ADA.groups, provider="vendor-of-old")
    with unchanged(desk), client(impostor) as theirs:
        said(theirs.get("/portal/api/tasks"), 401, "sign in")
        said(theirs.post("/portal/api/tasks/loop-1/claim"), 401, "sign in")
    with client(ADA) as hers:
        finish(desk, hers)
