"""The review service as one ASGI application: AWS's wire, the portal, and a health check."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan

from overread_review.portal.api import portal_api
from overread_review.portal.door import Door
from overread_review.portal.pages import portal_pages
from overread_review.portal.sessions import Sessions
from overread_review.portal.sign_in import NamesSignIn, SignIn
from overread_review.service.review_service import ReviewService
from overread_review.wire.a2i_runtime import A2IRuntimeWire
from overread_review.wire.labeling import LabelingWire
from overread_review.wire.roster import RosterWire
from overread_review.wire.sagemaker import SageMakerWire
from overread_review.wire.sandbox import SandboxWire
from overread_review.wire.work import WorkWire


def create_app(
    service: ReviewService,
    *,
    sign_in: SignIn | None = None,
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    """The application; whoever serves it also calls `service.loops.sweep` and `labeling.drive` every second.

    Without `sign_in` people sign in by their names alone: for one machine.
    """
    door = Door(
        service,
        sessions=Sessions(service.session_secret),
        sign_in=sign_in or NamesSignIn(service.reviewers),
    )

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            *SageMakerWire(service).routes,
            *WorkWire(service).routes,  # before the next, which takes anything for a loop's name
            *A2IRuntimeWire(service).routes,
            *SandboxWire(service).routes,
            *RosterWire(service).routes,
            *LabelingWire(service).routes,
            *portal_api(service, door=door),
            *portal_pages(service, door=door),
            Route("/healthz", healthz),
        ],
        lifespan=lifespan,
    )
