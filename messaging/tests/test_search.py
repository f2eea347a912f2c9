"""Search over messages: against a look at every text, on real dialogues; who sees what; how it is looked up."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from chatplatform.db.statistics import refresh_statistics
from clients.callers import Caller, caller_of_user, system_caller
from clients.models import Client
from conversations.actions import Person, create_conversation, delete_conversation
from conversations.models import Conversation
from messaging import actions
from messaging.importing.run import Import
from messaging.models import Message
from messaging.querysets import COUNTED, WITH_NOTES
from messaging.search import messages as module
from messaging.search.messages import Found, search
from messaging.search.query import Parsed, parse
from messaging.search.results import results
from messaging.search.text import stems
from messaging.senders import as_agent, as_contact, as_user

pytestmark = pytest.mark.django_db
QUERIES = [
    "fraud", "order", "thank you", '"thank you"', '"thank you" -hotel', "doctor appointment", "-thank sorry",
    "sudo apt-get", '"full name" -account -bank', "ubuntu install -grub", "I", "no yes", "nvidia driver",
    '"i would like" -to', "don't", "reservations cancelled", "the -the", "www", "12", "2", ":)  hi", "zirconium",
]  # fmt: skip


def oracle(texts: dict[int, list[str]], parsed: Parsed, language: str) -> set[int]:
    """Every text, word by word."""
    wanted = parsed.words(language)

    def has(words: list[str], phrase: tuple[str, ...]) -> bool:
        size = len(phrase)
        return any(tuple(words[place : place + size]) == phrase for place in range(len(words) - size + 1))

    return {
        pk
        for pk, words in texts.items()
        if all(has(words, phrase) for phrase in wanted.every) and not any(has(words, phrase) for phrase in wanted.none)
    }


def everything(caller: Caller, query: str, *, size: int = 100, **how: Any) -> list[int]:
    """Every page of a search, each id once."""
    found, parsed = [], parse(query)
    while page := search(caller, parsed, limit=size, offset=len(found), **how).ids:
        found += page
    assert len(set(found)) == len(found)
    return found


@pytest.fixture(scope="module")
def dialogues() -> Iterator[list[bytes]]:
    path = Path(__file__).parents[3] / "shared" / "data" / "transcripts-dev.jsonl.gz"
    if not path.is_file():
        pytest.skip("../shared is absent")
    with gzip.open(path) as file:
        yield file.readlines()


def store(client: Client, lines: list[bytes]) -> None:
    run = Import(client=client, report=lambda *problem: pytest.fail(str(problem)))
    for number, line in enumerate(lines):
        run.add(number, line)
    run.flush()
    refresh_statistics()


@pytest.mark.contract("assistant: Search is full-text", "behaviour: The newest-10,000 rule")
@pytest.mark.parametrize(
    ("most", "of_each"), [(600, 20), pytest.param(None, 100, marks=pytest.mark.long)], ids=["600", "all"]
)
def test_as_a_look_at_every_text(acme: Any, dialogues: list[bytes], most: int | None, of_each: int) -> None:
    """Precision and recall are 1: equal sets, for words, phrases and exclusions, in a language and without."""
    store(acme.client, dialogues[:most])
    caller = system_caller(acme.client)
    texts = dict(Message.objects.counted().values_list("pk", "text"))
    # Words as they occur, common and rare ones, and pairs that stand together.
    rnd = random.Random(6)
    spoken = [stems(text, "none") for text in texts.values()]
    lines = rnd.sample([words for words in spoken if len(words) > 3], 3 * of_each)
    queries = [*QUERIES]
    queries += [rnd.choice(words) for words in lines[:of_each]]
    queries += [f'"{words[1]} {words[2]}"' for words in lines[of_each : 2 * of_each]]
    queries += [f'{words[0]} {words[2]} -{words[1]} -"{words[2]} {words[3]}"' for words in lines[2 * of_each :]]
    by_stem = {pk: stems(text, "en") for pk, text in texts.items()}
    for query in queries:
        parsed = parse(query)
        right = oracle(by_stem, parsed, "en")
        assert set(everything(caller, query, size=1000 if most is None else 100)) == right, query
        assert search(caller, parsed, limit=5).total == min(len(right), module.CAP + 1), query


@pytest.mark.long
def test_the_counts_of_the_reference(acme: Any, dialogues: list[bytes], shared: Path) -> None:
    """Whole words, not stemmed, whoever wrote them, lines of the thread too. To the reference an underscore
    is a letter, to us it parts two words: what we find besides has one beside the word."""
    Client.objects.filter(pk=acme.client.pk).update(search_language="none")
    acme.client.refresh_from_db()
    store(acme.client, dialogues)
    stats = json.loads((shared / "data" / "reference-stats-dev.json").read_text())
    caller = system_caller(acme.client)
    for word, count in stats["word_messages"].items():
        ids = everything(caller, word, notes=True)
        rows = Message.objects.filter(pk__in=ids).values_list("conversation", "text")
        whole = [where for where, text in rows if re.search(rf"\b{word}\b", text, re.IGNORECASE)]
        assert (len(whole), len(set(whole))) == (count, stats["word_dialogues"][word]), word
        for _where, text in rows:
            assert re.search(rf"(\b|_){word}(\b|_)", text, re.IGNORECASE), (word, text)


# --- how it is looked up ---


@pytest.fixture
def row(acme: Any) -> Conversation:
    return opened(acme)


def opened(tenant: Any, *users: Any, **columns: Any) -> Conversation:
    contact, agent = tenant.contacts[0], tenant.agents[0]
    who = [Person(contact_id=contact.pk, role="customer"), Person(agent_id=agent.pk, role="agent")]
    who += [Person(user_id=user.pk) for user in users]
    given = {"channel": "web", **columns}
    return create_conversation(client_id=tenant.client.pk, by=system_caller(tenant.client), people=who, **given)


def say(tenant: Any, row: Conversation, text: str, *, agent: bool = False, **columns: Any) -> int:
    sender = as_agent(tenant.agents[0]) if agent else as_contact(tenant.contacts[0])
    return int(actions.send_message(conversation=row, sender=sender, text=text, **columns).pk)


def test_near_far_and_by_the_index(acme: Any, row: Conversation) -> None:
    """However deep a match lies, and whichever way leads to it."""
    caller = system_caller(acme.client)
    pks = [say(acme, row, f"common {'rare' if number % 10 == 0 else 'usual'} n{number}") for number in range(60)]
    newest = pks[::-1]
    with mock.patch.multiple(module, FIRST=8, FAR=24, RANKED=10):
        assert search(caller, parse("common"), limit=5) == Found(newest[:5], 60)
        assert search(caller, parse("common"), limit=20, offset=50) == Found(newest[50:], 60)
        assert search(caller, parse("rare"), limit=10) == Found(newest[9::10], 6)
        assert search(caller, parse("n0"), limit=10) == Found(pks[:1], 1)
        assert search(caller, parse("common"), limit=10, offset=100) == Found([], 60)
        assert search(caller, parse("nowhere"), limit=10) == Found([], 0)
        by_rank = everything(caller, "common", by_rank=True)
        assert set(by_rank) == set(pks)
        assert by_rank[10:] == newest[10:]
        with mock.patch.object(module, "CAP", 30):
            assert search(caller, parse("common"), limit=5).total == 31
    assert everything(caller, "common") == newest


def test_order(acme: Any, row: Conversation) -> None:
    """The newest by their times; by rank those that say more of it."""
    caller = system_caller(acme.client)
    once = say(acme, row, "the order and a great many other words about quite different things")
    thrice = say(acme, row, "order order orders")
    old = say(acme, row, "order")
    Message.objects.filter(pk=old).update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert search(caller, parse("order"), limit=10).ids == [thrice, once, old]
    assert search(caller, parse("order"), limit=10, by_rank=True).ids[-1] == once


def test_filters(acme: Any) -> None:
    Client.objects.filter(pk=acme.client.pk).update(time_zone="America/Mexico_City")
    caller = system_caller(acme.client)
    web, sms = opened(acme), opened(acme, channel="sms")
    theirs, ours, other = say(acme, web, "order"), say(acme, web, "order", agent=True), say(acme, sms, "order")
    at = datetime(2024, 1, 31, 5, 59, tzinfo=UTC)  # still the 30th in Mexico
    Message.objects.filter(pk=theirs).update(created_at=at)

    def found(query: str) -> set[int]:
        return set(search(caller, parse(query), limit=10).ids)

    assert found("order from:customer") == {theirs, other}
    assert found("order from:agent") == found("order -from:customer") == {ours}
    assert found("order from:agent_1") == found(f'order from:"{acme.agents[0].name.upper()}"') == {ours}
    assert found("order from:nobody") == set()
    assert found("order channel:SMS") == {other}
    assert found("order -channel:sms") == {theirs, ours}
    assert found("order before:2024-01-31") == {theirs}
    assert found("order before:2024-01-30") == set()
    assert found("order after:2024-01-31") == {ours, other}
    assert found("order after:2024-01-30") == {theirs, ours, other}


# --- who sees what ---


@pytest.mark.contract("behaviour: Private notes")
def test_only_what_the_caller_may_see(acme: Any, rival: Any) -> None:
    first, second = (new.user for new in acme.users[:2])
    mine, theirs, foreign = opened(acme, first), opened(acme, second), opened(rival)
    one, two = say(acme, mine, "zirconium"), say(acme, theirs, "zirconium")
    three = say(rival, foreign, "zirconium")
    note = actions.add_note(conversation=mine, sender=as_agent(acme.agents[0]), text="zirconium note").pk
    held = say(acme, mine, "zirconium held")
    Message.objects.filter(pk=held).update(visibility="held")
    gone = say(acme, mine, "zirconium deleted")
    actions.delete_message(conversation=mine, message_id=gone, by=system_caller(acme.client))
    removed = opened(acme, first)
    say(acme, removed, "zirconium")
    delete_conversation(conversation=removed, by=system_caller(acme.client))
    parsed = parse("zirconium")

    def found(caller: Caller, **how: Any) -> tuple[set[int], int]:
        page = search(caller, parsed, limit=10, **how)
        assert {
            row["pk"] for row in results(page.ids, parsed, shown=WITH_NOTES if how.get("notes") else COUNTED)
        } == set(page.ids)
        return set(page.ids), page.total

    assert found(caller_of_user(first, None)) == ({one}, 1)
    assert found(caller_of_user(second, None)) == ({two}, 1)
    assert found(caller_of_user(acme.staff.user, None)) == ({one, two}, 2)
    assert found(caller_of_user(acme.staff.user, None), notes=True) == ({one, two, note}, 3)
    assert found(system_caller(rival.client)) == ({three}, 1)
    assert found(Caller(client_id=None, is_superuser=True)) == ({one, two, three}, 3)
    assert found(caller_of_user(first, None), conversation_id=mine.pk) == ({one}, 1)
    assert found(caller_of_user(first, None), conversation_id=theirs.pk) == (set(), 0)
    assert found(system_caller(acme.client), conversation_id=foreign.pk) == (set(), 0)
    with mock.patch.multiple(module, FEW=0, FIRST=1):  # too many of their own to look at each
        assert found(caller_of_user(first, None)) == ({one}, 1)
    queue = Caller(client_id=acme.client.pk, user_id=first.pk, role="agent", queues=("billing",))
    Conversation.objects.filter(pk=theirs.pk).update(queue="billing")
    assert found(queue) == ({one, two}, 2)


def test_a_user_who_left_finds_nothing_more(acme: Any) -> None:
    user = acme.users[0].user
    row = opened(acme, user)
    pk = actions.send_message(conversation=row, sender=as_user(caller_of_user(user, None)), text="zirconium").pk
    caller = caller_of_user(user, None)
    assert search(caller, parse("zirconium"), limit=10).ids == [pk]
    row.participants.filter(user=user).update(removed_at=timezone.now())
    assert search(caller, parse("zirconium"), limit=10) == Found([], 0)


def test_each_client_has_its_language(acme: Any, rival: Any) -> None:
    Client.objects.filter(pk=rival.client.pk).update(search_language="es")
    ours, theirs = say(acme, opened(acme), "los pedidos"), say(rival, opened(rival), "los pedidos")
    assert search(system_caller(rival.client), parse("pedido"), limit=5).ids == [theirs]
    assert search(system_caller(acme.client), parse("pedido"), limit=5).ids == [ours]  # a plural in English too
    everyone = Caller(client_id=None, is_superuser=True)
    assert search(everyone, parse("pedimos"), limit=5).ids == [theirs]
    assert search(everyone, parse("pedido"), limit=5).ids == [theirs, ours]
    [best, _second] = results([theirs, ours], parse("pedido"))
    assert best["highlight"] == "los <mark>pedidos</mark>"


# --- what it costs ---


def test_the_index_is_used(acme: Any, dialogues: list[bytes]) -> None:
    """PostgreSQL looks rare words up by GIN, and walks the newest by their own index."""
    if connection.vendor != "postgresql":
        pytest.skip("a plan of PostgreSQL")
    store(acme.client, dialogues[:600])
    with connection.cursor() as cursor:  # the rows that just came wait outside of the index's tree
        cursor.execute("SELECT gin_clean_pending_list('messaging_message_search')")
        cursor.execute("SET LOCAL enable_seqscan = off")
    parsed, rows = parse("zirconium"), Message.objects.all()
    caller, pk = system_caller(acme.client), acme.client.pk
    part = module.Part(caller, pk, parsed.words("en"), parsed, "UTC", None, False, rows)
    plan = part.all().order_by("-created_at", "-id")[:20].explain()
    assert "messaging_message_search" in plan, plan
    at = Message.objects.order_by("-created_at")[200].created_at
    plan = part.all(walk=True).filter(created_at__gt=at).order_by("-created_at", "-id")[:20].explain()
    assert "messaging_message_search" not in plan, plan
    assert "message_newest" in plan or "message_by_client" in plan, plan


@pytest.mark.parametrize(("text", "most"), [("common", 4), ("rare", 6)])
def test_queries(acme: Any, row: Conversation, text: str, most: int, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        say(acme, row, f"common {'rare' if number == 3 else ''}")
    with mock.patch.multiple(module, FIRST=10, FAR=20), django_assert_max_num_queries(most):
        search(system_caller(acme.client), parse(text), limit=5)
