"""The review service put together from AWS's services, once a process."""

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from overread_aws.clients import make_client
from overread_aws.event_bus import EventBridgeEvents
from overread_aws.labeling_functions import LambdaAnnotationFunctions
from overread_aws.labeling_objects import S3LabelingObjects
from overread_aws.review_documents import S3ReviewDocuments
from overread_aws.review_roles import RoleClients, make_lambda_client, make_s3_client
from overread_aws.review_store import DynamoReviewStore
from overread_lambda.review_secrets import secret_text
from overread_lambda.review_settings import ReviewSettings, review_settings
from overread_review.service.chaos import ChaoticEvents
from overread_review.service.model import Reviewer
from overread_review.service.ports import EventSink
from overread_review.service.review_service import ReviewService, build_review_service


class NobodyByName:
    """The directory where identity providers say who people are."""

    def find(self, name: str) -> Reviewer | None:
        """Nobody signs in by nothing but a name."""
        return None

    def names(self) -> Sequence[str]:
        """Nobody is offered."""
        return ()


@cache
def settings() -> ReviewSettings:
    """What this function's environment says."""
    return review_settings(os.environ)


@cache
def service() -> ReviewService:
    """The service over DynamoDB, S3, EventBridge and the flow definitions' roles."""
    chosen = settings()
    secret = secret_text(chosen.sign_in.session_secret)
    sts = make_client("sts")
    in_s3 = RoleClients(sts, make=make_s3_client, clock=_now)
    built = build_review_service(
        settings=chosen.service,
        store=DynamoReviewStore(make_client("dynamodb"), table_name=chosen.table),
        documents=S3ReviewDocuments(
            make_s3_client(),
            bucket=chosen.bucket,
            client_of_role=in_s3,
        ),
        events=_events(chosen),
        reviewers=NobodyByName(),
        clock=_now,
        session_secret=secret,
        objects=S3LabelingObjects(in_s3),
        functions=LambdaAnnotationFunctions(RoleClients(sts, make=make_lambda_client, clock=_now)),
    )
    # The sign-in function knows the secret and not the store: what the store kept first must not win.
    return replace(built, session_secret=secret)


def _now() -> datetime:
    return datetime.now(UTC)


def _events(chosen: ReviewSettings) -> EventSink:
    events = EventBridgeEvents(make_client("events"), bus=chosen.bus)
    if not chosen.chaos_duplicate and not chosen.chaos_delay:
        return events
    return ChaoticEvents(
        events,
        duplicate=chosen.chaos_duplicate,
        delay=chosen.chaos_delay,
        random=random.SystemRandom().random,
    )
