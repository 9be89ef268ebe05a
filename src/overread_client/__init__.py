"""What an application imports: the decision API, signed and typed."""

from overread_client._decisions import ApiError, Decision, DecisionApi

__all__ = ["ApiError", "Decision", "DecisionApi"]
