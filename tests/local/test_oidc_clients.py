"""Tokens of OIDC clients at a REST API of the emulator, whose authorizer is the function with its wheels."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.local.conftest import LAMBDA_PYTHON, Clients

from overread_constructs import python_code
from overread_constructs._bundle import Bundle
from overread_local.stack import LocalStack

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ROLE = "arn:aws:iam::000000000000:role/any"
BACKEND = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer"))}
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """An identity provider that publishes its keys."""
    address = ""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            documents: dict[str, Any] = {
                "/.well-known/openid-configuration": {"issuer": address, "jwks_uri": f"{address}/keys"},
                "/keys": {"keys": [{**key, "kid": "k-1", "use": "sig", "alg": "RS256"}]},
            }
            content = json.dumps(documents[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield address
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def authorizer_zip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The function's code as the construct bundles it, with wheels for the interpreter that runs it here."""
    folder = tmp_path_factory.mktemp("authorizer")
    before = os.environ.get("OVERREAD_BUNDLE_PYTHON")
    os.environ["OVERREAD_BUNDLE_PYTHON"] = str(LAMBDA_PYTHON)
    try:
        bundle = Bundle.of(
            packages=python_code.AUTHORIZER_PACKAGES,
            requirements=python_code.REVIEW_REQUIREMENTS,
            exclude=(),
        )
        bundle.write(folder)
    finally:
        os.environ.pop("OVERREAD_BUNDLE_PYTHON")
        if before is not None:
            os.environ["OVERREAD_BUNDLE_PYTHON"] = before
    return zipped({str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()})


def zipped(files: dict[str, Path | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, str) else content.read_bytes())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def url(aws: Clients, local_stack: LocalStack, issuer: str, authorizer_zip: bytes) -> str:
    """A REST API of which GET /v1/decisions, and PUT /v1/roster, ask the authorizer."""
    functions, apis = aws("lambda"), aws("apigateway")
    variables = {"OVERREAD_OIDC_ISSUER": issuer, "OVERREAD_OIDC_AUDIENCE": "overread"}
    arns = {}
    for name, handler, code, environment in (
        ("authorize", "overread_lambda.authorize_client.handler", authorizer_zip, variables),
        ("backend", "backend.handler", zipped({"backend.py": BACKEND}), {}),
    ):
        arns[name] = functions.create_function(
            FunctionName=f"oidc-{name}",
            Runtime="python3.14",
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": code},
            Environment={"Variables": environment},
            Timeout=20,
        )["FunctionArn"]
    api = apis.create_rest_api(name="oidc")["id"]
    region = local_stack.record.region

    def uri(arn: str) -> str:
        return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"

    authorizer = apis.create_authorizer(
        restApiId=api,
        name="clients",
        type="TOKEN",
        authorizerUri=uri(arns["authorize"]),
        identitySource="method.request.header.Authorization",
        identityValidationExpression=r"^[Bb]earer [-A-Za-z0-9._~+/]+=*$",
        authorizerResultTtlInSeconds=300,
    )["id"]
    (root,) = apis.get_resources(restApiId=api)["items"]
    version = apis.create_resource(restApiId=api, parentId=root["id"], pathPart="v1")["id"]
    for part, method in (("decisions", "GET"), ("roster", "PUT")):
        resource = apis.create_resource(restApiId=api, parentId=version, pathPart=part)["id"]
        place = {"restApiId": api, "resourceId": resource, "httpMethod": method}
        apis.put_method(**place, authorizationType="CUSTOM", authorizerId=authorizer)
        apis.put_integration(
            **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri(arns["backend"])
        )
    apis.create_deployment(restApiId=api, stageName="live")
    return local_stack.invoke_url(api, "live").rstrip("/")


@pytest.fixture(scope="module")
def token(issuer: str) -> Callable[..., str]:
    def make(**changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": issuer, "aud": "overread", "iat": now, "exp": now + 600, "client_id": "loans"}
        return jwt.encode(claims | changes, KEY, algorithm="RS256", headers={"kid": "k-1"})

    return make


def call(url: str, authorization: str | None, *, method: str = "GET", path: str = "/v1/decisions") -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.request(method, url + path, headers=headers, timeout=30)


def test_a_client_gets_in_under_its_scope(url: str, token: Callable[..., str]) -> None:
    reply = call(url, f"Bearer {token()}")
    assert reply.status_code == 200, reply.text
    assert reply.json()["caller_scope"] == "oidc:loans"
    other = call(url, f"Bearer {token(client_id='claims')}")
    assert other.json()["caller_scope"] == "oidc:claims"


def test_a_client_does_not_steer(url: str, token: Callable[..., str]) -> None:
    known = f"Bearer {token()}"
    assert call(url, known).status_code == 200
    assert call(url, known, method="PUT", path="/v1/roster").status_code == 403


@pytest.mark.parametrize("authorization", [None, "Basic bG9hbnM6eA==", "Bearer nonsense"])
def test_without_a_token_nobody_gets_in(url: str, authorization: str | None) -> None:
    assert call(url, authorization).status_code == 401


@pytest.mark.parametrize("changes", [{"aud": "else"}, {"iss": "http://127.0.0.1:1"}, {"exp": 1_600_000_000}])
def test_a_token_for_somebody_else_or_over_lets_nobody_in(
    url: str, token: Callable[..., str], changes: dict[str, Any]
) -> None:
    assert call(url, f"Bearer {token(**changes)}").status_code == 401
