"""Events that nobody should send: each is answered or passed over, and changes what it may or nothing."""

import base64
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from overread.decisions.start_loop import start_loop
from overread.delivery.ports import DeliverPorts
from overread.errors import Problem
from overread.review.wire import loop_name
from overread_aws.decision_lists import DecisionLists
from overread_lambda import (
    authorize_client,
    change_decision,
    deliver_outbox,
    ingest_review,
    read_decision,
    route_prediction,
    steer,
)
from overread_lambda import start_loop as starter
from overread_lambda.rest_proxy import Reply, answer
from overread_lambda.settings import AuthorizeSettings, PolicySource, RouteSettings, SteerSettings
from overread_testing.decision_builders import output_document, policy
from overread_testing.decision_fakes import World
from overread_testing.decision_worlds import post

EVENTS = Path(__file__).parent / "events"
UNSURE = b'{"label": "approve", "confidence": 0.5}'
USE_CASES = frozenset({"loan-approval"})
ROUTE = RouteSettings(
    environment="test",
    table="t",
    input_bucket="in",
    use_cases=USE_CASES,
    policies=PolicySource(application="a", environment="e"),
    spot_check_secret="s",
)
STEER = SteerSettings(
    table="t",
    input_bucket="in",
    use_cases=USE_CASES,
    changes_need_two=True,
    policies=PolicySource(application="a", environment="e"),
)
OFTEN = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(max_size=12) | st.sampled_from(
    ["\ud800", "\x00", "true", "-1", "9" * 400, "../..", "%00", "é" * 300]
)
SCALAR = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | TEXT
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{name}.json").read_text()), **changes}


def places_in(node: Any) -> list[tuple[Any, ...]]:
    """The way to every part of a document."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [(), *((name, *rest) for name, child in children for rest in places_in(child))]


@st.composite
def spoilt(draw: st.DrawFn, event: dict[str, Any], *, of: tuple[Any, ...] = ()) -> dict[str, Any]:
    """The event with one to three of its parts (of those within `of`) gone, or anything else."""
    changed = copy.deepcopy(event)
    for _ in range(draw(st.integers(1, 3))):
        parent: Any = {"event": changed}
        ways = [("event", *way) for way in places_in(changed) if way[: len(of)] == of and way]
        if not ways:
            break
        *way, name = draw(st.sampled_from(ways))
        for step in way:
            parent = parent[step]
        if draw(st.booleans()) and isinstance(parent, dict):
            del parent[name]
        else:
            parent[name] = draw(JSON)
    return changed


def bodies(document: Any) -> st.SearchStrategy[str]:
    """Bodies that are nearly the document, or nothing like it."""
    near = spoilt(document).map(json.dumps)
    cut = st.tuples(near, st.integers(0, 60)).map(lambda drawn: drawn[0][: drawn[1]])
    return near | cut | JSON.map(json.dumps) | TEXT | st.just("[" * 5000)


def state_of(world: World) -> str:
    """Everything that is kept."""
    records = world.records
    kept = (records.items, records.loops, records.switches, records.pin, records.rosters, records.open)
    counts = (len(records.audit), len(records.links), len(records.outbox), len(world.inputs.objects))
    return repr((kept, counts, world.loops.loops, len(world.models.asked)))


def check_refusal(reply: Reply) -> None:
    """A problem that is the request's own fault, in the one shape."""
    document = json.loads(reply["body"])
    assert reply["headers"]["Content-Type"] == "application/problem+json"
    assert document["type"] in {problem.type for problem in Problem}
    assert 400 <= document["status"] == reply["statusCode"] < 500, document
    assert document["title"]
    assert document["detail"]
    assert len(reply["body"]) < 20_000


def waiting() -> World:
    """One decision in review, its loop answered."""
    world = World(policy())
    world.models.reply = UNSURE
    record = post(world)
    start_loop(record.decision_id, ports=world.start_ports, clock=world.clock, jitter=0.0)
    name = loop_name(record.decision_id, generation=1)
    content = world.loops.content(name)
    world.answer(name, output_document(loop_name=name, decision_id=record.decision_id, inputContent=content))
    return world


def posted(event: Mapping[str, Any]) -> tuple[World, Reply]:
    world = World(policy())
    world.models.reply = UNSURE
    before = state_of(world)
    reply = answer(
        lambda: route_prediction.respond(event, settings=ROUTE, ports=world.submit_ports, clock=world.clock)
    )
    if reply["statusCode"] not in (200, 202):
        check_refusal(reply)
        assert state_of(world) == before
    else:
        assert len(world.records.items) == 1
    return world, reply


POST = recorded("rest-proxy-post")


@OFTEN
@given(spoilt(POST))
@example({})
@example({**POST, "headers": None, "multiValueHeaders": None, "body": None, "pathParameters": None})
def test_a_post_in_any_wrapping_is_a_decision_or_a_refusal_that_kept_nothing(event: dict[str, Any]) -> None:
    posted(event)


@OFTEN
@given(
    bodies(json.loads(POST["body"]) | {"deadline": "2026-12-01T12:00:00Z", "priority": "low"}), st.booleans()
)
def test_any_body_is_a_decision_or_a_refusal_that_kept_nothing(body: str, is_base64: bool) -> None:
    if is_base64:
        body = base64.b64encode(body.encode(errors="surrogatepass")).decode()
    posted({**POST, "body": body, "isBase64Encoded": is_base64})


@OFTEN
@given(TEXT, TEXT)
def test_any_use_case_and_key_is_a_decision_or_a_refusal_that_kept_nothing(name: str, key: str) -> None:
    posted({**POST, "pathParameters": {"name": name}})
    posted({**POST, "multiValueHeaders": {"Idempotency-Key": [key]}})
    posted({**POST, "multiValueHeaders": {"Idempotency-Key": [key, key + "x"]}})


class EmptyIndex:
    """A DynamoDB client of a table with nothing in it."""

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": []}


GET = recorded("rest-proxy-get")
QUERY = {"state": "PENDING", "reference": "loan-8841", "cursor": "abcd", "limit": "20"}


@OFTEN
@given(
    spoilt(GET)
    | spoilt({**GET, "pathParameters": None, "queryStringParameters": QUERY}, of=("queryStringParameters",))
    | TEXT.map(lambda text: {**GET, "pathParameters": {"id": text}})
)
@example({})
def test_reading_in_any_way_is_an_answer_or_a_refusal_and_never_changes_anything(
    event: dict[str, Any],
) -> None:
    world = waiting()
    before = state_of(world)
    lists = DecisionLists(EmptyIndex(), table="t")
    reply = answer(lambda: read_decision.respond(event, records=world.records, lists=lists))
    if reply["statusCode"] != 200:
        check_refusal(reply)
    assert state_of(world) == before


CALLS = {
    "cancel": {"reason_code": "withdrawn"},
    "contest": {"grounds": "my income was read wrongly"},
    "outcome": {"label": "approve", "learnt_at": "2026-12-01T12:00:00Z"},
}


@OFTEN
@given(st.data(), st.sampled_from(sorted(CALLS)), st.booleans())
def test_a_change_in_any_form_is_done_or_refused_and_then_nothing_is_changed(
    data: st.DataObject, call: str, is_final: bool
) -> None:
    world = waiting()
    decision_id = world.records.only().decision_id
    if is_final:
        name = loop_name(decision_id, generation=1)
        ingest_review.respond(
            {"detail": {"humanLoopName": name}}, ports=world.ingest_ports, clock=world.clock
        )
    event = {
        **POST,
        "resource": f"/v1/decisions/{{id}}/{call}",
        "pathParameters": {"id": decision_id},
        "body": json.dumps(CALLS[call]),
    }
    changed = data.draw(
        spoilt(event) | bodies(CALLS[call]).map(lambda body: {**event, "body": body}) | st.just(event)
    )
    before = state_of(world)
    reply = answer(lambda: change_decision.respond(changed, ports=world.change_ports, clock=world.clock))
    if reply["statusCode"] not in (200, 202):
        check_refusal(reply)
        assert state_of(world) == before


ROSTER = {
    "schema": 1,
    "people": [
        {
            "sub": "ada",
            "issuer": "https://pool",
            "name": "Ada",
            "use_cases": {"loan-approval": {"qualified_until": "2027-01-01T00:00:00Z", "authority_limit": 5}},
            "conflicts": ["17"],
            "revoked_at": "2027-01-01T00:00:00Z",
        }
    ],
}
STEERS = {
    "/v1/roster": ROSTER,
    "/v1/kill-switches/{scope}": {"is_on": True, "reason": "drift"},
}


@OFTEN
@given(st.data(), st.sampled_from(sorted(STEERS)))
def test_steering_in_any_form_is_done_or_refused_and_then_nothing_is_changed(
    data: st.DataObject, resource: str
) -> None:
    world = World(policy())
    event = {
        **POST,
        "httpMethod": "PUT",
        "resource": resource,
        "pathParameters": {"scope": "all"},
        "body": json.dumps(STEERS[resource]),
    }
    changed = data.draw(
        spoilt(event) | bodies(STEERS[resource]).map(lambda body: {**event, "body": body}) | st.just(event)
    )
    before = state_of(world)
    reply = answer(
        lambda: steer.respond(
            changed,
            settings=STEER,
            steering=world.steering,
            read_roster=lambda sha256: world.records.rosters[sha256],
            clock=world.clock,
        )
    )
    if reply["statusCode"] not in (200, 202):
        check_refusal(reply)
        assert state_of(world) == before


def told(event: dict[str, Any], decision_id: str) -> dict[str, Any]:
    """The stream's batch, about this decision."""
    text = json.dumps(event)
    found: dict[str, Any] = json.loads(text.replace("d-abcdefghijklmnopqrstuvwxyz", decision_id))
    return found


@OFTEN
@given(st.data())
def test_a_stream_record_in_any_form_starts_what_waits_or_nothing(data: st.DataObject) -> None:
    world = World(policy(review__queue={"name": "loans", "max_open": 1}))
    world.models.reply = UNSURE
    first, second = post(world, "a"), post(world, "b")
    changed = data.draw(spoilt(told(recorded("dynamodb-stream"), first.decision_id)))
    before = state_of(world)
    reply = starter.start_streamed(changed, ports=world.start_ports, clock=world.clock, jitter=lambda: 0.0)
    assert reply == {"batchItemFailures": []}
    assert world.loops.loops or state_of(world) == before
    assert {first.decision_id, second.decision_id} == set(world.records.items)


class NoNews:
    """An outbox whose news have all been heard."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, str]] = []

    def get(self, decision_id: str, *, number: int, target: str) -> None:
        self.asked.append((decision_id, number, target))


def outbox_batch() -> dict[str, Any]:
    text = json.dumps(recorded("dynamodb-stream"))
    batch: dict[str, Any] = json.loads(text.replace("AUDIT#00000001", "OUTBOX#00000001#webhook"))
    return batch


def delivered(batch: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """Whose news the batch made the function look for."""
    outbox, world = NoNews(), World(policy())
    ports = DeliverPorts(outbox=outbox, receivers={})  # type: ignore[arg-type]
    reply = deliver_outbox.deliver_streamed(dict(batch), ports=ports, clock=world.clock, jitter=lambda: 0.0)
    assert reply == {"batchItemFailures": []}
    return outbox.asked


def test_an_outbox_item_in_the_stream_is_looked_up() -> None:
    assert delivered(outbox_batch()) == [("d-abcdefghijklmnopqrstuvwxyz", 1, "webhook")]


@OFTEN
@given(spoilt(outbox_batch()))
def test_a_stream_record_in_any_form_is_news_or_nothing(batch: dict[str, Any]) -> None:
    delivered(batch)


@pytest.mark.parametrize(
    "key", ["OUTBOX", "OUTBOX#1", "OUTBOX#x#webhook", "OUTBOX#²#webhook", "OUTBOX#1#a#b"]
)
def test_an_outbox_key_that_tells_no_place_is_passed_over(key: str) -> None:
    text = json.dumps(outbox_batch(), ensure_ascii=False).replace("OUTBOX#00000001#webhook", key)
    assert delivered(json.loads(text)) == []


@OFTEN
@given(st.data())
def test_an_event_of_a_loop_in_any_form_is_its_news_or_nothing(data: st.DataObject) -> None:
    world = waiting()
    name = next(iter(world.loops.loops))
    text = json.dumps(recorded("a2i-completed")).replace("h-abcdefghijklmnopqrstuvwxyz-g1", name)
    event = data.draw(spoilt(json.loads(text)))
    before = state_of(world)
    result = ingest_review.respond(event, ports=world.ingest_ports, clock=world.clock)
    if result != {"result": "decided"}:
        assert state_of(world) == before


OUTPUT = json.loads(output_document(loop_name="h-1", decision_id="d-1"))


@OFTEN
@given(st.data())
def test_an_output_in_any_form_decides_by_what_it_says_or_not_at_all(data: st.DataObject) -> None:
    world = waiting()
    name = next(iter(world.loops.loops))
    uri = world.loops.loops[name].output_uri
    document = json.loads(world.outputs.objects[uri])
    spoilt_body = data.draw(spoilt(document).map(json.dumps) | bodies(document)).encode(
        errors="surrogatepass"
    )
    world.outputs.objects[uri] = spoilt_body
    result = ingest_review.respond(
        {"detail": {"humanLoopName": name}}, ports=world.ingest_ports, clock=world.clock
    )
    record = world.records.only()
    assert result["result"] in ("decided", "review_repeated", "escalated")
    if record.outcome is not None:
        said = json.loads(spoilt_body)["humanAnswers"]
        assert [one["answerContent"]["decision"]["label"] for one in said] == [record.outcome.label] * len(
            said
        )


def part(text: str) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["RS256", "none", "HS256"]) | JSON}, optional={"kid": JSON}
)
TOKENS = st.one_of(
    TEXT,
    st.tuples(HEADERS | JSON, JSON).map(
        lambda both: ".".join([*(part(json.dumps(one)) for one in both), "c2lnbmVk"])
    ),
    st.sampled_from([part("[" * 3000) + ".e30.a", part('{"alg":"RS256"}') + "." + part("[" * 3000) + ".a"]),
)


@OFTEN
@given(st.fixed_dictionaries({}, optional={"authorizationToken": TOKENS.map("Bearer {}".format) | JSON}))
def test_a_token_in_any_form_that_nobody_signed_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(authorize_client.UnauthorizedError):
        authorize_client.respond(
            {"methodArn": "arn:aws:execute-api:eu-west-1:111122223333:api/live/GET/v1/decisions", **event},
            settings=AuthorizeSettings(issuer="https://issuer", audience="decisions"),
            keys=lambda _: "a key that signed nothing",
            now=World(policy()).clock.now,
        )
