"""Webhooks at their receivers: genuine ones are read; replayed, forged, late and tampered ones refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from overread.delivery import signature
from overread.delivery.signature import signed_headers
from overread_client import Webhook, WebhookRefusedError, verify_webhook

SECRET, OTHER = b"a secret of 32 bytes for testing", "another secret, as text"
NOW = 1_795_000_000
DOCUMENT = {"event": "Decision Final", "dedupe_key": "d-1/3", "decision_id": "d-1", "state": "FINAL"}
BODY = json.dumps(DOCUMENT).encode()


def signed(body: bytes = BODY, *, secret: bytes = SECRET, at: int = NOW) -> dict[str, str]:
    return signed_headers(body, secret=secret, timestamp=at, dedupe_key="d-1/3")


def received(body: bytes, headers: dict[str, str], *, at: float = NOW, secrets: Any = (SECRET,)) -> Webhook:
    return verify_webhook(body, headers, secrets=secrets, now=lambda: at)


def test_a_genuine_webhook_is_read() -> None:
    assert received(BODY, signed()) == Webhook("Decision Final", "d-1/3", DOCUMENT)


def test_the_signature_is_the_documented_one() -> None:
    # Receivers in other languages compute it from the page alone.
    expected = hmac.new(SECRET, f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert signed() == {
        "Content-Type": "application/json",
        "Overread-Timestamp": str(NOW),
        "Overread-Signature": f"v1={expected}",
        "Overread-Dedupe-Key": "d-1/3",
    }


def test_names_of_headers_may_be_written_in_any_case() -> None:
    assert received(BODY, {name.lower(): value for name, value in signed().items()}).dedupe_key == "d-1/3"
    assert received(BODY, {name.upper(): value for name, value in signed().items()}).dedupe_key == "d-1/3"


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 299, 300])
def test_within_five_minutes_of_now_it_is_of_now(seconds: int) -> None:
    assert received(BODY, signed(), at=NOW + seconds).event == "Decision Final"


@pytest.mark.parametrize("seconds", [-301, -86_400, 300.5, 301, 86_400])
def test_replayed_later_or_dated_ahead_it_is_refused(seconds: float) -> None:
    with pytest.raises(
        WebhookRefusedError, match=r"Overread-Timestamp must be within 300 s of now, got 1795"
    ):
        received(BODY, signed(), at=NOW + seconds)


def test_a_replay_with_a_new_time_is_refused() -> None:
    headers = signed(at=NOW - 3600) | {"Overread-Timestamp": str(NOW)}
    with pytest.raises(WebhookRefusedError, match="Overread-Signature must be"):
        received(BODY, headers)


def test_every_changed_byte_is_noticed() -> None:
    headers = signed()
    for place in range(len(BODY)):
        tampered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(WebhookRefusedError, match="Overread-Signature must be"):
            received(tampered, headers)


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b" ", b"." + BODY])
def test_a_body_cut_or_prolonged_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefusedError, match="Overread-Signature must be"):
        received(body, signed())


def test_bytes_cannot_be_moved_between_time_and_body() -> None:
    # "17950000001" + "." + body and "1795000000" + "." + "1…" must not sign alike.
    body = b"1." + BODY
    headers = signed(body) | {"Overread-Timestamp": f"{NOW}1"}
    with pytest.raises(WebhookRefusedError):
        received(BODY, headers, at=NOW * 10 + 1)


DIGEST = signed()["Overread-Signature"][3:]


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "v1=",
        "v1",
        "v1=" + "0" * 64,
        DIGEST,
        "v0=" + DIGEST,
        "v2=" + DIGEST,
        "v1=" + DIGEST[:-1],
        "v1=" + DIGEST + "0",
        "v1=" + DIGEST.upper(),
        "v1=\udcff\u20ac",
        "v1=" + hashlib.sha256(f"{NOW}.".encode() + BODY).hexdigest(),
        "v1=" + hmac.new(b"", f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest(),
        ",".join(["v1=" + "0" * 64] * 8 + ["v1=" + DIGEST]),
    ],
)
def test_a_forged_signature_is_refused(forged: str) -> None:
    with pytest.raises(WebhookRefusedError, match="Overread-Signature must be"):
        received(BODY, signed() | {"Overread-Signature": forged})


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", f" {NOW}", f"{NOW}.0", "١٧٩٥", "9" * 400, "0x6b"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(WebhookRefusedError, match="Overread-Timestamp must be seconds since 1970"):
        received(BODY, signed() | {"Overread-Timestamp": stamp})


@pytest.mark.parametrize("name", ["Overread-Timestamp", "Overread-Signature"])
def test_without_time_or_signature_it_is_refused(name: str) -> None:
    headers = signed()
    del headers[name]
    with pytest.raises(WebhookRefusedError, match=name):
        received(BODY, headers)


def test_while_a_secret_is_replaced_both_count_and_then_one() -> None:
    headers = signed(secret=OTHER.encode())
    assert received(BODY, headers, secrets=[SECRET, OTHER]).dedupe_key == "d-1/3"
    assert received(BODY, signed(), secrets=[SECRET, OTHER]).dedupe_key == "d-1/3"
    with pytest.raises(WebhookRefusedError, match="Overread-Signature"):
        received(BODY, headers, secrets=[SECRET])


def test_a_sender_may_sign_with_both_secrets() -> None:
    other = signed(secret=b"of somebody else altogether")["Overread-Signature"]
    both = f"{other}, {signed()['Overread-Signature']}"
    assert received(BODY, signed() | {"Overread-Signature": both}).event == "Decision Final"


@pytest.mark.parametrize("secrets", [[], (), "a secret of 32 bytes for testing", SECRET, ["short"], [b""]])
def test_secrets_that_protect_nothing_are_an_error_of_the_receiver(secrets: Any) -> None:
    with pytest.raises(ValueError, match="secrets must"):
        received(BODY, signed(), secrets=secrets)


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b"{}", b'{"event": "x"}', b"\xff", b"{", b'"event"'])
def test_signed_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRefusedError, match="the body must be an object with event and dedupe_key"):
        received(body, signed(body))


def test_the_dedupe_key_is_the_signed_one() -> None:
    # The header is not signed: whoever replays within the window could change it.
    assert received(BODY, signed() | {"Overread-Dedupe-Key": "d-2/9"}).dedupe_key == "d-1/3"


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(signature.hmac, "compare_digest", compare)
    with pytest.raises(WebhookRefusedError):
        received(BODY, signed(), secrets=[SECRET, OTHER])
    assert len(compared) == 2, "every secret is tried, and nothing else decides"
