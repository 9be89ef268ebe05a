"""The portal's JSON API under /portal/api."""

from __future__ import annotations

from starlette.routing import BaseRoute

from overread_review.portal.door import Door
from overread_review.portal.lead_api import LeadApi
from overread_review.portal.people_api import PeopleApi
from overread_review.portal.session_api import SessionApi
from overread_review.portal.task_api import TaskApi
from overread_review.service.review_service import ReviewService


def portal_api(service: ReviewService, *, door: Door) -> list[BaseRoute]:
    """All routes of the API."""
    return [
        *SessionApi(service, door=door).routes,
        *TaskApi(service, door=door).routes,
        *LeadApi(service, door=door).routes,
        *PeopleApi(service, door=door).routes,
    ]
