"""The worker tells endpoints what any door has changed."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from chatplatform.worker import process, stopping
from chatplatform.worker.webhooks import deliver
from clients.callers import system_caller
from conversations.actions import Person, create_conversation
from messaging.actions import add_note, send_message, webhooks
from messaging.senders import as_agent, as_contact
from messaging.tests.receiver import receiving
from messaging.webhook_models import WebhookLane


@pytest.fixture
def part() -> Iterator[threading.Thread]:
    stopping.stop.clear()
    thread = threading.Thread(target=deliver)
    yield thread
    stopping.stop.set()
    thread.join(30)
    stopping.stop.clear()
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
@pytest.mark.contract("workspace: Whatever dialect or admin", "behaviour: Private notes")
def test_what_happens_is_told_in_workspaces_words(acme: Any, part: threading.Thread, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with receiving() as receiver:
        _, secret = webhooks.create_endpoint(client_id=acme.client.pk, url=receiver.url)
        row = create_conversation(
            client_id=acme.client.pk, by=system_caller(acme.client), channel="website", title="Broken cup",
            people=[Person(contact_id=acme.contacts[0].pk)],
        )  # fmt: skip
        add_note(conversation=row, sender=as_agent(acme.agents[0]), text="zqsecret")
        part.start()
        send_message(conversation=row, sender=as_contact(acme.contacts[0]), text="Hola")
        end = time.monotonic() + 20
        while len(receiver.taken) < 2 or WebhookLane.objects.exists():
            assert time.monotonic() < end
            time.sleep(0.02)
    bodies = [Webhook(secret).verify(call.body, call.headers) for call in receiver.calls]
    assert [body["event"] for body in bodies][::len(bodies) - 1] == [
        "conversation.created", "conversation.message.created",
    ]  # fmt: skip
    assert bodies[-1]["conversation"] == {"id": f"conv_{row.uuid.hex}", "subject": "Broken cup"}
    assert bodies[-1]["message"]["text"] == {"body": "Hola"}
    assert "zqsecret" not in "".join(call.body for call in receiver.calls)


def test_it_is_a_part_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[set[str]] = []
    monkeypatch.setattr(process, "_wait_for", lambda step: None)
    monkeypatch.setattr(process.lease, "leave", lambda worker: None)
    monkeypatch.setattr(process, "serve", lambda given: parts.append(set(given)) or 0)
    assert process.run() == 0
    assert {"webhooks", "schedule"} < parts[0]
