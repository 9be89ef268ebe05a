"""Reusable CDK constructs: human review, work teams, reviewed endpoints, and the router between them."""

from overread_constructs._bundle import BundleError
from overread_constructs._client_authorizer import OidcClients
from overread_constructs._review_identity import OidcSignIn, VendorSignIn
from overread_constructs._rules import PropsError
from overread_constructs.activation import (
    Activation,
    AllOf,
    AnyOf,
    Confidence,
    FormKeyConfidence,
    FormKeyMissing,
    ModerationLabelConfidence,
    RandomSample,
    RekognitionActivation,
    TextractActivation,
)
from overread_constructs.alarm_topic import AlarmTopic, ToTopic, alarm_topic_arn
from overread_constructs.analytics_export import AnalyticsExport
from overread_constructs.audit_trail import AuditTrail
from overread_constructs.confidence_router import ConfidenceRouter
from overread_constructs.flow_definition import FlowDefinition
from overread_constructs.human_task_ui import HumanTaskUi
from overread_constructs.images import SKLEARN_IMAGE_ACCOUNTS, SKLEARN_IMAGE_VERSION, sklearn_image
from overread_constructs.labeling_job import LabelingJob
from overread_constructs.news_delivery import NewsDelivery, Webhook
from overread_constructs.operations import Operations
from overread_constructs.operations_services import watch_services
from overread_constructs.policy_validator import PolicyValidator
from overread_constructs.python_code import (
    PythonCode,
    analytics_code,
    consolidation_code,
    handler_code,
    review_code,
)
from overread_constructs.review_service import ReviewService
from overread_constructs.reviewed_endpoint import ReviewedEndpoint
from overread_constructs.routing_policies import RoutingPolicies
from overread_constructs.rstudio_domain import RStudioDomain
from overread_constructs.workforce import CognitoIdentity, CognitoWorkforce, OidcWorkforce, PrivateWorkforce
from overread_constructs.workteam import Workteam

__all__ = [
    "SKLEARN_IMAGE_ACCOUNTS",
    "SKLEARN_IMAGE_VERSION",
    "Activation",
    "AlarmTopic",
    "AllOf",
    "AnalyticsExport",
    "AnyOf",
    "AuditTrail",
    "BundleError",
    "CognitoIdentity",
    "CognitoWorkforce",
    "Confidence",
    "ConfidenceRouter",
    "FlowDefinition",
    "FormKeyConfidence",
    "FormKeyMissing",
    "HumanTaskUi",
    "LabelingJob",
    "ModerationLabelConfidence",
    "NewsDelivery",
    "OidcClients",
    "OidcSignIn",
    "OidcWorkforce",
    "Operations",
    "PolicyValidator",
    "PrivateWorkforce",
    "PropsError",
    "PythonCode",
    "RStudioDomain",
    "RandomSample",
    "RekognitionActivation",
    "ReviewService",
    "ReviewedEndpoint",
    "RoutingPolicies",
    "TextractActivation",
    "ToTopic",
    "VendorSignIn",
    "Webhook",
    "Workteam",
    "alarm_topic_arn",
    "analytics_code",
    "consolidation_code",
    "handler_code",
    "review_code",
    "sklearn_image",
    "watch_services",
]
