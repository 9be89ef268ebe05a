"""What an application imports: the decision API, signed and typed."""

from overread_client._decisions import ApiProblem, Decision, DecisionApi

__all__ = ["ApiProblem", "Decision", "DecisionApi"]
