"""What a policy's condition sees of events that are put on a bus."""

import json

from overread_local.emulator.event_conditions import keys_of


def body(*sources: str) -> bytes:
    entries = [{"Source": source, "DetailType": "Done", "Detail": "{}"} for source in sources]
    return json.dumps({"Entries": entries}).encode()


def test_one_source_is_a_text_and_several_are_a_list() -> None:
    assert keys_of(body("overread.review")) == {
        "events:source": "overread.review",
        "events:detail-type": "Done",
    }
    assert keys_of(body("overread.review", "aws.s3", "aws.s3"))["events:source"] == [
        "aws.s3",
        "overread.review",
    ]


def test_what_is_no_request_says_nothing() -> None:
    assert keys_of(b"{") == keys_of(b"[]") == keys_of(b"") == {}
