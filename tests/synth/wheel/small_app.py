"""A CDK app of somebody else, with every construct; the wheel test runs it in an environment of its own."""

import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from overread_constructs import (
    CognitoWorkforce,
    ConfidenceRouter,
    FlowDefinition,
    HumanTaskUi,
    PrivateWorkforce,
    ReviewedEndpoint,
    ReviewService,
    RoutingPolicies,
    Workteam,
    handler_code,
    sklearn_image,
)

output, template, archive, policy = (Path(argument) for argument in sys.argv[1:])
app = cdk.App(outdir=str(output))
stack = cdk.Stack(app, "Loans", env=cdk.Environment(account="111122223333", region="eu-central-1"))
key = kms.Key(stack, "Key", enable_key_rotation=True)
vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0)
group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
bucket = s3.Bucket(stack, "Data", encryption_key=key)
keys = {"partition_key": dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)}
keys["sort_key"] = dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING)
table = dynamodb.Table(stack, "Decisions", stream=dynamodb.StreamViewType.NEW_IMAGE, **keys)

workforce = PrivateWorkforce.adopt(stack, "Workforce", workforce_name="default")
team = Workteam(
    stack, "Team", name="loans", description="Second readers", workforce=workforce, groups=["readers"]
)
code = handler_code()
ui = HumanTaskUi(stack, "Ui", name_prefix="loans", template=template, code=code)
review = FlowDefinition(
    stack,
    "Review",
    name_prefix="loans",
    workteam=team,
    human_task_ui=ui,
    output_bucket=bucket,
    output_prefix="reviews/",
    title="Loan decision",
    description="Read the application again",
    availability=cdk.Duration.days(1),
    time_limit=cdk.Duration.minutes(30),
    code=code,
)
policies = RoutingPolicies(
    stack, "Policies", name="loans", documents={"loan-approval": policy.read_text()}, deployment="all-at-once"
)
endpoint = ReviewedEndpoint(
    stack,
    "Endpoint",
    endpoint_name="loans-loan-approval",
    model_archive=archive,
    image=sklearn_image("eu-central-1"),
    instance_type="ml.m5.large",
    instance_count=1,
    max_instance_count=2,
    key=key,
    vpc=vpc,
    security_groups=[group],
)
ConfidenceRouter(
    stack,
    "Router",
    name_prefix="loans",
    table=table,
    input_bucket=bucket,
    output_bucket=bucket,
    policies=policies,
    use_cases=["loan-approval"],
    endpoints=[endpoint],
    vpc=vpc,
    security_groups=[group],
    backend="a2i",
    key=key,
)

# The same in the account's own review service, for accounts that A2I refuses.
desk = cdk.Stack(app, "Desk", env=cdk.Environment(account="111122223333", region="eu-central-1"))
endpoint_service = ec2.InterfaceVpcEndpointAwsService("execute-api")
reviews = ReviewService(
    desk,
    "Reviews",
    name_prefix="desk",
    workforce=CognitoWorkforce(domain_prefix="desk-reviewers"),
    vpc=vpc,
    security_groups=[group],
    endpoint=vpc.add_interface_endpoint("ExecuteApi", service=endpoint_service),
    key=key,
    operations_key=key,
    access_logs=bucket,
)
FlowDefinition(
    desk,
    "Review",
    name_prefix="desk-loans",
    workteam=Workteam.of_service(
        desk, "Team", name="loans", description="Second readers", service=reviews, groups=["readers"]
    ),
    human_task_ui=HumanTaskUi(
        desk, "Ui", name_prefix="desk-loans", template=template, service=reviews, code=code
    ),
    output_bucket=bucket,
    output_prefix="reviews/",
    title="Loan decision",
    description="Read the application again",
    availability=cdk.Duration.days(1),
    time_limit=cdk.Duration.minutes(30),
    service=reviews,
)
app.synth()
