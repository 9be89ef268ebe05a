"""CloudFormation: the types that the emulator lacks, and custom resources as AWS runs them."""

import json
import time
from typing import Any

import pytest
from tests.local.conftest import ADDING_MODEL, Clients, archive, put_archive

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::000000000000:role/any"


def finished(aws: Clients, stack: str) -> dict[str, Any]:
    """The stack once nothing is in progress any more."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        described: dict[str, Any] = aws("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith("IN_PROGRESS"):
            return described
        time.sleep(0.1)
    raise AssertionError(f"{stack} did not finish")


def create(aws: Clients, name: str, resources: dict[str, Any], **outputs: Any) -> dict[str, Any]:
    body = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    stack = aws("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))["StackId"]
    return finished(aws, stack)


def update(aws: Clients, name: str, resources: dict[str, Any]) -> dict[str, Any]:
    aws("cloudformation").update_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    return finished(aws, name)


def delete(aws: Clients, name: str) -> dict[str, Any]:
    stack = aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    aws("cloudformation").delete_stack(StackName=name)
    return finished(aws, stack)


def outputs_of(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def reasons(aws: Clients, stack: str, *, status: str) -> list[str]:
    events = aws("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [one.get("ResourceStatusReason", "") for one in events if one["ResourceStatus"] == status]


def serving(url: str, *, count: int = 1) -> dict[str, Any]:
    """Model, configuration, endpoint and its scaling, wired as the CDK wires them."""
    dimension = "sagemaker:variant:DesiredInstanceCount"
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": url},
                "Tags": [{"Key": "team", "Value": "risk"}],
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InitialInstanceCount": count,
                        "InitialVariantWeight": 1,
                        "InstanceType": "ml.m5.large",
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "formed",
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "DependsOn": "Endpoint",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ResourceId": "endpoint/formed/variant/AllTraffic",
                "ScalableDimension": dimension,
                "MinCapacity": 1,
                "MaxCapacity": 2,
            },
        },
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "track",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 100.0,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                    },
                },
            },
        },
    }


def test_an_endpoint_is_created_updated_and_deleted_with_its_stack(aws: Clients) -> None:
    url = put_archive(aws, "formed.tar.gz", archive(ADDING_MODEL))
    stack = create(aws, "serving", serving(url), Arn={"Ref": "Endpoint"}, Model={"Ref": "Model"})
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = outputs_of(stack)
    assert outputs["Arn"] == "arn:aws:sagemaker:us-east-1:000000000000:endpoint/formed"
    assert ":model/serving-" in outputs["Model"]
    before = aws("sagemaker").describe_endpoint(EndpointName="formed")["EndpointConfigName"]

    newer = put_archive(aws, "formed-2.tar.gz", archive(ADDING_MODEL, model={"b": 1}))
    assert update(aws, "serving", serving(newer))["StackStatus"] == "UPDATE_COMPLETE"
    after = aws("sagemaker").describe_endpoint(EndpointName="formed")
    assert after["EndpointConfigName"] != before
    reply = aws("sagemaker-runtime").invoke_endpoint(EndpointName="formed", Body=b'{"a": 1}')
    assert json.loads(reply["Body"].read())["sum"] == 2
    names = [one["EndpointConfigName"] for one in aws("sagemaker").list_endpoint_configs()["EndpointConfigs"]]
    assert before not in names

    scaling = aws("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert [(one["MinCapacity"], one["MaxCapacity"]) for one in targets] == [(1, 2)]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert [one["PolicyName"] for one in policies] == ["track"]

    assert delete(aws, "serving")["StackStatus"] == "DELETE_COMPLETE"
    assert "formed" not in {one["EndpointName"] for one in aws("sagemaker").list_endpoints()["Endpoints"]}
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_an_endpoint_that_fails_fails_the_stack_with_awss_reason_and_leaves_nothing(aws: Clients) -> None:
    url = put_archive(aws, "broken.tar.gz", archive("raise RuntimeError('no weights')"))
    stack = create(aws, "failing", serving(url))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "did not pass the ping health check" in " ".join(
        reasons(aws, stack["StackId"], status="CREATE_FAILED")
    )
    assert "formed" not in {one["EndpointName"] for one in aws("sagemaker").list_endpoints()["Endpoints"]}


def test_a_task_ui_is_replaced_when_its_name_changes(aws: Clients) -> None:
    def page(name: str) -> dict[str, Any]:
        properties = {"HumanTaskUiName": name, "UiTemplate": {"Content": f"<crowd-form>{name}</crowd-form>"}}
        return {"Page": {"Type": "AWS::SageMaker::HumanTaskUi", "Properties": properties}}

    stack = create(aws, "pages", page("page-a"), Arn={"Fn::GetAtt": ["Page", "HumanTaskUiArn"]})
    assert outputs_of(stack)["Arn"].endswith(":human-task-ui/page-a")
    assert update(aws, "pages", page("page-b"))["StackStatus"] == "UPDATE_COMPLETE"
    pages = aws("sagemaker").list_human_task_uis(MaxResults=100)["HumanTaskUiSummaries"]
    names = {one["HumanTaskUiName"] for one in pages}
    assert "page-b" in names
    assert "page-a" not in names


def test_flow_logs_and_security_group_rules_are_made(aws: Clients) -> None:
    group = {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "x", "VpcId": {"Ref": "Net"}},
    }
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    resources = {
        "Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Callers": group,
        "Called": group,
        "In": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                **rule,
                "GroupId": {"Fn::GetAtt": ["Called", "GroupId"]},
                "SourceSecurityGroupId": {"Fn::GetAtt": ["Callers", "GroupId"]},
            },
        },
        "Out": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                **rule,
                "GroupId": {"Fn::GetAtt": ["Callers", "GroupId"]},
                "DestinationSecurityGroupId": {"Fn::GetAtt": ["Called", "GroupId"]},
            },
        },
        "Traffic": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": {"Ref": "Net"},
                "ResourceType": "VPC",
                "TrafficType": "REJECT",
                "LogGroupName": "traffic",
                "DeliverLogsPermissionArn": ROLE,
            },
        },
    }
    stack = create(
        aws,
        "network",
        resources,
        Called={"Fn::GetAtt": ["Called", "GroupId"]},
        Callers={"Fn::GetAtt": ["Callers", "GroupId"]},
        Log={"Ref": "Traffic"},
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = outputs_of(stack)
    called = aws("ec2").describe_security_groups(GroupIds=[outputs["Called"]])["SecurityGroups"][0]
    pairs = called["IpPermissions"][0]["UserIdGroupPairs"]
    assert [pair["GroupId"] for pair in pairs] == [outputs["Callers"]]
    logs = aws("ec2").describe_flow_logs(FlowLogIds=[outputs["Log"]])["FlowLogs"]
    assert [one["TrafficType"] for one in logs] == ["REJECT"]
    assert delete(aws, "network")["StackStatus"] == "DELETE_COMPLETE"
    assert aws("ec2").describe_flow_logs(FlowLogIds=[outputs["Log"]])["FlowLogs"] == []


def test_a_domain_and_a_user_profile_come_and_go_with_a_stack(aws: Clients) -> None:
    resources = {
        "Domain": {
            "Type": "AWS::SageMaker::Domain",
            "Properties": {
                "DomainName": "formed",
                "AuthMode": "IAM",
                "DefaultUserSettings": {"ExecutionRole": ROLE},
                "VpcId": "vpc-1",
                "SubnetIds": ["subnet-1"],
            },
        },
        "Profile": {
            "Type": "AWS::SageMaker::UserProfile",
            "Properties": {"DomainId": {"Ref": "Domain"}, "UserProfileName": "rosalind"},
        },
    }
    stack = create(
        aws,
        "studio",
        resources,
        Id={"Ref": "Domain"},
        Url={"Fn::GetAtt": ["Domain", "Url"]},
        Who={"Ref": "Profile"},
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = outputs_of(stack)
    assert outputs["Url"].startswith(f"https://{outputs['Id']}.studio.")
    assert outputs["Who"] == f"rosalind|{outputs['Id']}"
    assert delete(aws, "studio")["StackStatus"] == "DELETE_COMPLETE"
    assert aws("sagemaker").list_domains()["Domains"] == []


PROVIDER = """
import json, urllib.request

def handler(event, context):
    properties = event["ResourceProperties"]
    if properties["Mode"] == "silent":
        return
    if properties["Mode"] == "crashing":
        raise RuntimeError("no such module")
    failed = properties["Mode"] == "undeletable" and event["RequestType"] == "Delete"
    answer = {
        "Status": "FAILED" if failed else "SUCCESS",
        "Reason": "2 human loops are open",
        "PhysicalResourceId": properties["Name"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Name": properties["Name"], "Seen": json.dumps(properties)},
    }
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


@pytest.fixture(scope="module")
def provider(aws: Clients) -> str:
    """The ARN of a function that serves custom resources."""
    return make_provider(aws)


def make_provider(aws: Clients) -> str:
    """Has CloudFormation make that function."""
    resources = {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": ROLE,
                "Code": {"ZipFile": PROVIDER},
            },
        }
    }
    stack = create(aws, "provider", resources, Arn={"Fn::GetAtt": ["Function", "Arn"]})
    return outputs_of(stack)["Arn"]


def custom(provider: str, **properties: Any) -> dict[str, Any]:
    return {"Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": provider, **properties}}}


def test_a_custom_resource_gets_strings_and_gives_attributes(aws: Clients, provider: str) -> None:
    resources = custom(provider, Name="one", Mode="plain", Count=3, On=True)
    stack = create(aws, "custom", resources, Seen={"Fn::GetAtt": ["Thing", "Seen"]}, Id={"Ref": "Thing"})
    seen = json.loads(outputs_of(stack)["Seen"])
    assert (seen["Count"], seen["On"]) == ("3", "true")
    assert outputs_of(stack)["Id"] == "one"


def test_a_custom_resource_that_does_not_answer_fails_when_its_time_is_over(
    aws: Clients, provider: str
) -> None:
    began = time.monotonic()
    stack = create(aws, "silent", custom(provider, Name="one", Mode="silent", ServiceTimeout="1"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert time.monotonic() - began < 10


def test_a_custom_resource_whose_function_crashes_fails_at_once(aws: Clients, provider: str) -> None:
    stack = create(aws, "crashing", custom(provider, Name="one", Mode="crashing", ServiceTimeout="60"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    said = " ".join(reasons(aws, stack["StackId"], status="CREATE_FAILED"))
    assert "the function failed and gave no answer: no such module" in said


def test_a_custom_resource_that_refuses_to_be_deleted_keeps_its_stack(aws: Clients, provider: str) -> None:
    create(aws, "kept", custom(provider, Name="one", Mode="undeletable"))
    deleted = delete(aws, "kept")
    assert deleted["StackStatus"] == "DELETE_FAILED"
    assert "2 human loops are open" in " ".join(reasons(aws, "kept", status="DELETE_FAILED"))


def test_an_update_succeeds_though_what_it_replaced_cannot_be_deleted(aws: Clients, provider: str) -> None:
    create(aws, "replaced", custom(provider, Name="old", Mode="undeletable"))
    updated = update(aws, "replaced", custom(provider, Name="new", Mode="plain"))
    assert updated["StackStatus"] == "UPDATE_COMPLETE"
    assert "2 human loops are open" in " ".join(reasons(aws, "replaced", status="DELETE_FAILED"))


def test_an_unknown_type_refuses_the_whole_stack(aws: Clients) -> None:
    with pytest.raises(aws("cloudformation").exceptions.ClientError, match="Unrecognized resource types"):
        create(aws, "unknown", {"Flow": {"Type": "AWS::SageMaker::FlowDefinition", "Properties": {}}})


def test_a_budget_is_made_changed_and_removed(aws: Clients) -> None:
    def resources(*, amount: int, topic: str) -> dict[str, Any]:
        subscriber = {"SubscriptionType": "SNS", "Address": f"arn:aws:sns:us-east-1:000000000000:{topic}"}
        notification = {
            "NotificationType": "ACTUAL",
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": 80,
            "ThresholdType": "PERCENTAGE",
        }
        limit = {"Amount": amount, "Unit": "USD"}
        budget = {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
        notified = [{"Notification": notification, "Subscribers": [subscriber]}]
        properties = {"Budget": budget, "NotificationsWithSubscribers": notified}
        return {"Budget": {"Type": "AWS::Budgets::Budget", "Properties": properties}}

    def limits() -> dict[str, str]:
        found = aws("budgets").describe_budgets(AccountId="0" * 12).get("Budgets", [])
        return {one["BudgetName"]: one["BudgetLimit"]["Amount"] for one in found}

    made = create(aws, "budgeted", resources(amount=500, topic="alarms"))
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(aws, "budgeted", status="CREATE_FAILED")
    ((name, amount),) = limits().items()
    assert float(amount) == 500
    update(aws, "budgeted", resources(amount=700, topic="alarms"))
    assert {one: float(limit) for one, limit in limits().items()} == {name: 700}
    update(aws, "budgeted", resources(amount=700, topic="others"))
    assert len(limits()) == 1
    assert name not in limits()
    assert delete(aws, "budgeted")["StackStatus"] == "DELETE_COMPLETE"
    assert limits() == {}
