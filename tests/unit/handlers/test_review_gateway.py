"""API Gateway's proxy events as the program behind them sees them, and its replies in turn."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from overread_lambda.review_gateway import rest_handler

URL = "https://abc.execute-api.eu-west-1.amazonaws.com/live"
PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
Event = Callable[..., dict[str, Any]]


async def seen(request: Request) -> Response:
    """What the program sees of a request."""
    return JSONResponse(
        {
            "method": request.method,
            "root_path": request.scope["root_path"],
            "url": str(request.url),
            "query": request.query_params.multi_items(),
            "cookies": request.cookies,
            "param": request.path_params.get("name"),
            "body": base64.b64encode(await request.body()).decode(),
        }
    )


async def image(_request: Request) -> Response:
    return Response(PNG, media_type="image/png")


async def of_type(request: Request) -> Response:
    return Response("ä", media_type=request.query_params["type"])


async def sign_out(_request: Request) -> Response:
    reply = RedirectResponse("https://idp.example/logout", status_code=303)
    reply.set_cookie("one", "1", path="/live/portal", httponly=True)
    reply.set_cookie("two", "2", path="/live/portal", secure=True)
    return reply


APP = Starlette(
    routes=[
        Route("/portal/", seen),
        Route("/portal/tasks/{name}", seen, methods=["GET", "POST", "DELETE"]),
        Route("/portal/sign-out", sign_out),
        Route("/portal/of-type", of_type),
        Mount("/portal/static", routes=[Route("/{name}", seen), Route("/sub/icon.png", image)]),
    ]
)


def call(event: dict[str, Any], *, url: str = URL) -> dict[str, Any]:
    return rest_handler(APP, url=url)(event, None)


def request_of(
    event: Event,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, list[str]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A REST API's proxy event as AWS sends it."""
    several = {"Host": ["abc.execute-api.eu-west-1.amazonaws.com"], **(headers or {})}
    return event(
        "rest-proxy-get",
        path=path,
        httpMethod=method,
        headers={name: values[-1] for name, values in several.items()},
        multiValueHeaders=several,
        **changes,
    )


def document(reply: dict[str, Any]) -> dict[str, Any]:
    assert reply["statusCode"] == 200, reply
    found: dict[str, Any] = json.loads(reply["body"])
    return found


@pytest.mark.parametrize(
    ("url", "root"),
    [
        (URL, "/live"),
        ("https://reviews.example.com", ""),
        ("https://apps.example.com/a/b/", "/a/b"),
        ("http://127.0.0.1:4599/_aws/execute-api/abc/live", "/_aws/execute-api/abc/live"),
    ],
)
def test_the_program_knows_the_path_before_its_own(event: Event, url: str, root: str) -> None:
    got = document(call(request_of(event, "/portal/tasks/h-1"), url=url))
    assert (got["root_path"], got["param"]) == (root, "h-1")
    assert got["url"].endswith(f"{root}/portal/tasks/h-1")
    assert got["url"].startswith(url.split(":", maxsplit=1)[0] + "://")


def test_what_is_mounted_is_found_below_the_base_path(event: Event) -> None:
    assert document(call(request_of(event, "/portal/static/portal.css")))["param"] == "portal.css"


def test_a_path_that_begins_like_the_base_path_is_its_own(event: Event) -> None:
    got = document(call(request_of(event, "/portal/tasks/h-1"), url="https://apps.example.com/portal"))
    assert (got["root_path"], got["param"]) == ("/portal", "h-1")


def test_characters_beyond_ascii_arrive(event: Event) -> None:
    assert document(call(request_of(event, "/portal/tasks/ärger ü")))["param"] == "ärger ü"


def test_queries_with_several_values_arrive(event: Event) -> None:
    changes = {
        "queryStringParameters": {"state": "open & more", "tag": "b"},
        "multiValueQueryStringParameters": {"state": ["open & more"], "tag": ["a", "b"]},
    }
    got = document(call(request_of(event, "/portal/", **changes)))
    assert sorted(map(tuple, got["query"])) == [("state", "open & more"), ("tag", "a"), ("tag", "b")]


def test_several_cookies_arrive(event: Event) -> None:
    headers = {"Cookie": ["overread_session=abc; other=1"]}
    got = document(call(request_of(event, "/portal/", headers=headers)))
    assert got["cookies"] == {"overread_session": "abc", "other": "1"}


def test_a_body_that_api_gateway_encoded_arrives_as_it_was_sent(event: Event) -> None:
    changes = {"body": base64.b64encode(b'{"answer": "\xc3\xa4"}').decode(), "isBase64Encoded": True}
    got = document(call(request_of(event, "/portal/tasks/h-1", method="POST", **changes)))
    assert base64.b64decode(got["body"]) == b'{"answer": "\xc3\xa4"}'


def test_a_body_in_plain_text_arrives(event: Event) -> None:
    changes = {"body": '{"answer": "ä"}', "isBase64Encoded": False}
    got = document(call(request_of(event, "/portal/tasks/h-1", method="POST", **changes)))
    assert base64.b64decode(got["body"]).decode() == '{"answer": "ä"}'


def test_a_binary_reply_is_encoded_and_says_so(event: Event) -> None:
    reply = call(request_of(event, "/portal/static/sub/icon.png"))
    assert reply["isBase64Encoded"]
    assert base64.b64decode(reply["body"]) == PNG


@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-amz-json-1.1",
        "application/json",
        "application/problem+json",
        "text/html",
        "text/javascript",
        "image/svg+xml",
    ],
)
def test_a_reply_in_text_is_sent_as_it_is(event: Event, media_type: str) -> None:
    query = {"type": media_type}
    changes = {"queryStringParameters": query, "multiValueQueryStringParameters": {"type": [media_type]}}
    reply = call(request_of(event, "/portal/of-type", **changes))
    assert (reply["body"], reply["isBase64Encoded"]) == ("ä", False)


def test_several_cookies_are_set_each_on_its_own(event: Event) -> None:
    reply = call(request_of(event, "/portal/sign-out"))
    assert reply["statusCode"] == 303
    cookies = reply["multiValueHeaders"]["set-cookie"]
    assert [cookie.split("=")[0] for cookie in cookies] == ["one", "two"]
    assert "HttpOnly" in cookies[0]
    assert reply["headers"]["location"] == "https://idp.example/logout"


def test_an_unknown_path_is_not_found(event: Event) -> None:
    assert call(request_of(event, "/live/portal/"))["statusCode"] == 404
