"""Which calls CloudFormation makes to create, change, read, tag and delete a resource, by its type.

Source: the API operations of each service, as botocore's service models name them (a test holds every action
against them), and, where IAM spells an action otherwise (S3, API Gateway, AppConfig's tags), the Service
Authorization Reference. `{name}` stands for the names of a deployment, which begin with its prefix.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """Calls of one service on `resource`: `*`, or an ARN with {region}, {account} and {name}."""

    service: str
    actions: str
    resource: str = "*"

    def named(self) -> tuple[str, ...]:
        """The actions as IAM spells them."""
        return tuple(f"{self.service}:{action}" for action in self.actions.split())


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


_ROLE = "arn:{partition}:iam::{account}:role{role_path}{name}"
_REST = "arn:{partition}:apigateway:{region}::/*"
_FUNCTION = _arn("lambda", "function:{name}")
_BUCKET = "arn:{partition}:s3:::{name}"
_EC2_TAGS = "CreateTags DeleteTags"
_APIGATEWAY = Grant("apigateway", "GET POST PUT PATCH DELETE", _REST)
_APIGATEWAY_TAGGED = Grant("apigateway", "GET POST PUT PATCH DELETE TagResource UntagResource", _REST)
_APPCONFIG = "TagResource UntagResource ListTagsForResource"
_APPCONFIG_ARN = _arn("appconfig", "*")
_COGNITO_POOL = _arn("cognito-idp", "userpool/*")
_SCALING = Grant(
    "application-autoscaling",
    "RegisterScalableTarget DeregisterScalableTarget DescribeScalableTargets PutScalingPolicy "
    "DeleteScalingPolicy DescribeScalingPolicies TagResource UntagResource ListTagsForResource",
)
_QUEUE = _arn("sqs", "{name}")
_TOPIC = _arn("sns", "{name}")
_INLINE = Grant("iam", "PutRolePolicy DeleteRolePolicy GetRolePolicy GetRole", _ROLE)


_USED_KEY = Grant("kms", "CreateGrant DescribeKey Decrypt Encrypt GenerateDataKey", _arn("kms", "key/*"))


def _sagemaker(noun: str, path: str, *, more: str = "") -> tuple[Grant, ...]:
    """`path` ends with a star where names begin with the logical id, not with the stack's name."""
    actions = f"Create{noun} Describe{noun} Delete{noun} AddTags DeleteTags ListTags {more}"
    return (Grant("sagemaker", actions, _arn("sagemaker", path)),)


ACTIONS: dict[str, tuple[Grant, ...]] = {
    "AWS::ApiGateway::Account": (
        Grant("apigateway", "GET PATCH", "arn:{partition}:apigateway:{region}::/account"),
    ),
    "AWS::ApiGateway::BasePathMapping": (_APIGATEWAY,),
    "AWS::ApiGateway::Deployment": (_APIGATEWAY,),
    "AWS::ApiGateway::DomainName": (
        _APIGATEWAY_TAGGED,
        Grant("apigateway", "AddCertificateToDomain RemoveCertificateFromDomain", _REST),
        Grant(
            "iam",
            "CreateServiceLinkedRole",
            "arn:{partition}:iam::{account}:role/aws-service-role/ops.apigateway.amazonaws.com/*",
        ),
    ),
    "AWS::ApiGateway::GatewayResponse": (_APIGATEWAY,),
    "AWS::ApiGateway::Authorizer": (_APIGATEWAY,),
    "AWS::ApiGateway::RequestValidator": (_APIGATEWAY,),
    "AWS::ApiGateway::Model": (_APIGATEWAY,),
    "AWS::ApiGateway::Method": (_APIGATEWAY,),
    "AWS::ApiGateway::Resource": (_APIGATEWAY,),
    "AWS::ApiGateway::RestApi": (
        _APIGATEWAY_TAGGED,
        Grant("apigateway", "UpdateRestApiPolicy", _REST),
    ),
    "AWS::ApiGateway::Stage": (_APIGATEWAY_TAGGED,),
    "AWS::AppConfig::Application": (
        Grant(
            "appconfig",
            f"CreateApplication GetApplication UpdateApplication DeleteApplication {_APPCONFIG}",
            _APPCONFIG_ARN,
        ),
    ),
    "AWS::AppConfig::ConfigurationProfile": (
        Grant(
            "appconfig",
            "CreateConfigurationProfile GetConfigurationProfile UpdateConfigurationProfile "
            f"DeleteConfigurationProfile ValidateConfiguration {_APPCONFIG}",
            _APPCONFIG_ARN,
        ),
    ),
    "AWS::AppConfig::Deployment": (
        Grant("appconfig", f"StartDeployment GetDeployment StopDeployment {_APPCONFIG}", _APPCONFIG_ARN),
    ),
    "AWS::AppConfig::DeploymentStrategy": (
        Grant(
            "appconfig",
            "CreateDeploymentStrategy GetDeploymentStrategy UpdateDeploymentStrategy "
            f"DeleteDeploymentStrategy {_APPCONFIG}",
            _APPCONFIG_ARN,
        ),
    ),
    "AWS::AppConfig::Environment": (
        Grant(
            "appconfig",
            f"CreateEnvironment GetEnvironment UpdateEnvironment DeleteEnvironment {_APPCONFIG}",
            _APPCONFIG_ARN,
        ),
    ),
    "AWS::AppConfig::HostedConfigurationVersion": (
        Grant(
            "appconfig",
            "CreateHostedConfigurationVersion GetHostedConfigurationVersion DeleteHostedConfigurationVersion",
            _APPCONFIG_ARN,
        ),
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        _SCALING,
        Grant(
            "iam",
            "CreateServiceLinkedRole",
            "arn:{partition}:iam::{account}:role/aws-service-role/"
            "sagemaker.application-autoscaling.amazonaws.com/*",
        ),
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        _SCALING,
        Grant("cloudwatch", "PutMetricAlarm DeleteAlarms DescribeAlarms"),
    ),
    "AWS::Budgets::Budget": (
        Grant("budgets", "ViewBudget ModifyBudget TagResource UntagResource ListTagsForResource"),
    ),
    "AWS::CloudWatch::Alarm": (
        Grant(
            "cloudwatch",
            "PutMetricAlarm DeleteAlarms DescribeAlarms TagResource UntagResource ListTagsForResource",
            _arn("cloudwatch", "alarm:{name}"),
        ),
    ),
    "AWS::CloudWatch::CompositeAlarm": (
        Grant("cloudwatch", "PutCompositeAlarm DeleteAlarms DescribeAlarms", _arn("cloudwatch", "alarm:*")),
    ),
    "AWS::CloudWatch::Dashboard": (
        Grant(
            "cloudwatch",
            "PutDashboard GetDashboard DeleteDashboards",
            "arn:{partition}:cloudwatch::{account}:dashboard/{name}",
        ),
    ),
    "AWS::Cognito::UserPool": (
        Grant("cognito-idp", "CreateUserPool"),
        Grant(
            "cognito-idp",
            "DescribeUserPool UpdateUserPool DeleteUserPool SetUserPoolMfaConfig GetUserPoolMfaConfig "
            "TagResource UntagResource ListTagsForResource",
            _COGNITO_POOL,
        ),
    ),
    "AWS::Cognito::UserPoolClient": (
        Grant(
            "cognito-idp",
            "CreateUserPoolClient DescribeUserPoolClient UpdateUserPoolClient DeleteUserPoolClient",
            _COGNITO_POOL,
        ),
    ),
    "AWS::Cognito::UserPoolDomain": (
        Grant("cognito-idp", "CreateUserPoolDomain UpdateUserPoolDomain DeleteUserPoolDomain", _COGNITO_POOL),
        Grant("cognito-idp", "DescribeUserPoolDomain"),
    ),
    "AWS::Cognito::UserPoolGroup": (
        Grant("cognito-idp", "CreateGroup GetGroup UpdateGroup DeleteGroup", _COGNITO_POOL),
    ),
    "AWS::DynamoDB::Table": (
        Grant(
            "dynamodb",
            "CreateTable DescribeTable UpdateTable DeleteTable UpdateTimeToLive DescribeTimeToLive "
            "UpdateContinuousBackups DescribeContinuousBackups DescribeContributorInsights "
            "DescribeKinesisStreamingDestination TagResource UntagResource ListTagsOfResource "
            "GetResourcePolicy PutResourcePolicy DeleteResourcePolicy",
            _arn("dynamodb", "table/{name}"),
        ),
        _USED_KEY,
    ),
    "AWS::EC2::FlowLog": (
        Grant("ec2", f"CreateFlowLogs DeleteFlowLogs DescribeFlowLogs {_EC2_TAGS}"),
        Grant("logs", "CreateLogDelivery DeleteLogDelivery"),
    ),
    "AWS::EC2::RouteTable": (
        Grant("ec2", f"CreateRouteTable DeleteRouteTable DescribeRouteTables {_EC2_TAGS}"),
    ),
    "AWS::EC2::SecurityGroup": (
        Grant(
            "ec2",
            "CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups AuthorizeSecurityGroupIngress "
            f"AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress {_EC2_TAGS}",
        ),
    ),
    "AWS::EC2::SecurityGroupEgress": (
        Grant("ec2", "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress DescribeSecurityGroups"),
    ),
    "AWS::EC2::SecurityGroupIngress": (
        Grant("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DescribeSecurityGroups"),
    ),
    "AWS::EC2::Subnet": (
        Grant(
            "ec2",
            f"CreateSubnet DeleteSubnet DescribeSubnets ModifySubnetAttribute "
            f"DescribeAvailabilityZones {_EC2_TAGS}",
        ),
    ),
    "AWS::EC2::SubnetRouteTableAssociation": (
        Grant("ec2", "AssociateRouteTable DisassociateRouteTable DescribeRouteTables DescribeSubnets"),
    ),
    "AWS::EC2::VPC": (
        Grant(
            "ec2",
            f"CreateVpc DeleteVpc DescribeVpcs ModifyVpcAttribute DescribeVpcAttribute {_EC2_TAGS}",
        ),
    ),
    "AWS::EC2::VPCEndpoint": (
        Grant(
            "ec2",
            "CreateVpcEndpoint DeleteVpcEndpoints DescribeVpcEndpoints ModifyVpcEndpoint DescribeVpcs "
            f"DescribeSubnets DescribeSecurityGroups DescribeRouteTables {_EC2_TAGS}",
        ),
    ),
    "AWS::Events::EventBus": (
        Grant(
            "events",
            "CreateEventBus DescribeEventBus DeleteEventBus UpdateEventBus PutPermission RemovePermission "
            "TagResource UntagResource ListTagsForResource",
            _arn("events", "event-bus/{name}"),
        ),
    ),
    "AWS::Events::Rule": (
        Grant(
            "events",
            "PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule TagResource "
            "UntagResource ListTagsForResource",
            _arn("events", "rule/*"),
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        Grant(
            "iam",
            "CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion GetPolicyVersion "
            "ListPolicyVersions ListEntitiesForPolicy TagPolicy UntagPolicy",
            "arn:{partition}:iam::{account}:policy{role_path}{name}",
        ),
        Grant("iam", "AttachRolePolicy DetachRolePolicy", _ROLE),
    ),
    "AWS::IAM::Policy": (_INLINE,),
    "AWS::IAM::Role": (
        _INLINE,
        Grant(
            "iam",
            "CreateRole UpdateRole UpdateAssumeRolePolicy UpdateRoleDescription DeleteRole TagRole UntagRole "
            "ListRolePolicies ListAttachedRolePolicies AttachRolePolicy DetachRolePolicy "
            "PutRolePermissionsBoundary DeleteRolePermissionsBoundary",
            _ROLE,
        ),
    ),
    "AWS::KMS::Alias": (
        Grant("kms", "CreateAlias UpdateAlias DeleteAlias", _arn("kms", "alias/*")),
        Grant("kms", "CreateAlias UpdateAlias DeleteAlias", _arn("kms", "key/*")),
        Grant("kms", "ListAliases"),
    ),
    "AWS::KMS::Key": (
        Grant("kms", "CreateKey"),
        Grant(
            "kms",
            "DescribeKey PutKeyPolicy GetKeyPolicy EnableKeyRotation DisableKeyRotation GetKeyRotationStatus "
            "UpdateKeyDescription EnableKey DisableKey ScheduleKeyDeletion TagResource UntagResource "
            "ListResourceTags",
            _arn("kms", "key/*"),
        ),
    ),
    "AWS::Lambda::Alias": (
        Grant("lambda", "CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases", _FUNCTION),
    ),
    "AWS::Lambda::EventInvokeConfig": (
        Grant(
            "lambda",
            "PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig "
            "DeleteFunctionEventInvokeConfig",
            _FUNCTION,
        ),
    ),
    "AWS::Lambda::EventSourceMapping": (
        Grant(
            "lambda",
            "CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping "
            "DeleteEventSourceMapping TagResource UntagResource ListTags",
        ),
    ),
    "AWS::Lambda::Function": (
        Grant(
            "lambda",
            "CreateFunction GetFunction GetFunctionConfiguration GetFunctionCodeSigningConfig "
            "GetRuntimeManagementConfig GetFunctionRecursionConfig UpdateFunctionCode "
            "UpdateFunctionConfiguration DeleteFunction PutFunctionConcurrency DeleteFunctionConcurrency "
            "TagResource UntagResource ListTags",
            _FUNCTION,
        ),
        Grant("ec2", "DescribeSubnets DescribeSecurityGroups DescribeVpcs"),
        _USED_KEY,
    ),
    "AWS::Lambda::LayerVersion": (
        Grant(
            "lambda",
            "PublishLayerVersion GetLayerVersion DeleteLayerVersion",
            _arn("lambda", "layer:*"),
        ),
    ),
    "AWS::Lambda::Permission": (Grant("lambda", "AddPermission RemovePermission GetPolicy", _FUNCTION),),
    "AWS::Lambda::Version": (
        Grant(
            "lambda",
            "PublishVersion ListVersionsByFunction GetFunctionConfiguration DeleteFunction "
            "PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig "
            "DeleteProvisionedConcurrencyConfig",
            _FUNCTION,
        ),
    ),
    "AWS::Logs::LogGroup": (
        Grant(
            "logs",
            "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey "
            "DisassociateKmsKey TagResource UntagResource ListTagsForResource DescribeIndexPolicies "
            "GetDataProtectionPolicy PutDataProtectionPolicy DeleteDataProtectionPolicy",
            _arn("logs", "log-group:*"),
        ),
        Grant("logs", "DescribeLogGroups"),
    ),
    "AWS::Logs::MetricFilter": (
        Grant(
            "logs", "PutMetricFilter DescribeMetricFilters DeleteMetricFilter", _arn("logs", "log-group:*")
        ),
    ),
    "AWS::Route53::RecordSet": (
        Grant(
            "route53",
            "ChangeResourceRecordSets GetHostedZone ListResourceRecordSets",
            "arn:{partition}:route53:::hostedzone/*",
        ),
        Grant("route53", "GetChange", "arn:{partition}:route53:::change/*"),
    ),
    "AWS::S3::Bucket": (
        Grant(
            "s3",
            "CreateBucket DeleteBucket PutBucketVersioning GetBucketVersioning PutBucketPublicAccessBlock "
            "GetBucketPublicAccessBlock PutEncryptionConfiguration GetEncryptionConfiguration "
            "PutBucketLogging GetBucketLogging "
            "PutLifecycleConfiguration GetLifecycleConfiguration PutBucketCORS GetBucketCORS "
            "PutBucketObjectLockConfiguration GetBucketObjectLockConfiguration PutBucketOwnershipControls "
            "GetBucketOwnershipControls PutBucketNotification GetBucketNotification PutBucketTagging "
            "GetBucketTagging GetBucketLocation ListBucket",
            _BUCKET,
        ),
    ),
    "AWS::S3::BucketPolicy": (Grant("s3", "PutBucketPolicy GetBucketPolicy DeleteBucketPolicy", _BUCKET),),
    "AWS::SNS::Subscription": (
        Grant("sns", "Subscribe Unsubscribe GetSubscriptionAttributes SetSubscriptionAttributes", _TOPIC),
    ),
    "AWS::SNS::Topic": (
        Grant(
            "sns",
            "CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes TagResource UntagResource "
            "ListTagsForResource ListSubscriptionsByTopic",
            _TOPIC,
        ),
    ),
    "AWS::SNS::TopicPolicy": (Grant("sns", "GetTopicAttributes SetTopicAttributes", _TOPIC),),
    "AWS::SQS::Queue": (
        Grant(
            "sqs",
            "CreateQueue DeleteQueue GetQueueAttributes SetQueueAttributes GetQueueUrl TagQueue UntagQueue "
            "ListQueueTags",
            _QUEUE,
        ),
    ),
    "AWS::SQS::QueuePolicy": (Grant("sqs", "GetQueueAttributes SetQueueAttributes", _QUEUE),),
    "AWS::SSM::Parameter": (
        Grant(
            "ssm",
            "PutParameter GetParameters DeleteParameter AddTagsToResource RemoveTagsFromResource "
            "ListTagsForResource",
            _arn("ssm", "parameter/*"),
        ),
    ),
    "AWS::SageMaker::Endpoint": _sagemaker("Endpoint", "endpoint/*", more="UpdateEndpoint")
    + _sagemaker("EndpointConfig", "endpoint-config/*"),
    "AWS::SageMaker::EndpointConfig": (
        *_sagemaker("EndpointConfig", "endpoint-config/*"),
        _USED_KEY,
    ),
    "AWS::SageMaker::FlowDefinition": _sagemaker("FlowDefinition", "flow-definition/{name}"),
    "AWS::SageMaker::HumanTaskUi": _sagemaker("HumanTaskUi", "human-task-ui/{name}"),
    "AWS::SageMaker::Model": _sagemaker("Model", "model/*"),
    "AWS::SageMaker::Workforce": (
        Grant(
            "sagemaker",
            "CreateWorkforce DescribeWorkforce UpdateWorkforce DeleteWorkforce AddTags DeleteTags ListTags",
            _arn("sagemaker", "workforce/*"),
        ),
    ),
    "AWS::SageMaker::Workteam": _sagemaker("Workteam", "workteam/*/{name}", more="UpdateWorkteam"),
    "AWS::Scheduler::Schedule": (
        Grant(
            "scheduler",
            "CreateSchedule GetSchedule UpdateSchedule DeleteSchedule",
            _arn("scheduler", "schedule/*/{name}"),
        ),
    ),
    "AWS::SecretsManager::Secret": (
        Grant(
            "secretsmanager",
            "CreateSecret DescribeSecret UpdateSecret DeleteSecret GetRandomPassword GetSecretValue "
            "PutSecretValue TagResource UntagResource",
        ),
        _USED_KEY,
    ),
    "AWS::SecretsManager::ResourcePolicy": (
        Grant("secretsmanager", "PutResourcePolicy GetResourcePolicy DeleteResourcePolicy"),
    ),
    "AWS::SecretsManager::RotationSchedule": (
        Grant("secretsmanager", "RotateSecret CancelRotateSecret DescribeSecret"),
    ),
    "AWS::CDK::Metadata": (),
}
CUSTOM = (Grant("lambda", "InvokeFunction", _FUNCTION),)
"""CloudFormation calls the function behind a custom resource with the deployment's role."""


def grants_of(kind: str) -> tuple[Grant, ...] | None:
    """What resources of this type take; None for a type that is not in the table."""
    if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
        return CUSTOM
    return ACTIONS.get(kind)
