"""Who may call a deployment's API: AWS principals, or an identity provider's clients where it says so."""

from __future__ import annotations

import pytest
from tests.synth.stacks_synth.conftest import ENVIRONMENTS, Assembly


def test_the_configured_provider_reaches_the_function_that_checks_its_tokens(assembly: Assembly) -> None:
    function = assembly.properties("mixed-inference", "AWS::Lambda::Function", like="AuthorizeClient")
    assert function["Environment"]["Variables"] == {
        "OVERREAD_OIDC_ISSUER": "https://id.example.com/realm",
        "OVERREAD_OIDC_AUDIENCE": "overread",
    }
    methods = assembly.resources("mixed-inference", "AWS::ApiGateway::Method").values()
    kinds = [method["Properties"]["AuthorizationType"] for method in methods]
    assert (kinds.count("CUSTOM"), kinds.count("AWS_IAM")) == (6, 4)


@pytest.mark.parametrize("environment", sorted(set(ENVIRONMENTS) - {"mixed"}))
def test_without_one_every_call_is_signed(assembly: Assembly, environment: str) -> None:
    methods = assembly.resources(f"{environment}-inference", "AWS::ApiGateway::Method").values()
    assert {method["Properties"]["AuthorizationType"] for method in methods} == {"AWS_IAM"}
