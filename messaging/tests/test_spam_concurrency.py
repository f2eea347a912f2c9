"""The same message many times at the same moment, and one release by many."""

from typing import Any

import pytest
from django.db import connection

from chatplatform.errors import NotFound
from clients.actions import NewTenant, change_settings
from clients.callers import system_caller
from conftest import caller_of
from conversations import actions
from conversations.models import Conversation
from messaging import spam
from messaging.actions import release_message, send_message
from messaging.integrity import verify
from messaging.models import Message
from messaging.senders import as_contact

from .test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def conversation_of(tenant: NewTenant) -> Conversation:
    return actions.create_conversation(
        client_id=tenant.client.pk,
        by=system_caller(tenant.client),
        channel="web",
        people=[actions.Person(contact_id=tenant.contacts[0].pk)],
    )


def in_threads(work: Any, count: int) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return work(number)
        finally:
            connection.close()

    return at_once(run, count)


@pytest.mark.contract("workspace: It acts on every incoming customer message")
def test_repeats_are_counted_exactly_in_a_conversation(acme: NewTenant) -> None:
    change_settings(acme.client.pk, antispam=spam.checked({"enabled": True, "actions": ["quarantine"]}))
    row, sender = conversation_of(acme), as_contact(acme.contacts[0])
    in_threads(lambda _: send_message(conversation=row, sender=sender, text="Buy my books"), 12)
    seen = list(Message.objects.order_by("seq").values_list("seq", "visibility"))
    assert seen == [(n, "public" if n <= 3 else "held") for n in range(1, 13)]
    row.refresh_from_db()
    assert (row.message_count, row.staff_unread, row.last_seq) == (3, 3, 12)
    assert [found for _, found in verify() if found] == []


@pytest.mark.contract("workspace: quarantine keeps it out")
def test_of_many_who_release_one_does(acme: NewTenant) -> None:
    wanted = {"enabled": True, "actions": ["quarantine"], "blacklist_keywords": ["kumquat"]}
    change_settings(acme.client.pk, antispam=spam.checked(wanted))
    row, by = conversation_of(acme), caller_of(acme.staff.user)
    held = send_message(conversation=row, sender=as_contact(acme.contacts[0]), text="kumquat")

    def release(_: int) -> bool:
        try:
            release_message(conversation=row, message_id=held.pk, by=by)
        except NotFound:
            return False
        return True

    assert sorted(in_threads(release, 8)) == [False] * 7 + [True]
    row.refresh_from_db()
    assert (row.message_count, row.staff_unread, row.last_seq) == (1, 1, 2)
    assert [found for _, found in verify() if found] == []
