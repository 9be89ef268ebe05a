"""GET /v1/decisions and /v1/decisions/{id} as API Gateway calls them."""

import pytest

from overread.errors import RetryableError
from overread_testing.api_calls import Api, Got
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import World, service_error

OTHER = "arn:aws:iam::111122223333:user/other"


@pytest.fixture
def world() -> World:
    unsure = World(policy())
    unsure.models.reply = b'{"label": "approve", "confidence": 0.71}'
    return unsure


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def decide(api: Api, key: str, **members: str) -> str:
    api.world.clock.pass_seconds(1)
    body = {"input": {"amount": 1}, **members}
    got = api.call("POST", "/v1/use-cases/loan-approval/decisions", body=body, key=key)
    return str(got.document["decision_id"])


def ids(page: Got) -> list[str]:
    assert page.status == 200
    return [one["decision_id"] for one in page.document["decisions"]]


def test_a_decision_is_read_by_any_session_of_the_role_that_asked(api: Api) -> None:
    decision_id = decide(api, "k")
    assert api.user_arn is not None
    api.user_arn = f"{api.user_arn.rpartition('/')[0]}/another-session"
    got = api.call("GET", f"/v1/decisions/{decision_id}")
    assert (got.status, got.document["decision_id"], got.document["state"]) == (200, decision_id, "PENDING")
    assert got.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("decision_id", [f"d-{'a' * 26}", "d-", "LOOP#h-1", ""])
def test_an_unknown_decision_is_not_found(api: Api, decision_id: str) -> None:
    got = api.call("GET", f"/v1/decisions/{decision_id}")
    assert (got.status, got.problem) == (404, "unknown-decision")


def test_another_callers_decision_is_as_unknown_as_none(api: Api, world: World) -> None:
    decision_id, none = decide(api, "k"), f"d-{'a' * 26}"
    stranger = Api(world, user_arn=OTHER)
    got = stranger.call("GET", f"/v1/decisions/{decision_id}")
    unknown = stranger.call("GET", f"/v1/decisions/{none}")
    assert got.status == 404
    assert got.document["detail"].replace(decision_id, none) == unknown.document["detail"]


def test_an_unsigned_reader_is_refused(world: World) -> None:
    assert Api(world, user_arn=None).call("GET", "/v1/decisions").problem == "caller-unknown"


def test_records_that_cannot_be_read_are_a_problem_that_passes(api: Api) -> None:
    api.world.faults.before["get"] = [service_error(RetryableError, "ThrottlingException")]
    got = api.call("GET", f"/v1/decisions/d-{'a' * 26}")
    assert (got.status, got.headers["Retry-After"]) == (503, "5")


def test_a_listing_has_the_callers_own_decisions_newest_first(api: Api, world: World) -> None:
    first, second = decide(api, "a"), decide(api, "b", reference="loan-8841")
    decide(Api(world, user_arn=OTHER), "c")
    page = api.call("GET", "/v1/decisions")
    assert ids(page) == [second, first]
    assert page.document["decisions"][0] == {
        "decision_id": second,
        "use_case": "loan-approval",
        "state": "PENDING",
        "reference": "loan-8841",
        "received_at": "2026-11-22T21:00:02.000Z",
        "links": {"self": f"/v1/decisions/{second}"},
    }
    assert "cursor" not in page.document


def test_a_listing_is_read_in_pages(api: Api) -> None:
    made = [decide(api, key) for key in "abc"]
    first = api.call("GET", "/v1/decisions", query={"limit": "2"})
    cursor = first.document["cursor"]
    second = api.call("GET", "/v1/decisions", query={"limit": "2", "cursor": cursor})
    assert ids(first) + ids(second) == made[::-1]
    assert "cursor" not in second.document


def test_a_listing_is_narrowed_by_state_and_reference(api: Api) -> None:
    decide(api, "a")
    named = decide(api, "b", reference="r")
    cancelled = decide(api, "c")
    api.call("POST", f"/v1/decisions/{cancelled}/cancel")
    assert ids(api.call("GET", "/v1/decisions", query={"reference": "r"})) == [named]
    assert ids(api.call("GET", "/v1/decisions", query={"state": "CANCELLED"})) == [cancelled]
    assert ids(api.call("GET", "/v1/decisions", query={"use_case": "claims"})) == []
    assert len(ids(api.call("GET", "/v1/decisions", query={"use_case": "loan-approval"}))) == 3
    assert ids(api.call("GET", "/v1/decisions", query={"state": "CANCELLED", "reference": "r"})) == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"state": "DONE"}, "state must be one of RECEIVED, PENDING, IN_REVIEW, ESCALATED, FINAL, CANCELLED"),
        ({"limit": "0"}, "limit must be a whole number from 1 to 100, got '0'"),
        ({"limit": "101"}, "limit must be a whole number from 1 to 100"),
        ({"limit": "1.5"}, "limit must be a whole number from 1 to 100"),
        ({"limit": "९"}, "limit must be a whole number from 1 to 100"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"use-case": "x"}, "use-case is unknown, allowed are state, reference, use_case, cursor, limit"),
    ],
)
def test_a_faulty_query_is_told(api: Api, query: dict[str, str], told: str) -> None:
    got = api.call("GET", "/v1/decisions", query=query)
    assert (got.status, got.problem, got.document["field"]) == (400, "invalid-request", next(iter(query)))
    assert told in got.document["detail"]
