"""Who hears of decisions, on the templates: receivers of webhooks and the secret that is shared with them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.synth.stacks_synth.conftest import Assembly, as_list

STACK = "mixed-inference"


def variables(assembly: Assembly, stack: str) -> dict[str, Any]:
    """The environment of the function that delivers."""
    functions = assembly.resources(stack, "AWS::Lambda::Function").values()
    (found,) = [
        one for one in functions if one["Properties"]["Handler"] == "overread_lambda.deliver_outbox.handler"
    ]
    environment: dict[str, Any] = found["Properties"]["Environment"]["Variables"]
    return environment


def test_the_function_knows_the_receivers_as_configured(assembly: Assembly) -> None:
    stated = json.loads(variables(assembly, STACK)["OVERREAD_WEBHOOKS"])
    assert stated == {"claim-triage": {"url": "https://core.example/decisions", "allowed_networks": []}}


def test_the_secret_is_an_output_and_the_function_reads_this_one_only(assembly: Assembly) -> None:
    (secret,) = [
        name for name in assembly.resources(STACK, "AWS::SecretsManager::Secret") if "WebhookKey" in name
    ]
    outputs = assembly.templates[f"overread-{STACK}"]["Outputs"]
    assert outputs["WebhookSecretArn"]["Value"] == {"Ref": secret}
    assert variables(assembly, STACK)["OVERREAD_WEBHOOK_SECRET"] == {"Ref": secret}
    policies = assembly.resources(STACK, "AWS::IAM::Policy")
    (news,) = [one for name, one in policies.items() if name.startswith("NewsDeliver")]
    read = [
        resource
        for statement in news["Properties"]["PolicyDocument"]["Statement"]
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert read == [{"Ref": secret}]


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_without_receivers_there_is_no_secret(environment: str, assembly: Assembly) -> None:
    stack = f"{environment}-inference"
    assert "WebhookSecretArn" not in assembly.templates[f"overread-{stack}"]["Outputs"]
    assert not {name for name in variables(assembly, stack) if "WEBHOOK" in name}
