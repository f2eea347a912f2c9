"""What a client's settings and rules say, read once and kept until one of them changes.

Whoever changes one of them counts up the client's `rules_version`, in the same transaction
(`clients.actions.rules_changed`); the lock of a conversation brings that number along, so that no
message is judged by rules that were changed before it came.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from chatplatform.text import fold
from clients.models import Client
from conversations.models import Conversation

from .bots.serving import has_bots
from .models import AutoTag, CommunicationRule
from .rules.holidays import holidays_of
from .rules.hours import DAYS, Rule
from .rules.words import Tagger

_KEPT = 1000  # clients


@dataclass(frozen=True, slots=True)
class Rulebook:
    client_id: int
    settings: dict[str, Any]
    time_zone: str
    rules: tuple[Rule, ...]  # the oldest first
    tagger: Tagger
    #: Whether there is an AI agent with something to answer from.
    has_bots: bool


_books: "OrderedDict[int, tuple[int, Rulebook]]" = OrderedDict()


def rulebook(conversation: Conversation) -> Rulebook:
    """The book of a locked conversation's client."""
    client_id, version = conversation.client_id, conversation.rules_version  # type: ignore[attr-defined]
    kept = _books.get(client_id)
    if kept is not None and kept[0] == version:
        return kept[1]
    book = _read(client_id)
    _books[client_id] = (version, book)
    while len(_books) > _KEPT:
        _books.popitem(last=False)
    return book


def forget() -> None:
    _books.clear()


def read_rules(client: Client) -> tuple[Rule, ...]:
    """A client's communication rules as they stand now."""
    rows = CommunicationRule.objects.for_client(client.pk).order_by("id")
    holidays = holidays_of(client.settings)
    return tuple(rule_of(row, client.time_zone, holidays) for row in rows)


def rule_of(row: CommunicationRule, time_zone: str, holidays: frozenset[date]) -> Rule:
    """`time_zone` is the client's, for a rule that has none of its own."""
    denies = row.type == CommunicationRule.Type.DENY
    return Rule(
        id=row.pk,
        name=row.name,
        denies=denies,
        zone=ZoneInfo(row.time_zone or time_zone),
        start=row.start,
        end=row.end,
        days=frozenset(DAYS.index(day) for day in row.days),
        channel=row.channel,
        tag=fold(row.tag),
        auto_reply=row.auto_reply,
        route_to=row.route_to,
        holidays=frozenset() if denies else holidays,  # days on which nobody is there
    )


def read_tagger(client_id: int) -> Tagger:
    """A client's auto-tags as they stand now."""
    return Tagger(AutoTag.objects.for_client(client_id).order_by("id").values_list("words", "tag"))


def _read(client_id: int) -> Rulebook:
    client = Client.objects.only("settings", "time_zone").get(pk=client_id)
    return Rulebook(
        client_id, client.settings, client.time_zone, read_rules(client), read_tagger(client_id), has_bots(client_id)
    )
