"""Every way in which messages come, change and go keeps the index of search, in the same transaction."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from chatplatform.db import textindex
from chatplatform.db.textindex import Matches, Wanted
from clients.callers import system_caller
from conversations.actions import Person, create_conversation
from conversations.models import Conversation
from conversations.states import Status
from messaging import actions
from messaging.erasure import erase_contact
from messaging.importing.dialogues import Dialogue, Said
from messaging.importing.store import import_dialogues
from messaging.models import Message
from messaging.retention import removal
from messaging.search.text import stems
from messaging.senders import as_agent, as_contact

pytestmark = pytest.mark.django_db

HOSTILE = [
    "a b c " * 10_900, "\u0301" * 30_000, "日本" * 10_000, "ing" * 21_000, "ﷺ" * 20_000, "'quoted' \\ : & | ! ( ) <->",
    "\u202e rtl \u202c\ufeff", "NULL null \\N \ufffd", "👨‍👩‍👧‍👦" * 100, "é" * 32_000, '"" \' " * ^ NEAR AND OR NOT',
    "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0xE600)]))[:20_000],
    " ".join(chr(0x4E00 + number) for number in range(16_000)),
]  # fmt: skip


def found(word: str) -> set[int]:
    """By the index, as the database has it; and the same row by row."""
    wanted = Wanted(every=(tuple(stems(word, "en")),))
    by_index = set(Message.objects.filter(Matches("search", wanted)).values_list("pk", flat=True))
    by_row = set(Message.objects.filter(Matches("search", wanted, walk=True)).values_list("pk", flat=True))
    assert by_index == by_row
    return by_index


@pytest.fixture
def row(acme: Any) -> Conversation:
    people = [
        Person(contact_id=acme.contacts[0].pk, role="customer"),
        Person(agent_id=acme.agents[0].pk, role="agent"),
    ]
    return create_conversation(client_id=acme.client.pk, by=system_caller(acme.client), people=people, channel="web")


@pytest.fixture
def say(acme: Any, row: Conversation) -> Any:
    def send(text: str = "", **columns: Any) -> Message:
        sender = as_contact(acme.contacts[0])
        return actions.send_message(conversation=row, sender=sender, text=text, **columns)

    return send


@pytest.fixture(autouse=True)
def sound(db: None) -> Any:
    yield
    assert textindex.is_sound(Message, "search")


def test_sent_with_its_transaction_or_not_at_all(say: Any) -> None:
    one = say("Where are my orders?")
    assert found("ordering") == {one.pk}

    class Undo(Exception):
        pass

    def undone() -> None:
        with transaction.atomic():
            say("another order")
            raise Undo

    with pytest.raises(Undo):
        undone()
    assert found("order") == {one.pk}


def test_what_each_type_says(say: Any) -> None:
    image = say(type="image", content={"url": "https://example.com/a/Invoice-77.png"})
    caption = say("my broken screen", type="image", content={"url": "https://example.com/b.png"})
    place = say(type="location", content={"latitude": 1.0, "longitude": 2.0, "name": "Café Ñandú", "address": "Main 1"})
    card = say(type="contact", content={"formatted_name": "Ana Pérez"})
    assert found("invoice-77") == {image.pk}
    assert found("screens") == {caption.pk}
    assert found("nandu") == found("main") == {place.pk}
    assert found("perez") == {card.pk}
    assert found("image") == found("location") == set()


def test_notes_and_replies_of_the_server(acme: Any, row: Conversation) -> None:
    note = actions.add_note(conversation=row, sender=as_agent(acme.agents[0]), text="secret zebra")
    assert found("zebra") == {note.pk}


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text(say: Any, number: int) -> None:
    text = HOSTILE[number]
    one = say(text.encode()[:65_536].decode(errors="ignore"))
    assert textindex.differing(Message, "search", {one.pk: stems(one.text, "en")}) == []
    for word in stems(one.text, "en")[:3]:
        rows = Message.objects.filter(Matches("search", Wanted(every=((word,),))))
        assert [row.pk for row in rows] == [one.pk]


def test_erased(acme: Any, row: Conversation, say: Any) -> None:
    one = say("my number is zirconium")
    other = actions.send_message(conversation=row, sender=as_agent(acme.agents[0]), text="noted: zirconium")
    erase_contact(contact=acme.contacts[0])
    assert found("zirconium") == {other.pk}
    assert found("erased") == {one.pk}


def test_removed_for_good(row: Conversation, say: Any) -> None:
    one = say("zirconium")
    assert found("zirconium") == {one.pk}
    removal.remove(Conversation.objects.filter(pk=row.pk), 1000)
    assert not Message.objects.exists()
    assert found("zirconium") == set()


def test_imported(acme: Any) -> None:
    said = (Said("customer", "zirconium orders", None), Said("system", "joined the zirconium", None))
    dialogue = Dialogue("x-1", "web", "", "Ana", "", Status.ACTIVE, (), said)
    import_dialogues(client=acme.client, dialogues=[dialogue], at=timezone.now())
    assert len(found("zirconium")) == 2
    assert len(found("order")) == 1


def test_reindexing(acme: Any, say: Any) -> None:
    pks = [say(text).pk for text in ("los pedidos", "orders", "zirconium")]
    Message.objects.filter(pk=pks[0]).update(search=None)
    Message.objects.filter(pk=pks[1]).update(search=["wrong"])
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("reindex_search", "--verify", stdout=out)
    assert "3 messages: 2 differ" in out.getvalue()
    assert found("order") == set()
    call_command("reindex_search", "--after", str(pks[0]), stdout=StringIO())
    assert found("order") == {pks[1]}
    assert found("pedidos") == set()
    call_command("reindex_search", stdout=StringIO())
    assert found("pedidos") == {pks[0]}
    type(acme.client).objects.filter(pk=acme.client.pk).update(search_language="es")
    call_command("reindex_search", "--client", acme.client.name, stdout=StringIO())
    assert Message.objects.filter(Matches("search", Wanted(every=(("ped",),)))).get().pk == pks[0]
    call_command("reindex_search", "--verify", stdout=StringIO())


def test_the_index_of_a_remade_table() -> None:
    """Django makes a table of SQLite anew for most changes: what keeps the index up must come along."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL changes tables in place")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'messaging_message'")
        names = {name for (name,) in cursor.fetchall()}
    assert names == {f"messaging_message_search_{event}" for event in ("insert", "update", "delete")}
