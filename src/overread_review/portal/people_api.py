"""A lead's people: the list, invitations, ending and giving back access."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overread_review.identity.invitations import Invitation, ticket
from overread_review.portal import documents
from overread_review.portal.bodies import json_object
from overread_review.portal.door import Door, Endpoint, guarded
from overread_review.portal.problems import PortalProblemError
from overread_review.portal.replies import json_reply, text_member
from overread_review.service.model import WORKFORCE, Reviewer
from overread_review.service.review_service import ReviewService

_MAX_BYTES = 16 * 1024


class PeopleApi:
    """`lead/people`; the service refuses everybody who is no lead."""

    def __init__(self, service: ReviewService, *, door: Door) -> None:
        self._service = service
        self._door = door
        people = service.people
        self.routes = [
            Route("/portal/api/lead/people", guarded(self._list), methods=["GET"]),
            Route("/portal/api/lead/people/invite", guarded(self._invite), methods=["POST"]),
            _post("disable", self._on_person(people.disable)),
            _post("enable", self._on_person(people.enable)),
        ]

    async def _list(self, request: Request) -> Response:
        lead = await self._door.reviewer(request)
        return json_reply(await run_in_threadpool(self._document, lead))

    def _document(self, lead: Reviewer) -> dict[str, Any]:
        people = self._service.people
        return {
            "people": [documents.person_document(view) for view in people.list(lead)],
            "aliases": [
                {"alias": one.alias} | documents.statistics_document(one.statistics)
                for one in people.aliases(lead)
            ],
            "groups": list(people.groups(lead)),
            "invitable": self._door.sign_in.can_invite and lead.provider == WORKFORCE,
            "statistics": self._service.settings.statistics,
        }

    async def _invite(self, request: Request) -> Response:
        lead = await self._door.acting(request)
        self._service.people.check_lead(lead)
        if not self._door.sign_in.can_invite:
            raise PortalProblemError(
                "invitation-impossible",
                status=409,
                title="Nobody can be invited here",
                detail="people are created at the identity provider; add them to the group there",
            )
        body = await json_object(request, limit=_MAX_BYTES)
        email, name, group = (text_member(body, member) for member in ("email", "name", "group"))
        person = await run_in_threadpool(
            self._service.people.invite, lead, email=email, name=name, group=group
        )
        permission = ticket(
            Invitation(email=person.email, name=person.name, group=group),
            sessions=self._door.sessions,
            now=self._service.clock(),
        )
        return json_reply({"ticket": permission})

    def _on_person(self, act: Callable[[Reviewer, str], Any]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            lead = await self._door.acting(request)
            await run_in_threadpool(act, lead, request.path_params["person"])
            return json_reply({})

        return endpoint


def _post(action: str, endpoint: Endpoint) -> Route:
    return Route(f"/portal/api/lead/people/{{person:path}}/{action}", guarded(endpoint), methods=["POST"])
