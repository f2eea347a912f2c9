"""Another language of search: the worker brings over what was indexed before, while others write."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from chatplatform.tests.admin_world import browser_of, furnish, staff_of
from chatplatform.tests.test_admin_writes import form_of
from chatplatform.worker import stopping
from chatplatform.worker.executor import Executor
from clients.callers import system_caller
from clients.models import Client
from conversations.models import Conversation
from messaging import tasks
from messaging.actions import send_message
from messaging.models import Message
from messaging.search.language import change_language
from messaging.search.messages import search
from messaging.search.query import parse
from messaging.senders import as_contact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


@pytest.fixture
def row(acme: Any) -> Conversation:
    return furnish(acme).conversation


def say(acme: Any, row: Conversation, text: str) -> int:
    return int(send_message(conversation=row, sender=as_contact(acme.contacts[0]), text=text).pk)


def found(acme: Any, query: str) -> set[int]:
    return set(search(system_caller(acme.client), parse(query), limit=50).ids)


def work() -> int:
    """Every task that is due; how many there were."""
    executor, done = Executor("one"), 0
    while executor.step():
        done += 1
    assert not DBTaskResult.objects.failed().exists()
    return done


def verify() -> None:
    call_command("reindex_search", "--verify")  # raises where one is indexed otherwise


def test_changed_in_the_admin(acme: Any, rival: Any, row: Conversation) -> None:
    theirs = furnish(rival)
    old = say(acme, row, "pedimos dos cosas")
    elsewhere = say(rival, theirs.conversation, "pedimos dos cosas")
    assert found(acme, "pedido") == set()
    assert form_of(browser_of(staff_of(acme, "client_admin")), acme.client, search_language="es").status_code == 302
    new = say(acme, row, "he pedido dos más")
    assert found(acme, "pedir") == {new}  # what comes is found at once
    with mock.patch.object(tasks, "REINDEXED", 2), mock.patch("messaging.search.indexing.BATCH", 2):
        assert work() == 4  # six messages, two a task, and one that finds the end
    assert found(acme, "pedir") == {old, new}
    verify()
    assert found(rival, "pedimos") == {elsewhere}  # another client's stay
    assert Client.objects.get(pk=rival.client.pk).search_language == "en"


def test_what_was_just_being_sent_is_looked_at_again(acme: Any, row: Conversation) -> None:
    change_language(acme.client, "es")
    late = say(acme, row, "pedimos dos cosas")
    work()
    Message.objects.filter(pk=late).update(search=["pedimo"])  # as a send writes it that had read the last language
    assert (work(), found(acme, "pedido")) == (0, set())
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert work() == 1
    assert found(acme, "pedido") == {late}
    assert not DBTaskResult.objects.ready().exists()
    verify()


def test_an_ending_worker_leaves_it_to_the_next(acme: Any, row: Conversation) -> None:
    say(acme, row, "pedimos dos cosas")
    change_language(acme.client, "es")
    with mock.patch("messaging.search.indexing.BATCH", 1):
        stopping.stop.set()
        try:
            Executor("one").step()
        finally:
            stopping.stop.clear()
        assert DBTaskResult.objects.get().status == "READY"
        work()
    assert len(found(acme, "pedir")) == 1
    verify()


def test_undone_with_the_change(acme: Any) -> None:
    """No task without the change, and no change without the task."""
    with mock.patch.object(tasks, "reindex_client", None), pytest.raises(AttributeError):
        change_language(acme.client, "es")
    assert Client.objects.get(pk=acme.client.pk).search_language == "en"
