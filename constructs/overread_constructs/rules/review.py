"""What human review and the models in front of it must hold."""

from __future__ import annotations

from collections.abc import Iterator

from overread_constructs.rules.rule import TemplateRule
from overread_constructs.rules.template import Resource, Templates, allows, as_list, denies

_MAKES_WORK = {"sagemaker:CreateFlowDefinition", "sagemaker:CreateLabelingJob", "sagemaker:*", "*"}
_TEAM_TYPE = "sagemaker:WorkteamType"


def _open_reviews(resource: Resource, _: Templates) -> Iterator[str]:
    if resource.get("OnDelete") not in ("refuse", "drain"):
        yield "OnDelete"


def _public_team(resource: Resource, templates: Templates) -> Iterator[str]:
    document = resource.get("PolicyDocument")
    if not any(_MAKES_WORK & set(as_list(item.get("Action"))) for item in allows(document)):
        return
    roles = as_list(resource.get("Roles"))
    for other in templates.beside(resource, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        same_role = other is resource or any(role in as_list(other.get("Roles")) for role in roles)
        if same_role and any(_refuses_public(item) for item in denies(other.get("PolicyDocument"))):
            return
    yield "PolicyDocument"


def _refuses_public(statement: object) -> bool:
    return isinstance(statement, dict) and "public-crowd" in as_list(
        statement.get("Condition", {}).get("StringEquals", {}).get(_TEAM_TYPE)
    )


def _escaped_page(resource: Resource, _: Templates) -> Iterator[str]:
    content = resource.get("Content") or resource.get("UiTemplate", "Content")
    if "skip_autoescape" in str(content):
        yield "Content"


def _kept_workforce(resource: Resource, _: Templates) -> Iterator[str]:
    if resource.body.get("DeletionPolicy") != "Retain":
        yield "DeletionPolicy"


def _domain(resource: Resource, _: Templates) -> Iterator[str]:
    if resource.get("AppNetworkAccessType") != "VpcOnly":
        yield "AppNetworkAccessType"
    if not resource.get("KmsKeyId"):
        yield "KmsKeyId"


def _isolated_model(resource: Resource, _: Templates) -> Iterator[str]:
    if resource.get("EnableNetworkIsolation") is not True:
        yield "EnableNetworkIsolation"


def _captured(resource: Resource, _: Templates) -> Iterator[str]:
    if not resource.get("DataCaptureConfig", "EnableCapture"):
        return
    modes = {option["CaptureMode"] for option in as_list(resource.get("DataCaptureConfig", "CaptureOptions"))}
    if modes - {"Output"}:
        yield "DataCaptureConfig/CaptureOptions"


def _validated(resource: Resource, _: Templates) -> Iterator[str]:
    if "LAMBDA" not in {validator.get("Type") for validator in as_list(resource.get("Validators"))}:
        yield "Validators"


REVIEW_RULES = (
    TemplateRule(
        name="OpenReviewsGuarded",
        kinds=("Custom::OverreadFlowDefinition",),
        must="A flow definition says what its deletion does to open human loops: refuse, or drain.",
        why="A deleted flow definition strands its loops: reviewers answer, and nobody asks for the answer.",
        faults=_open_reviews,
    ),
    TemplateRule(
        name="PublicTeamDenied",
        kinds=("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"),
        must="A role that makes flow definitions or labeling jobs is denied those with the public work team.",
        why="Otherwise one changed ARN shows customers' data to Mechanical Turk. IAM knows the team's type.",
        faults=_public_team,
    ),
    TemplateRule(
        name="PageEscaped",
        kinds=("Custom::OverreadHumanTaskUi", "AWS::SageMaker::HumanTaskUi"),
        must="A worker page escapes what it shows: it has no skip_autoescape.",
        why="What callers send is shown to reviewers who are signed in: unescaped, it runs as their script.",
        faults=_escaped_page,
    ),
    TemplateRule(
        name="WorkforceRetained",
        kinds=("AWS::SageMaker::Workforce",),
        must="A workforce has DeletionPolicy Retain.",
        why="An account has one private workforce in a region: deleting it removes everybody's work teams.",
        faults=_kept_workforce,
    ),
    TemplateRule(
        name="DomainInNetwork",
        kinds=("AWS::SageMaker::Domain",),
        must="A SageMaker domain is VpcOnly and has a KMS key.",
        why="A domain on the public internet with AWS's own key passes all five packs.",
        faults=_domain,
    ),
    TemplateRule(
        name="ModelIsolated",
        kinds=("AWS::SageMaker::Model",),
        must="A model has network isolation.",
        why="A model's container sees every input; it needs no network to answer.",
        faults=_isolated_model,
    ),
    TemplateRule(
        name="InputsNotCaptured",
        kinds=("AWS::SageMaker::EndpointConfig",),
        must="Data capture keeps outputs only.",
        why="Inputs are kept once, with the decision, where retention and erasure reach them.",
        faults=_captured,
    ),
    TemplateRule(
        name="PolicyValidated",
        kinds=("AWS::AppConfig::ConfigurationProfile",),
        must="A configuration profile has a Lambda validator.",
        why="A JSON schema takes any threshold; only the validator knows what was approved.",
        faults=_validated,
    ),
)
