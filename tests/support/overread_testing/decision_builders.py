"""Documents of the decision's world: routing policies, requests, review outputs, proxy and stream events."""

import json
from collections.abc import Mapping
from typing import Any

from overread.routing.policy import UseCasePolicy, parse_policy
from overread_testing.decision_fakes import ACCOUNT, REGION

FLOW_DEFINITION_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:flow-definition/overread-test-loan-1a2b3c4d"
NEXT_FLOW_DEFINITION_ARN = FLOW_DEFINITION_ARN.replace("1a2b3c4d", "5e6f7a8b")
CALLER_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/LoanService/session-1"
CALLER_SCOPE = f"{ACCOUNT}:assumed-role/LoanService"

Json = dict[str, Any]


def policy_document(**changes: Any) -> Json:
    """A routing policy document; a key such as `routing__threshold` sets that member, None removes it."""
    document: Json = {
        "schema": 1,
        "use_case": "loan-approval",
        "version": "3f2a9c1b77de",
        "mode": "live",
        "prediction": {
            "source": "sagemaker-endpoint",
            "endpoint_name": "overread-test-loan-approval",
            "label": "label",
            "confidence": "confidence",
            "model_name": "loan-approval",
            "model_version": "sha256:0123456789ab",
        },
        "labels": ["approve", "decline"],
        "input": {"withheld": ["sex", "age"]},
        "routing": {
            "threshold": 0.9,
            "label_thresholds": {},
            "always_review": False,
            "rules": [],
            "spot_check_probability": 0.0,
        },
        "review": {
            "flow_definition_arn": FLOW_DEFINITION_ARN,
            "task_ui_sha256": "ab" * 32,
            "backend": "a2i",
            "answer": {
                "label": "decision.label",
                "reason_code": "reason_code",
                "cannot_decide": "decision.label == 'cannot-decide'",
            },
            "blind": False,
            "show_prediction_to_caller": False,
            "max_generations": 3,
            "public_workforce": False,
        },
        "data": {"class": "personal"},
    }
    for path, value in changes.items():
        *parents, name = path.split("__")
        target = document
        for parent in parents:
            target = target[parent]
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value
    return document


def policy(**changes: Any) -> UseCasePolicy:
    """The policy of `policy_document(**changes)`."""
    return parse_policy(json.dumps(policy_document(**changes)))


CALLER_PREDICTS: Json = {"prediction": {"source": "caller"}}


def request_body(**changes: Any) -> bytes:
    """The body of a request for a decision."""
    document = {"input": {"amount": 9600, "purpose": "car", "sex": "f", "age": 33}, "reference": "loan-8841"}
    return json.dumps({**document, **changes}).encode()


def answer(label: str = "decline", **changes: Any) -> Json:
    """One worker's answer in an output document; another `workerId` is another person."""
    sub = f"sub-of-{changes['workerId']}" if "workerId" in changes else "5f0c8a52-1111-4222-8333-944455556666"
    return {
        "acceptanceTime": "2026-11-22T21:07:00.000Z",
        "answerContent": {"decision": {"label": label}, "reason_code": "income-unverified", "note": "…"},
        "submissionTime": "2026-11-22T21:07:44.120Z",
        "timeSpentInSeconds": 41.2,
        "workerId": "0a1b2c3d4e5f6071",
        "workerMetadata": {
            "identityData": {
                "identityProviderType": "Cognito",
                "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
                "sub": sub,
            }
        },
        **changes,
    }


def output_document(
    *,
    loop_name: str,
    decision_id: str,
    generation: int = 1,
    answers: list[Any] | None = None,
    **changes: Any,
) -> bytes:
    """An output document as A2I writes it."""
    document = {
        "flowDefinitionArn": FLOW_DEFINITION_ARN,
        "humanAnswers": [answer()] if answers is None else answers,
        "humanLoopName": loop_name,
        "inputContent": {"decision_id": decision_id, "generation": generation},
    }
    return json.dumps({**document, **changes}).encode()


def proxy_event(
    *,
    body: str | None = None,
    path: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    user_arn: str | None = CALLER_ARN,
) -> Json:
    """A request as API Gateway's REST proxy hands it over."""
    given = dict(headers or {})
    return {
        "resource": "/v1/use-cases/{name}/decisions",
        "httpMethod": "POST",
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "pathParameters": dict(path or {}),
        "requestContext": {
            "accountId": ACCOUNT,
            "identity": {"accountId": ACCOUNT, "userArn": user_arn},
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        },
        "body": body,
        "isBase64Encoded": False,
    }
