"""The review service as one ASGI application: AWS's wire, the portal, and a health check."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan

from overread_review.portal.api import PortalApi
from overread_review.portal.pages import portal_pages
from overread_review.portal.sessions import Sessions
from overread_review.service.review_service import ReviewService
from overread_review.wire.a2i_runtime import A2IRuntimeWire
from overread_review.wire.sagemaker import SageMakerWire


def create_app(service: ReviewService, *, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The application; whoever serves it also calls `service.loops.sweep` every second or so."""
    api = PortalApi(service, sessions=Sessions(service.session_secret))

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            *SageMakerWire(service).routes,
            *A2IRuntimeWire(service).routes,
            *api.routes,
            *portal_pages(service, api=api),
            Route("/healthz", healthz),
        ],
        lifespan=lifespan,
    )
