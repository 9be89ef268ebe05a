"""What an application imports: the decision API, and AWS clients of the review service; signed and typed."""

from overread_client._decisions import Decision, DecisionApi
from overread_client._errors import ApiError
from overread_client._review_clients import ReviewSandbox, a2i_client, sagemaker_client
from overread_client._review_operations import ReviewOperations

__all__ = [
    "ApiError",
    "Decision",
    "DecisionApi",
    "ReviewOperations",
    "ReviewSandbox",
    "a2i_client",
    "sagemaker_client",
]
