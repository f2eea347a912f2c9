"""A customer's chat that a bot serves, and the worker's part done here and now."""

from typing import Any

from django_tasks_db.models import DBTaskResult

from chatplatform.worker.executor import Executor
from clients.callers import system_caller
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation
from messaging.actions import send_message
from messaging.models import Message
from messaging.senders import as_contact


def chat(acme: Any, **columns: Any) -> Conversation:
    """As `whatsapp` opens one, unless said otherwise."""
    given = {"use_bot": True, "status": "new", "channel": "whatsapp", **columns}
    people = [Person(contact_id=acme.contacts[0].pk, role="customer"), *given.pop("people", [])]
    by = system_caller(acme.client)
    return actions.create_conversation(client_id=acme.client.pk, by=by, people=people, **given)


def write(acme: Any, row: Conversation, text: str = "Where is order 7?", sender: Any = None, **given: Any) -> Message:
    return send_message(conversation=row, sender=sender or as_contact(acme.contacts[0]), text=text, **given)


def work() -> list[str]:
    """What became of each task that waited."""
    executor = Executor("one")
    while executor.step():
        pass
    return [row.return_value for row in DBTaskResult.objects.order_by("enqueued_at")]


def said(row: Conversation) -> list[str]:
    return list(Message.objects.of(row.pk).counted().order_by("seq").values_list("text", flat=True))
