"""What an application imports: the decision API, and AWS clients of the review service; signed and typed."""

from overread.errors import WebhookRefusedError
from overread_client._calls import Pauses
from overread_client._decisions import Decision, Decisions, ListedDecision
from overread_client._errors import (
    ApiError,
    ApiUnreachableError,
    DecisionCancelledError,
    OverreadClientError,
    StillUndecidedError,
    TokenRefusedError,
)
from overread_client._review_clients import ReviewSandbox, a2i_client, sagemaker_client
from overread_client._review_operations import ReviewOperations
from overread_client._steering import SteeredState, Steering
from overread_client._tokens import ClientCredentials
from overread_client._webhooks import Webhook, verify_webhook

__all__ = [
    "ApiError",
    "ApiUnreachableError",
    "ClientCredentials",
    "Decision",
    "DecisionCancelledError",
    "Decisions",
    "ListedDecision",
    "OverreadClientError",
    "Pauses",
    "ReviewOperations",
    "ReviewSandbox",
    "SteeredState",
    "Steering",
    "StillUndecidedError",
    "TokenRefusedError",
    "Webhook",
    "WebhookRefusedError",
    "a2i_client",
    "sagemaker_client",
    "verify_webhook",
]
