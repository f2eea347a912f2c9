"""Standard Webhooks 1.0.0: the library verifies what we send, and nothing that was altered on the way."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from messaging.webhooks.schedule import asked_delay, delay_after
from messaging.webhooks.signing import signed_head

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DELIVERY = UUID("0190f6c1-7e4b-7cc2-9d5e-0a1b2c3d4e5f")
BODY = '{"event": "conversation.created", "text": "¿Cuánto?"}'


def head(*secrets: str, at: datetime | None = None) -> dict[str, str]:
    return signed_head(DELIVERY, BODY, secrets or [SECRET], at or datetime.now(UTC))


def test_the_vector_of_the_specification():
    """The one that the reference libraries of Standard Webhooks share."""
    signature = Webhook(SECRET).sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.contract("workspace: At least once, in order")
def test_the_head_of_a_delivery_at_a_known_moment():
    assert head(SECRET, OTHER, at=datetime.fromtimestamp(1614265330.9, UTC)) == {
        "content-type": "application/json",
        "user-agent": "ChatPlatform-Webhooks/1.0",
        "webhook-id": "msg_0190f6c17e4b7cc29d5e0a1b2c3d4e5f",
        "webhook-timestamp": "1614265330",
        "webhook-signature": " ".join(
            Webhook(secret).sign(f"msg_{DELIVERY.hex}", datetime.fromtimestamp(1614265330, UTC), BODY)
            for secret in (SECRET, OTHER)
        ),
    }


def test_each_flipped_byte_of_id_time_and_body_is_refused():
    sent = head()
    Webhook(SECRET).verify(BODY.encode(), sent)
    tried = 0
    for name in ("webhook-id", "webhook-timestamp"):
        for place in range(len(sent[name])):
            for bit in (1, 2, 16):
                flipped = bytearray(sent[name].encode())
                flipped[place] ^= bit
                _refused(BODY.encode(), {**sent, name: flipped.decode("latin-1")})
                tried += 1
    raw = BODY.encode()
    for place in range(len(raw)):
        flipped = bytearray(raw)
        flipped[place] ^= 1
        _refused(bytes(flipped), sent)
        tried += 1
    assert tried > 150


def _refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
        Webhook(SECRET).verify(body, headers)


def test_both_live_secrets_verify_and_no_third():
    sent = head(SECRET, OTHER)
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(BODY, sent)
    _refused(BODY.encode(), head(at=datetime.now(UTC) - timedelta(minutes=6)))


@pytest.mark.contract("workspace: At least once, in order")
def test_the_retries_of_the_contract():
    """first retry after 5 s, then 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (± 20 %)"""
    hours = [5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]
    for attempt, usual in enumerate(hours, 1):
        waits = [delay_after(attempt) / 3600 for _ in range(400)]
        assert usual * 0.8 <= min(waits) < usual * 0.85
        assert usual * 1.15 < max(waits) <= usual * 1.2
    assert [delay_after(10), delay_after(11), delay_after(10, asked=60)] == [None, None, None]


def test_a_receiver_may_ask_for_more_time_up_to_a_day():
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    said = {
        "120": 120, "0": 0, " 7 ": 7, "99999999": 86400, "9" * 400: 86400, "Sun, 01 Mar 2026 12:02:00 GMT": 120,
        "Sun, 01 Mar 2026 11:00:00 GMT": 0, "Sunday, 01-Mar-26 12:00:30 GMT": 30,
        "Sun, 01 Mar 2099 12:00:00 GMT": 86400,
        "": None, None: None, "soon": None, "-5": None, "1.5": None, "٣": None, "Sun, 99 Mar 2026 12:00:00 GMT": None,
    }  # fmt: skip
    assert {text: asked_delay(text, now) for text in said} == said
    assert delay_after(1, asked=3600) == 3600
    assert 4 <= delay_after(1, asked=1) <= 6
