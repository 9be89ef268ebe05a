"""Words and limits that the settings share."""

from __future__ import annotations

from overread.review import limits
from overread_config.kinds import Text

NAME = r"[a-z0-9](-*[a-z0-9])*"
NAME_FORM = "lower-case letters, digits and hyphens inside"
SECTION_NAME = Text(pattern=NAME, form=NAME_FORM, longest=30)
"""Of a use case or a team. With `overread-`, an environment and a hash it stays below 63 characters."""

INTERFACE_ENDPOINTS = (
    "ecr.api",
    "ecr.dkr",
    "events",
    "execute-api",
    "kms",
    "lambda",
    "license-manager",
    "logs",
    "monitoring",
    "sagemaker.api",
    "sqs",
    "ssm",
    "states",
    "sts",
    "xray",
)
"""Services that the network may have an interface endpoint of, beside those that are always needed."""


def limited(limit: limits.TextLimit, *, form: str = "") -> Text:
    """A text within a limit of the review service."""
    return Text(pattern=limit.pattern or None, form=form, shortest=limit.minimum, longest=limit.maximum)
