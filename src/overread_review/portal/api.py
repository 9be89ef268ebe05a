"""The portal's JSON API under /portal/api."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from overread_review.portal.door import Door, guarded
from overread_review.portal.labeling_api import LabelingApi
from overread_review.portal.lead_api import LeadApi
from overread_review.portal.people_api import PeopleApi
from overread_review.portal.problems import PortalProblemError
from overread_review.portal.session_api import SessionApi
from overread_review.portal.task_api import TaskApi
from overread_review.service.review_service import ReviewService

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def portal_api(service: ReviewService, *, door: Door) -> list[BaseRoute]:
    """All routes of the API."""
    return [
        *SessionApi(service, door=door).routes,
        *TaskApi(service, door=door).routes,
        *LeadApi(service, door=door).routes,
        *PeopleApi(service, door=door).routes,
        *LabelingApi(service, door=door).routes,
        Route("/portal/api/{rest:path}", guarded(_nothing), methods=_METHODS),
    ]


async def _nothing(request: Request) -> Response:
    raise PortalProblemError(
        "path-unknown",
        status=404,
        title="No such call",
        detail=f"there is no {request.method} {request.path_params['rest'][:100]}",
    )
