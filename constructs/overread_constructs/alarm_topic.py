"""Where alarms go: a topic of the deployment, or one that is there already."""

from __future__ import annotations

import jsii
from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from overread_constructs._encryption import let_alarms_use

_CLOUDWATCH, _BUDGETS = "cloudwatch.amazonaws.com", "budgets.amazonaws.com"


def alarm_topic_arn(scope: Construct, *, deployment: str, adopted: str | None) -> str:
    """The topic's ARN, from names only: alarms of every stack name it, and no stack waits for another's."""
    return adopted or Stack.of(scope).format_arn(service="sns", resource=topic_name(deployment))


def topic_name(deployment: str) -> str:
    """What the topic of a deployment is called."""
    return f"{deployment}-alarms"


class AlarmTopic(Construct):
    """A topic that `key` encrypts, to which only CloudWatch's alarms and budgets of this account publish."""

    def __init__(self, scope: Construct, id: str, *, deployment: str, key: kms.IKey) -> None:
        """Who subscribes is for the account to say; a subscriber needs no use of the key."""
        super().__init__(scope, id)
        services = (_CLOUDWATCH, _BUDGETS)
        let_alarms_use(key, scope=self, services=services)
        topic = sns.Topic(self, "Topic", topic_name=topic_name(deployment), master_key=key, enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyAlarmsOfThisAccount",
                principals=[iam.ServicePrincipal(service) for service in services],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        self.topic: sns.Topic = topic


@jsii.implements(cloudwatch.IAlarmAction)
class ToTopic:
    """An alarm's action: tell a topic, known by its ARN."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn

    def bind(self, scope: Construct, alarm: cloudwatch.IAlarm) -> cloudwatch.AlarmActionConfig:
        """What the CDK asks of an action."""
        return cloudwatch.AlarmActionConfig(alarm_action_arn=self._topic_arn)
