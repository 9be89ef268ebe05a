"""The control plane's paths: the operation in the path is the operation that is called."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from overread_review.app import create_app
from overread_review.wire import sagemaker
from overread_review.wire.models import service_model
from overread_testing.review_fakes import review_lab
from overread_testing.review_server import served

HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


def post(served_lab: Any, path: str, target: str | None) -> httpx.Response:
    headers = HEADERS | ({} if target is None else {"X-Amz-Target": target})
    return httpx.post(served_lab.url + path, content=b"{}", headers=headers, trust_env=False)


def test_an_operation_answers_at_its_own_path_as_at_the_root(served_lab: Any) -> None:
    by_path = post(served_lab, "/sagemaker/ListWorkteams", "SageMaker.ListWorkteams")
    assert by_path.status_code == 200
    assert [team["WorkteamName"] for team in by_path.json()["Workteams"]] == ["team"]
    assert by_path.json() == post(served_lab, "/", "SageMaker.ListWorkteams").json()


@pytest.mark.parametrize("target", ["SageMaker.DeleteWorkteam", "Other.ListWorkteams", "", None])
def test_a_path_serves_no_other_operation(served_lab: Any, target: str | None) -> None:
    reply = post(served_lab, "/sagemaker/ListWorkteams", target)
    assert reply.status_code == 400
    assert reply.json()["__type"] == "UnknownOperationException"
    assert "must be 'SageMaker.ListWorkteams' as in the path" in reply.json()["message"]
    assert "team" in json.dumps(post(served_lab, "/", "SageMaker.ListWorkteams").json())


def test_an_operation_that_is_not_served_is_unknown_at_its_path_too(served_lab: Any) -> None:
    reply = post(served_lab, "/sagemaker/CreateModel", "SageMaker.CreateModel")
    assert (reply.status_code, reply.json()["__type"]) == (400, "UnknownOperationException")


def test_sagemakers_large_model_is_read_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(name: str) -> Any:
        read.append(name)
        return service_model(name)

    monkeypatch.setattr(sagemaker, "service_model", reading)
    app = create_app(review_lab().service)
    assert read == []
    with served(app) as url:
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        assert read == []
        headers = HEADERS | {"X-Amz-Target": "SageMaker.ListWorkteams"}
        assert httpx.post(url, content=b"{}", headers=headers, trust_env=False).status_code == 200
    assert read == ["sagemaker"]
