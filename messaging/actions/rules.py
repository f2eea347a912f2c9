"""Communication rules and auto-tags: what is changed is held to by the very next message."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.errors import Invalid, NotFound
from clients.actions import rules_changed
from clients.checks import check_columns
from clients.fields import json_problem
from clients.models import Client
from conversations.actions.tagging import by_fold

from ..models import AutoTag, CommunicationRule
from ..rule_models import REPLY_LENGTH
from ..rules.hours import DAYS, time_zones
from ..rules.words import KEYWORD_WORDS, words_of

RULES = 200  # of a client
AUTO_TAGS = 1000  # of a client
WORDS = 100  # of an auto-tag
WORD_LENGTH = 50

#: Tag → words.
DEFAULT_AUTO_TAGS = {
    "comercial": ("precio", "costo", "pago"),
    "soporte_tecnico": ("problema", "error", "falla"),
    "alta_prioridad": ("urgente", "emergencia", "inmediato"),
}
_COLUMNS = ("name", "type", "days", "channel", "tag", "auto_reply", "route_to")


@transaction.atomic
def create_rule(*, client: Client, **columns: Any) -> CommunicationRule:
    """A rule with at least one condition and one action. Raises Invalid."""
    row = CommunicationRule(client=client, **columns)
    check_rule(row)
    _ensure_room(CommunicationRule, client.pk, RULES, "rules")
    row.save(force_insert=True)
    return row


@transaction.atomic
def update_rule(*, rule: CommunicationRule, **changes: Any) -> CommunicationRule:
    """What is so already is no change. Raises Invalid, NotFound."""
    row: CommunicationRule = _locked(rule, "Rule")
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    check_rule(row)
    if changed := [name for name, value in before.items() if getattr(row, name) != value]:
        row.updated_at = timezone.now()
        row.save(update_fields=[*changed, "updated_at"])
        rules_changed(row.client_id)
    return row


@transaction.atomic
def delete_rule(rule: CommunicationRule) -> None:
    """What it sent and where it put conversations stays. Raises NotFound."""
    row = _locked(rule, "Rule")
    row.delete()
    rules_changed(row.client_id)


@transaction.atomic
def create_auto_tag(*, client: Client, words: Iterable[str], tag: str) -> AutoTag:
    """Raises Invalid."""
    row = AutoTag(client=client, words=clean_words(words), tag=_clean_tag(tag))
    _ensure_room(AutoTag, client.pk, AUTO_TAGS, "words")
    row.save(force_insert=True)
    return row


@transaction.atomic
def update_auto_tag(*, auto_tag: AutoTag, words: Iterable[str], tag: str) -> AutoTag:
    """Raises Invalid, NotFound."""
    row: AutoTag = _locked(auto_tag, "Auto-tag")
    row.words, row.tag = clean_words(words), _clean_tag(tag)
    row.save(update_fields=["words", "tag"])
    rules_changed(row.client_id)
    return row


@transaction.atomic
def delete_auto_tag(auto_tag: AutoTag) -> None:
    """Tags that it gave stay. Raises NotFound."""
    row = _locked(auto_tag, "Auto-tag")
    row.delete()
    rules_changed(row.client_id)


def give_default_auto_tags(client: Client) -> None:
    """To a new client (contract `workspace`); what its staff make of them later is theirs."""
    AutoTag.objects.bulk_create(
        AutoTag(client=client, words=list(words), tag=tag) for tag, words in DEFAULT_AUTO_TAGS.items()
    )


def clean_words(words: Iterable[str]) -> list[str]:
    """Keywords, each once as they are compared. Raises Invalid."""
    found: dict[tuple[str, ...], str] = {}
    for word in (" ".join(word.split()) for word in words):
        parts = words_of(word)
        if not 1 <= len(parts) <= KEYWORD_WORDS or len(word) > WORD_LENGTH or json_problem(word):
            raise _invalid(
                words=f"Each is 1 to {KEYWORD_WORDS} words with letters or digits, of up to {WORD_LENGTH} characters."
            )
        found.setdefault(tuple(parts), word)
    if not 1 <= len(found) <= WORDS:
        raise _invalid(words=f"1 to {WORDS} words are required.")
    return list(found.values())


def check_rule(row: CommunicationRule) -> None:
    """Raises Invalid; what may be written in several ways is put right."""
    check_columns(row, _COLUMNS)
    if len(row.auto_reply) > REPLY_LENGTH:
        raise _invalid(auto_reply=f"Up to {REPLY_LENGTH} characters.")
    if (row.start is None) != (row.end is None):
        raise _invalid(**{"end" if row.end is None else "start": "A range has a start and an end."})
    if row.start is not None and row.start == row.end:
        raise _invalid(end="Must differ from the start; without a range a rule holds all day.")
    if row.time_zone and row.time_zone not in time_zones():
        raise _invalid(time_zone="There is no such time zone.")
    if not set(row.days) <= set(DAYS):
        raise _invalid(days=f"Must be among {', '.join(DAYS)}.")
    row.route_to = row.route_to.strip()
    row.days = [day for day in DAYS if day in row.days]
    row.tag = row.tag and _clean_tag(row.tag)
    if problems := lacking(row):
        raise _invalid(**problems)


def lacking(row: CommunicationRule) -> dict[str, str]:
    """What a rule must have and this one has not: `conditions`, `actions` → what to say."""
    problems = {}
    if row.start is None and not (row.days or row.channel or row.tag):
        problems["conditions"] = "At least one condition is required."
    if not (row.auto_reply.strip() or row.route_to.strip()):
        problems["actions"] = "At least one action is required."
    return problems


def _clean_tag(name: str) -> str:
    try:
        [clean] = by_fold([name]).values()
    except Invalid as error:
        raise _invalid(tag=error.fields["tags"][0]) from error
    return clean


def _ensure_room(model: Any, client_id: int, most: int, field: str) -> None:
    rules_changed(client_id)  # first: of two who add one at the same time, the second counts the first's
    if model.objects.for_client(client_id).count() >= most:
        raise _invalid(**{field: f"At most {most} in a workspace."})


def _locked(row: Any, what: str) -> Any:
    found = type(row).objects.select_for_update(no_key=True).filter(pk=row.pk).first()
    if found is None:
        raise NotFound(what)
    return found


def _invalid(**fields: str) -> Invalid:
    return Invalid("Validation error", fields={name: [said] for name, said in fields.items()})
