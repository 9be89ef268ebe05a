"""What roles of synthesized stacks may do, and what roles of deployed ones did, in names that both share.

Names that CloudFormation makes stand as `{stack.LogicalId}`, account and region as their own words in braces.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator

Template = Mapping[str, Any]
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::AccountId": "{account}",
    "AWS::Region": "{region}",
}
# Type: what an ARN of it begins with, and the property that may name it.
ARNS = {
    "AWS::ApiGateway::RestApi": ("arn:aws:apigateway:{region}::/restapis/", ""),
    "AWS::AppConfig::Application": ("arn:aws:appconfig:{region}:{account}:application/", ""),
    "AWS::DynamoDB::Table": ("arn:aws:dynamodb:{region}:{account}:table/", "TableName"),
    "AWS::IAM::Role": ("arn:aws:iam::{account}:role/", "RoleName"),
    "AWS::KMS::Key": ("arn:aws:kms:{region}:{account}:key/", ""),
    "AWS::Lambda::Function": ("arn:aws:lambda:{region}:{account}:function:", "FunctionName"),
    "AWS::Logs::LogGroup": ("arn:aws:logs:{region}:{account}:log-group:", "LogGroupName"),
    "AWS::S3::Bucket": ("arn:aws:s3:::", "BucketName"),
    "AWS::SNS::Topic": ("arn:aws:sns:{region}:{account}:", "TopicName"),
    "AWS::SQS::Queue": ("arn:aws:sqs:{region}:{account}:", "QueueName"),
    "AWS::SecretsManager::Secret": ("arn:aws:secretsmanager:{region}:{account}:secret:", "Name"),
    "AWS::Cognito::UserPool": ("arn:aws:cognito-idp:{region}:{account}:userpool/", ""),
}
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::IAM::ManagedPolicy"}
_CONSTRUCT_HASH = re.compile(r"[0-9A-F]{8}$")
_MADE = re.compile(
    # What each run or version makes anew stands as zeros: UUIDs, hashes, times and counts.
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"
    r"|(?<=/h-)[0-9a-z]{8,}-g[0-9]+(?:-[a-g])?\b"
    r"|(?<=/)[0-9a-f]{2}(?=/)"
    r"|\b(?=[0-9a-z]*\d)[0-9a-z]{8,}\b"
    r"|(?<=[/-])[\d.:TZ-]*\d[\d.:TZ-]*(?=[/.-]|$)"
)


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action of a statement on one resource, as a role has it; `condition` is JSON, or empty."""

    role: str
    effect: str
    action: str
    resource: str
    condition: str


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One check of a role's permissions; `context` is JSON: condition keys with their values."""

    role: str
    action: str
    resource: str
    context: str


@dataclass(frozen=True)
class Stacks:
    """The templates of one deployment by the last part of their names (`data`, `inference`, …)."""

    templates: Mapping[str, Template]
    account: str
    region: str
    _exports: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Learns what each stack exports."""
        for stack, template in self.templates.items():
            for output in template.get("Outputs", {}).values():
                if "Export" in output:
                    self._exports[self.text(output["Export"]["Name"], stack=stack)] = (stack, output["Value"])

    def grants(self) -> set[Grant]:
        """Every action on every resource that a role is allowed or denied."""
        return {
            Grant(role, statement["Effect"], action, resource, condition)
            for role, statement in self.statements()
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
            for condition in [json.dumps(statement.get("Condition", ""), sort_keys=True).strip('"')]
        }

    def roles_of_functions(self) -> set[str]:
        """The roles that Lambda assumes."""
        return {
            self.name(stack, logical)
            for stack, template in self.templates.items()
            for logical, resource in template["Resources"].items()
            if resource["Type"] == "AWS::IAM::Role"
            and "lambda.amazonaws.com" in json.dumps(resource["Properties"]["AssumeRolePolicyDocument"])
        }

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Roles with the statements of their policies, in shared names."""
        for stack, template in self.templates.items():
            for logical, resource in template["Resources"].items():
                properties = resource.get("Properties", {})
                if resource["Type"] == "AWS::IAM::Role":
                    documents = [one["PolicyDocument"] for one in properties.get("Policies", ())]
                    roles = [self.name(stack, logical)]
                elif resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                    documents = [properties["PolicyDocument"]]
                    roles = [self.text(role, stack=stack) for role in properties.get("Roles", ())]
                else:
                    continue
                for document in documents:
                    for statement in listed(document["Statement"]):
                        for role in roles:
                            yield role, self._plain(statement, stack=stack)

    def name(self, stack: str, logical: str) -> str:
        """What stands for the resource's name."""
        resource = self.templates[stack]["Resources"][logical]
        _, member = ARNS.get(resource["Type"], ("", ""))
        given = resource.get("Properties", {}).get(member)
        if given is not None:
            return self.text(given, stack=stack)
        return f"{{{stack}.{_CONSTRUCT_HASH.sub('', logical)}}}"

    def text(self, value: Any, *, stack: str) -> str:
        """A value of a template as one text."""
        if not isinstance(value, Mapping):
            return str(value).replace(self.account, "{account}").replace(self.region, "{region}")
        ((function, argument),) = value.items()
        return _FUNCTIONS[function](self, argument, stack)

    def _plain(self, value: Any, *, stack: str) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1 and next(iter(value)) in _FUNCTIONS:
                return self.text(value, stack=stack)
            return {self.text(key, stack=stack): self._plain(one, stack=stack) for key, one in value.items()}
        if isinstance(value, list):
            return [self._plain(one, stack=stack) for one in value]
        return self.text(value, stack=stack) if isinstance(value, str) else value

    def reference(self, logical: str, stack: str) -> str:
        if logical in PSEUDO:
            return PSEUDO[logical]
        if self.templates[stack]["Resources"].get(logical, {}).get("Type") in REF_IS_ARN:
            return self.attribute([logical, "Arn"], stack)
        return (
            self.name(stack, logical) if logical in self.templates[stack]["Resources"] else f"{{{logical}}}"
        )

    def attribute(self, argument: Sequence[str] | str, stack: str) -> str:
        logical, _, attribute = (argument if isinstance(argument, str) else ".".join(argument)).partition(".")
        kind = self.templates[stack]["Resources"][logical]["Type"]
        name = self.name(stack, logical)
        if kind not in ARNS or attribute not in ("Arn", "StreamArn", "RoleArn"):
            return f"{name[:-1]}.{attribute}}}" if name.endswith("}") else f"{name}.{attribute}"
        arn = ARNS[kind][0] + name
        return {"StreamArn": f"{arn}/stream/0", "Arn": arn}.get(attribute, arn) + (
            ":*" if kind == "AWS::Logs::LogGroup" else ""
        )

    def imported(self, argument: Any, stack: str) -> str:
        name = self.text(argument, stack=stack)
        exporting, value = self._exports[name]
        return self.text(value, stack=exporting)

    def joined(self, argument: Any, stack: str) -> str:
        separator, parts = argument
        return str(separator).join(self.text(part, stack=stack) for part in parts)

    def substituted(self, argument: Any, stack: str) -> str:
        text = argument if isinstance(argument, str) else argument[0]
        return re.sub(r"\$\{([^}]+)\}", lambda found: self.reference(found[1], stack), text)

    def selected(self, argument: Any, stack: str) -> str:
        index, parts = argument
        if isinstance(parts, Mapping) and "Fn::Split" in parts:
            separator, whole = parts["Fn::Split"]
            return self.text(whole, stack=stack).split(separator)[int(index)]
        return self.text(parts[int(index)], stack=stack)


_FUNCTIONS: dict[str, Callable[[Stacks, Any, str], str]] = {
    "Ref": Stacks.reference,
    "Fn::GetAtt": Stacks.attribute,
    "Fn::ImportValue": Stacks.imported,
    "Fn::Join": Stacks.joined,
    "Fn::Sub": Stacks.substituted,
    "Fn::Select": Stacks.selected,
}


def listed(value: Any) -> list[Any]:
    """A list of what may be one thing or several."""
    return value if isinstance(value, list) else [value]


def shared_names(text: str, *, stacks: Stacks, physical: Mapping[tuple[str, str], str]) -> str:
    """A deployed resource's name or ARN in shared names. `physical`: physical ids by stack and logical id."""
    for (stack, logical), name in sorted(physical.items(), key=lambda item: -len(item[1])):
        resource = stacks.templates[stack]["Resources"].get(logical, {})
        # Custom resources and SageMaker's have names of our own, which are the same everywhere.
        if (
            len(name) > 5
            and name in text
            and resource.get("Type", "Custom").startswith("AWS::")
            and "SageMaker" not in resource["Type"]
        ):
            before, _, after = text.partition(name)
            shared = (
                stacks.reference(logical, stack) if name.startswith("arn:") else stacks.name(stack, logical)
            )
            text = f"{before}{shared}{after}"
    text = text.replace(stacks.account, "{account}").replace(stacks.region, "{region}")
    parts = re.split(r"(\{[^}]+\})", text)
    return "".join(part if part.startswith("{") else _MADE.sub(_zeros, part) for part in parts)


def _zeros(made: re.Match[str]) -> str:
    return "0" * min(len(made[0]), 8)  # hashes in our names have eight, and policies count them


def is_used(grant: Grant, calls: Sequence[Call]) -> bool:
    """Whether a call of the role needed this action on this resource."""
    policy = _policy([{"Effect": "Allow", "Action": grant.action, "Resource": grant.resource}])
    return any(call.role == grant.role and _is_allowed(call, policy) for call in calls)


def denied(calls: Sequence[Call], stacks: Stacks) -> list[Call]:
    """The calls that the roles' synthesized policies do not allow."""
    of_role: dict[str, list[dict[str, Any]]] = {}
    for role, statement in stacks.statements():
        of_role.setdefault(role, []).append(statement)
    policies = {role: _policy(statements) for role, statements in of_role.items()}
    nothing = _policy([])
    return [call for call in calls if not _is_allowed(call, policies.get(call.role, nothing))]


def _policy(statements: list[dict[str, Any]]) -> Any:
    return iam_evaluator.parse_policy_document({"Version": "2012-10-17", "Statement": statements})


def _is_allowed(call: Call, policy: Any) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::0:role/{call.role}",
        principal_type="AssumedRole",
        principal_account="{account}",
        action=call.action,
        resource_arn=call.resource,
        region="{region}",
        service_context={name.lower(): value for name, value in json.loads(call.context).items()},
    )
    return bool(iam_evaluator.evaluate(context, [policy]).decision == "Allow")
