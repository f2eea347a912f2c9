"""The one order of the event log: nothing is told before what may still come below it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Queue

import pytest
from django.db import connection, transaction

from conversations import events
from conversations import feed as feed_module
from conversations.feed import Feed, latest
from conversations.models import Conversation, Event

pytestmark = pytest.mark.django_db(transaction=True)
postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


@pytest.fixture
def parcel(acme):
    return Conversation.objects.create(client=acme.client, channel="website")


def record(conversation, **data) -> int:
    events.record(conversation, events.Kind.UPDATED, **data)
    return latest()


def ids(feed: Feed, limit: int = 500) -> list[int]:
    return [row["id"] for row in feed.read(limit)]


@contextmanager
def writing(conversation: Conversation) -> Iterator[Callable[[bool], None]]:
    """Another connection that has written an event and not ended; call it with whether to commit."""
    written, end, ended = threading.Event(), Queue(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                events.record(conversation, events.Kind.READ)
                written.set()
                if not end.get(timeout=30):
                    transaction.set_rollback(True)
        finally:
            connection.close()
            ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert written.wait(30)

    def finish(commit: bool) -> None:
        end.put(commit)
        assert ended.wait(30)

    try:
        yield finish
    finally:
        end.put(False)
        thread.join(30)


def test_events_come_in_the_order_of_their_ids_a_page_at_a_time(parcel):
    feed = Feed(record(parcel))
    assert ids(feed) == []
    made = [record(parcel, n=n) for n in range(5)]
    assert [ids(feed, 2), ids(feed, 2), ids(feed, 2), ids(feed, 2)] == [made[:2], made[2:4], made[4:], []]
    assert feed.position == made[-1]


def test_what_was_removed_or_rolled_back_holds_nothing_up(parcel):
    feed = Feed(record(parcel))
    first, gone, last = record(parcel), record(parcel), record(parcel)
    Event.objects.filter(pk=gone).delete()
    with transaction.atomic():
        record(parcel)
        transaction.set_rollback(True)
    after = record(parcel)
    assert ids(feed) == [first, last, after]


def test_imported_conversations_are_passed_over(parcel):
    feed = Feed(record(parcel))
    record(parcel, imported=True)
    told = record(parcel)
    assert (ids(feed), feed.position) == ([told], told)


@postgresql
def test_a_later_commit_of_a_lower_id_is_not_missed(parcel):
    feed = Feed(record(parcel))
    before = record(parcel)
    with writing(parcel) as finish:
        after = record(parcel)
        assert ids(feed) == [before]
        assert ids(feed) == []
        finish(True)
        assert ids(feed) == [after - 1, after]


@postgresql
def test_a_rolled_back_id_is_waited_for_no_longer_than_its_transaction(parcel):
    feed = Feed(record(parcel))
    with writing(parcel) as finish:
        after = record(parcel)
        assert ids(feed) == []
        finish(False)
        assert ids(feed) == [after]


@postgresql
def test_who_began_to_write_after_the_look_is_not_waited_for(parcel):
    feed = Feed(record(parcel))
    with writing(parcel) as first:
        after = record(parcel)
        assert ids(feed) == []
        with writing(parcel):  # its id is higher than all that was read
            first(True)
            assert ids(feed) == [after - 1, after]
            beyond = record(parcel)
            assert ids(feed) == []
        assert ids(feed) == [beyond]


@postgresql
def test_who_begins_to_write_between_the_look_and_the_reading_is_not_missed(parcel, monkeypatch):
    """What is read after the look may be above what somebody else began after it: only what was read before
    it is settled by it."""
    feed = Feed(record(parcel))
    look, finishes = feed_module.writers_now, []
    with ExitStack() as stack, writing(parcel) as rolled_back:
        rolled_back(False)
        first = record(parcel)

        def and_then_somebody_begins() -> frozenset[str]:
            seen = look()
            if not finishes:
                finishes.append(stack.enter_context(writing(parcel)))
                record(parcel)
            return seen

        monkeypatch.setattr(feed_module, "writers_now", and_then_somebody_begins)
        assert ids(feed) == [first]
        assert ids(feed) == []
        finishes[0](True)
        assert ids(feed) == [first + 1, first + 2]
