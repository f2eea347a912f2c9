"""What becomes of a conversation whose customer has just written; its lock is held."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from chatplatform.text import fold
from clients.models import Agent
from conversations.actions import TAGS, save, tag_conversation, tag_names
from conversations.models import Conversation, Participant

from ..models import RuleReply
from ..rulebook import Rulebook
from ..senders import Sender, as_agent
from .hours import Rule, applying, opened_between

#: Whoever is no end user: contacts, agents, staff, users who are agents.
_NO_END_USER = Q(user=None) | ~Q(user__role="") | Q(user__is_superuser=True) | Q(user__agent__isnull=False)


def add_tags(row: Conversation, text: str, book: Rulebook) -> dict[str, list[Any]]:
    """The auto-tags of a text that are new to the conversation, as far as there is room: {"tags": [old, new]}."""
    names = book.tagger.tags(text)
    if not names:
        return {}
    old = tag_names(row)
    known = {fold(name) for name in old}
    new = [name for name in names if fold(name) not in known][: max(TAGS - len(old), 0)]
    if not new or not tag_conversation(row, new):
        return {}
    return {"tags": [old, tag_names(row)]}


def rules_for(row: Conversation, book: Rulebook) -> list[Rule]:
    """Those that apply to a conversation, by its channel and its tags."""
    rules = [rule for rule in book.rules if rule.channel in ("", row.channel)]
    if not any(rule.tag for rule in rules):
        return rules
    tags = frozenset(row.taggings.values_list("tag__folded", flat=True))  # type: ignore[attr-defined]
    return applying(rules, row.channel, tags)


def route(row: Conversation, rule: Rule) -> dict[str, list[Any]]:
    """Into the rule's queue: {"queue": [old, new]}."""
    old = row.queue
    if not rule.route_to or rule.route_to == old:
        return {}
    save(row, queue=rule.route_to, updated_at=row.updated_at)
    return {"queue": [old, rule.route_to]}


def replying(row: Conversation, rule: Rule, rules: list[Rule], at: datetime) -> Sender | None:
    """Who sends the rule's auto-reply now; None where it has none, or it was sent since it was last open. That
    it is sent is written down."""
    if not rule.auto_reply:
        return None
    last = RuleReply.objects.filter(conversation=row, rule=rule.id)
    replied_at = last.values_list("replied_at", flat=True).first()
    if replied_at is not None and not opened_between(rules, replied_at, at):
        return None
    if replied_at is None:
        RuleReply.objects.create(conversation=row, rule_id=rule.id, replied_at=at)
    else:
        last.update(replied_at=at)
    return as_agent(Agent.objects.system_of(row.client_id))


def only_end_users(row: Conversation) -> bool:
    """Several who talk among themselves, which rules leave alone. One alone talks to the client."""
    people = Participant.objects.present().filter(conversation=row)
    return row.participant_count > 1 and not people.filter(_NO_END_USER).exists()
