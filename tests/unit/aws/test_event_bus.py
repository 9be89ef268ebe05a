"""Status events on EventBridge: the same detail as A2I's, from a source that deployed code may use."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from overread_aws.event_bus import EventBridgeEvents
from overread_review.service.errors import EventUndeliveredError
from overread_testing.aws_stubs import stubbed

LOOP = "arn:aws:sagemaker:eu-west-1:111122223333:human-loop/h-1"
TYPE = "SageMaker A2I HumanLoop Status Change"
DETAIL = {"humanLoopName": "h-1", "humanLoopStatus": "Completed"}


@pytest.fixture
def events() -> Iterator[tuple[Any, Stubber]]:
    with stubbed("events") as made:
        yield made


def emit(client: Any) -> None:
    EventBridgeEvents(client, bus="reviews").emit(resource_arn=LOOP, detail_type=TYPE, detail=DETAIL)


def test_an_event_names_the_loop_and_carries_the_detail(events: tuple[Any, Stubber]) -> None:
    client, script = events
    entry = {
        "EventBusName": "reviews",
        "Source": "overread.review",
        "DetailType": TYPE,
        "Resources": [LOOP],
        "Detail": json.dumps(DETAIL),
    }
    script.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{}]}, {"Entries": [entry]})
    emit(client)


def test_an_entry_that_failed_is_to_be_tried_again(events: tuple[Any, Stubber]) -> None:
    client, script = events
    entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "try later"}
    script.add_response("put_events", {"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(EventUndeliveredError, match="InternalFailure: try later"):
        emit(client)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_refused_call_is_to_be_tried_again(events: tuple[Any, Stubber], code: str) -> None:
    client, script = events
    script.add_client_error("put_events", code)
    with pytest.raises(EventUndeliveredError, match=code):
        emit(client)


def test_a_bus_that_does_not_answer_is_to_be_tried_again() -> None:
    class Unreachable:
        def put_events(self, **_: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="https://events")

    with pytest.raises(EventUndeliveredError, match="Could not connect"):
        emit(Unreachable())
