"""The review service: private by default, signed calls, kept data, nothing that costs while nobody works."""

import json
from typing import Any

import pytest
from tests.synth.constructs_synth.test_templates import SAGEMAKER, plain

from overread.errors import MissingSettingsError
from overread_aws.review_store import table_definition
from overread_lambda import review_settings

SERVICES = ("Desk", "Exposed")
READ = {
    "review_service": review_settings.review_settings,
    "sweep_reviews": review_settings.review_settings,
    "drive_labeling": review_settings.review_settings,
    "review_sign_in": review_settings.sign_in_settings,
}


def methods(synthesized: Any, stack: str) -> dict[str, dict[str, Any]]:
    """Properties of every method by `VERB /path`."""
    resources = synthesized.resources(stack, "AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        properties = resources.get(reference.get("Ref", ""), {}).get("Properties")
        return f"{path(properties['ParentId'])}/{properties['PathPart']}" if properties else ""

    found = synthesized.resources(stack, "AWS::ApiGateway::Method").values()
    return {
        f"{m['Properties']['HttpMethod']} {path(m['Properties']['ResourceId'])}": m["Properties"]
        for m in found
    }


def answered_by(method: dict[str, Any]) -> str:
    """The function that a method calls."""
    text = json.dumps(method["Integration"]["Uri"])
    return "sign-in" if "ReviewsSignInFunction" in text else "service" if "ServiceFunction" in text else text


def variables(synthesized: Any, stack: str, module: str) -> dict[str, str]:
    """A function's environment as CloudFormation would fill it in."""
    found = synthesized.functions(stack)[module]["Environment"]["Variables"]
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:session"
    return {
        name: secret if name == "OVERREAD_SESSION_SECRET" else _filled(value) for name, value in found.items()
    }


def _filled(value: Any) -> str:
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    match function:
        case "Fn::Join":
            delimiter: str = argument[0]
            return delimiter.join(_filled(part) for part in argument[1])
        case "Ref":
            return "amazonaws.com" if argument == "AWS::URLSuffix" else str(argument[:12])
        case "Fn::ImportValue":
            return "vpce-1" if "ExecuteApi" in argument else "imported"
        case _:
            return str(argument[0])


def test_the_service_is_private_unless_somebody_says_otherwise(synthesized: Any) -> None:
    api = synthesized.one("Desk", "AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"]["Types"] == ["PRIVATE"]
    (endpoint,) = api["EndpointConfiguration"]["VpcEndpointIds"]
    (denied,) = [one for one in api["Policy"]["Statement"] if one["Effect"] == "Deny"]
    assert denied["Resource"] == "execute-api:/*"
    assert denied["Principal"] == {"AWS": "*"}
    assert denied["Condition"] == {"StringNotEquals": {"aws:SourceVpce": endpoint}}


def test_nothing_of_a_private_service_has_a_public_address(synthesized: Any) -> None:
    public = ("LoadBalancer", "Distribution", "::Url", "DomainName", "ApiGatewayV2", "NatGateway", "Internet")
    kinds = {resource["Type"] for resource in synthesized.templates["Desk"]["Resources"].values()}
    assert [kind for kind in kinds if any(word in kind for word in public)] == []


def test_what_a_policy_of_the_api_allows_everybody_is_the_portal_only(synthesized: Any) -> None:
    for stack in SERVICES:
        policy = synthesized.one(stack, "AWS::ApiGateway::RestApi")["Policy"]
        allowed = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
        assert [one["Resource"] for one in allowed] == [
            ["execute-api:/live/*/portal", "execute-api:/live/*/portal/*"]
        ]


def test_a_public_service_shows_its_portal_to_the_given_networks(synthesized: Any) -> None:
    api = synthesized.one("Exposed", "AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    (denied,) = [one for one in api["Policy"]["Statement"] if one["Effect"] == "Deny"]
    assert denied["Condition"] == {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}
    assert denied["Resource"] == ["execute-api:/live/*/portal", "execute-api:/live/*/portal/*"]


@pytest.mark.parametrize("stack", SERVICES)
def test_every_call_but_the_portals_pages_needs_a_signature(synthesized: Any, stack: str) -> None:
    open_to_people = {
        name: method
        for name, method in methods(synthesized, stack).items()
        if method["AuthorizationType"] != "AWS_IAM"
    }
    assert {method["AuthorizationType"] for method in open_to_people.values()} == {"NONE"}
    assert set(open_to_people) == {
        "GET /portal",
        "ANY /portal/{proxy+}",
        "GET /portal/sign-in/{provider}",
        "GET /portal/signed-in/{provider}",
        "GET /portal/sign-out/{provider}",
        "POST /portal/invitations",
    }


def test_the_calls_of_a2i_have_paths_of_their_own_for_iam_to_tell_apart(synthesized: Any) -> None:
    signed = {
        name
        for name, method in methods(synthesized, "Desk").items()
        if method["AuthorizationType"] == "AWS_IAM"
    }
    assert signed == {
        "POST /sagemaker/{operation}",
        "GET /human-loops",
        "POST /human-loops",
        "POST /human-loops/stop",
        "GET /human-loops/{name}",
        "DELETE /human-loops/{name}",
        "GET /human-loops/{name}/work",
        "GET /qualifications",
        "PUT /qualifications/{name}",
        "GET /qualifications/{name}/roster",
        "GET /labeling-jobs/{name}",
        "POST /labeling-jobs/{name}/{change}",
    }


def test_answers_over_the_api_exist_with_the_sandbox_only(synthesized: Any) -> None:
    sandbox = "POST /sandbox/human-loops/{name}/answers"
    assert sandbox not in methods(synthesized, "Desk")
    assert methods(synthesized, "Exposed")[sandbox]["AuthorizationType"] == "AWS_IAM"


@pytest.mark.parametrize("stack", SERVICES)
def test_the_sign_in_function_answers_sign_in_and_invitations_and_nothing_else(
    synthesized: Any, stack: str
) -> None:
    answers = {name: answered_by(method) for name, method in methods(synthesized, stack).items()}
    assert {name for name, function in answers.items() if function == "sign-in"} == {
        "GET /portal/sign-in/{provider}",
        "GET /portal/signed-in/{provider}",
        "GET /portal/sign-out/{provider}",
        "POST /portal/invitations",
    }
    assert set(answers.values()) == {"sign-in", "service"}


def test_of_a_private_service_only_the_sign_in_function_is_outside_the_network(synthesized: Any) -> None:
    functions = synthesized.functions("Desk")
    assert set(functions) == {*READ, "provide_review_resources"}
    assert {name for name, function in functions.items() if "VpcConfig" not in function} == {"review_sign_in"}
    assert all("VpcConfig" in function for function in synthesized.functions("Elsewhere").values())


def test_with_a_proxy_the_sign_in_function_is_inside_and_asks_secrets_manager_directly(
    synthesized: Any,
) -> None:
    functions = synthesized.functions("Exposed")
    assert "VpcConfig" in functions["review_sign_in"]
    environment = variables(synthesized, "Exposed", "review_sign_in")
    assert environment["HTTPS_PROXY"] == "http://proxy.internal:3128"
    assert environment["NO_PROXY"] == "secretsmanager.eu-central-1.amazonaws.com"
    assert "HTTPS_PROXY" not in variables(synthesized, "Desk", "review_sign_in")


def test_what_calls_a_public_service_is_outside_because_inside_has_no_way_to_it(synthesized: Any) -> None:
    functions = synthesized.functions("Exposed")
    assert {name for name, function in functions.items() if "VpcConfig" not in function} == {
        "provide_review_resources"
    }


@pytest.mark.parametrize("stack", SERVICES)
def test_functions_get_the_settings_that_they_read_and_no_others(synthesized: Any, stack: str) -> None:
    for module, read in READ.items():
        environment = variables(synthesized, stack, module)
        read(environment)
        for name in environment.keys() - {"HTTPS_PROXY", "NO_PROXY"}:
            with pytest.raises(MissingSettingsError, match=name):
                read(environment | {name: ""})


def test_settings_arrive_as_they_were_given(synthesized: Any) -> None:
    desk = review_settings.review_settings(variables(synthesized, "Desk", "review_service"))
    assert desk.service.lead_groups == {"leads"}
    assert (desk.service.statistics, desk.service.sandbox, desk.service.vendor_teams) == ("off", False, ())
    assert (desk.chaos_duplicate, desk.chaos_delay) == (0, 0)
    (provider,) = desk.sign_in.providers
    assert (provider.id, provider.client_secret_arn) == ("workforce", "")
    assert provider.user_pool_id.startswith("ReviewsIde")
    assert provider.groups_claim == "cognito:groups"

    exposed = review_settings.review_settings(variables(synthesized, "Exposed", "review_service"))
    assert exposed.service.lead_groups == {"heads"}
    assert (exposed.service.statistics, exposed.service.sandbox) == ("named", True)
    assert (exposed.chaos_duplicate, exposed.chaos_delay) == (0.2, 0.1)
    (team,) = exposed.service.vendor_teams
    assert (team.name, team.title, team.provider) == ("acme", "Acme Reviews", "acme")
    providers = {one.id: one for one in exposed.sign_in.providers}
    assert set(providers) == {"workforce", "acme"}
    assert providers["acme"].issuer == "https://acme.example/issuer"
    assert providers["acme"].client_secret_arn.endswith(":secret:acme-AbCdEf")
    assert {one.groups_claim for one in providers.values()} == {"sagemaker:groups"}
    assert {one.user_pool_id for one in providers.values()} == {""}


def test_the_address_of_a_private_service_leads_to_the_endpoint(synthesized: Any) -> None:
    private = variables(synthesized, "Desk", "review_service")["OVERREAD_PORTAL_URL"]
    assert private == "https://ReviewsHttpA-vpce-1.execute-api.eu-central-1.amazonaws.com/live"
    public = variables(synthesized, "Exposed", "review_service")["OVERREAD_PORTAL_URL"]
    assert public == "https://ReviewsHttpA.execute-api.eu-central-1.amazonaws.com/live"
    for stack, module in (("Own", "start_loop"), ("Own", "ingest_review")):
        called = variables(synthesized, stack, module)["OVERREAD_REVIEW_URL"]
        assert called == "https://imported-vpce-1.execute-api.eu-central-1.amazonaws.com/live"
    assert variables(synthesized, "Desk", "provide_review_resources")["OVERREAD_REVIEW_URL"] == private


def test_cognito_leads_back_to_the_portal_and_keeps_no_secret(synthesized: Any) -> None:
    client = synthesized.one("Desk", "AWS::Cognito::UserPoolClient")
    url = "https://ReviewsHttpA-vpce-1.execute-api.eu-central-1.amazonaws.com/live"
    assert [_filled(one) for one in client["CallbackURLs"]] == [f"{url}/portal/signed-in/workforce"]
    assert [_filled(one) for one in client["LogoutURLs"]] == [f"{url}/portal/"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["GenerateSecret"] is False
    pool = synthesized.one("Desk", "AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["MfaConfiguration"] == "ON"
    groups = synthesized.resources("Desk", "AWS::Cognito::UserPoolGroup").values()
    assert sorted(group["Properties"]["GroupName"] for group in groups) == ["leads", "senior"]
    assert synthesized.resources("Exposed", "AWS::Cognito::UserPool") == {}


def test_no_template_holds_the_session_key_or_a_clients_secret(synthesized: Any) -> None:
    for stack in SERVICES:
        secret = synthesized.one(stack, "AWS::SecretsManager::Secret")
        assert set(secret) >= {"GenerateSecretString", "KmsKeyId"}
        assert "SecretString" not in secret
        assert "{{resolve:" not in json.dumps(synthesized.templates[stack])


def test_the_table_is_the_one_that_the_store_defines(synthesized: Any) -> None:
    defined = table_definition("records")
    table = synthesized.one("Desk", "AWS::DynamoDB::Table")
    for part in ("KeySchema", "BillingMode"):
        assert table[part] == defined[part]
    assert _by_name(table["AttributeDefinitions"], "AttributeName") == _by_name(
        defined["AttributeDefinitions"], "AttributeName"
    )
    assert _by_name(table["GlobalSecondaryIndexes"], "IndexName") == _by_name(
        defined["GlobalSecondaryIndexes"], "IndexName"
    )


def _by_name(entries: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: str(entry[name]))


def test_records_and_documents_outlive_the_stack_encrypted_and_recoverable(synthesized: Any) -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        ((_, resource),) = synthesized.resources("Desk", kind).items()
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    table = synthesized.one("Desk", "AWS::DynamoDB::Table")
    assert "Key961B73FD" in json.dumps(table["SSESpecification"]["KMSMasterKeyId"])
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert "TimeToLiveSpecification" not in table
    bucket = synthesized.one("Desk", "AWS::S3::Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "Key961B73FD" in json.dumps(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (forget,) = bucket["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in forget  # what is not deleted stays


def test_a_test_deployment_may_be_removed_whole(synthesized: Any) -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        ((_, resource),) = synthesized.resources("Exposed", kind).items()
        assert resource["DeletionPolicy"] == "Delete"
    table = synthesized.one("Exposed", "AWS::DynamoDB::Table")
    assert table.get("DeletionProtectionEnabled", False) is False


def test_documents_travel_over_tls_only(synthesized: Any) -> None:
    policy = synthesized.one("Desk", "AWS::S3::BucketPolicy")["PolicyDocument"]
    denied = [one["Condition"] for one in policy["Statement"] if one["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in denied
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


@pytest.mark.parametrize("stack", SERVICES)
def test_time_passes_each_minute_and_a_missed_one_is_kept(synthesized: Any, stack: str) -> None:
    rules = [one["Properties"] for one in synthesized.resources(stack, "AWS::Events::Rule").values()]
    assert [rule["ScheduleExpression"] for rule in rules] == ["rate(1 minute)"] * 2
    targets = [target for rule in rules for target in rule["Targets"]]
    called = sorted(target["Arn"]["Fn::GetAtt"][0].partition("Function")[0] for target in targets)
    assert called == ["ReviewsLabeling", "ReviewsSweep"]
    queues = synthesized.resources(stack, "AWS::SQS::Queue")
    assert {target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] for target in targets} <= queues.keys()
    caught = {
        config["Properties"]["FunctionName"]["Ref"]: config["Properties"]["DestinationConfig"]["OnFailure"]
        for config in synthesized.resources(stack, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert {name.partition("Function")[0] for name in caught} == {
        "ReviewsSweep",
        "ReviewsLabeling",
        "OverreadServiceResourcesProvide",
    }
    assert all(failure["Destination"]["Fn::GetAtt"][0] in queues for failure in caught.values())


@pytest.mark.parametrize("stack", SERVICES)
def test_nothing_costs_while_nobody_works(synthesized: Any, stack: str) -> None:
    resources = synthesized.templates[stack]["Resources"].values()
    kinds = {resource["Type"] for resource in resources}
    always_on = ("ECS", "EC2::Instance", "RDS", "ElastiCache", "Provisioned", "AutoScaling", "NatGateway")
    assert [kind for kind in kinds if any(word in kind for word in always_on)] == []
    assert synthesized.one(stack, "AWS::DynamoDB::Table")["BillingMode"] == "PAY_PER_REQUEST"
    for function in synthesized.functions(stack).values():
        assert "ReservedConcurrentExecutions" not in function
    assert not [kind for kind in kinds if kind in ("AWS::Lambda::Alias", "AWS::Lambda::Version")]
    assert "CacheClusterEnabled" not in synthesized.one(stack, "AWS::ApiGateway::Stage")


def test_functions_have_the_promised_names(synthesized: Any) -> None:
    names = {module: one["FunctionName"] for module, one in synthesized.functions("Desk").items()}
    assert names == {
        "review_service": "desk-review-service",
        "review_sign_in": "desk-review-sign-in",
        "sweep_reviews": "desk-sweep-reviews",
        "drive_labeling": "desk-drive-labeling",
        "provide_review_resources": "desk-review-resources",
    }


def test_a_flow_definition_of_another_stack_has_a_provider_with_a_name_of_its_own(synthesized: Any) -> None:
    (function,) = synthesized.functions("Elsewhere").values()
    assert function["FunctionName"].startswith("desk-review-resources-")
    assert len(function["FunctionName"]) <= 64


def test_the_workforce_names_who_signs_in_and_a_team_is_groups_of_it(synthesized: Any) -> None:
    workforce = json.loads(_filled(synthesized.one("Desk", "Custom::OverreadWorkforce")["Definition"]))
    assert set(workforce) == {"WorkforceName", "CognitoConfig"}
    team = json.loads(_filled(synthesized.one("Desk", "Custom::OverreadWorkteam")["Definition"]))
    assert (team["WorkteamName"], team["WorkforceName"]) == ("loans", workforce["WorkforceName"])
    members = [one["CognitoMemberDefinition"] for one in team["MemberDefinitions"]]
    assert [one["UserGroup"] for one in members] == ["senior", "leads"]
    assert {one["ClientId"] for one in members} == {workforce["CognitoConfig"]["ClientId"]}

    foreign = json.loads(_filled(synthesized.one("Exposed", "Custom::OverreadWorkforce")["Definition"]))
    assert foreign["OidcConfig"]["Issuer"] == "https://staff.example/issuer"
    assert foreign["OidcConfig"]["ClientSecret"] == "kept by the sign-in function"


def test_a_flow_definition_says_its_guideline_and_its_qualification(synthesized: Any) -> None:
    made = json.loads(plain(synthesized.one("Desk", "Custom::OverreadFlowDefinition")["Definition"]))
    assert made["Tags"] == [
        {"Key": "overread:guideline-version", "Value": "2026-11"},
        {"Key": "overread:qualification", "Value": "loans"},
    ]
    vendor = json.loads(plain(synthesized.one("Exposed", "Custom::OverreadFlowDefinition")["Definition"]))
    assert vendor["HumanLoopConfig"]["WorkteamArn"] == f"{SAGEMAKER}:workteam/vendor-crowd/acme"
    assert "Tags" not in vendor


def test_nothing_is_made_before_the_service_that_it_is_made_in(synthesized: Any) -> None:
    for kind in ("FlowDefinition", "HumanTaskUi", "Workteam"):
        (resource,) = synthesized.resources("Desk", f"Custom::Overread{kind}").values()
        waits_for = "".join(resource["DependsOn"])
        for needed in ("ReviewsServiceFunction", "DeploymentStagelive", "ReviewsWorkforce"):
            assert needed in waits_for, kind
    ((_, flow),) = synthesized.resources("Desk", "Custom::OverreadFlowDefinition").items()
    assert any(name.startswith("LoansAssume") for name in flow["DependsOn"])


def test_logs_queues_and_the_session_key_are_encrypted_with_the_operations_key(synthesized: Any) -> None:
    for group in synthesized.resources("Desk", "AWS::Logs::LogGroup").values():
        assert "Key961B73FD" in json.dumps(group["Properties"]["KmsKeyId"])
    for queue in synthesized.resources("Desk", "AWS::SQS::Queue").values():
        assert "Key961B73FD" in json.dumps(queue["Properties"]["KmsMasterKeyId"])
    assert "Key961B73FD" in json.dumps(synthesized.one("Desk", "AWS::SecretsManager::Secret")["KmsKeyId"])
