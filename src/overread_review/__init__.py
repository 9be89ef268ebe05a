"""The review service: human review with A2I's own contract, for accounts that A2I refuses and for laptops."""

from overread_review.app import create_app
from overread_review.service.review_service import ReviewService, build_review_service
from overread_review.service.settings import ServiceSettings

__all__ = ["ReviewService", "ServiceSettings", "build_review_service", "create_app"]
