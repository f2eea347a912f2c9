"""A conversation as a row of the inbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from chatplatform.admin.ages import age, moment, span
from clients.callers import Caller
from clients.models import Agent
from messaging.counters import among
from messaging.models import Message

from ..models import Conversation
from ..states import OPEN, Status

#: After so long a customer who waits is over target.
TARGET = timedelta(minutes=30)
TAGS_SHOWN = 2
#: Channel → the class of its dot and the glyph in it.
_DOTS = {
    "whatsapp": ("wa", "chat"), "telegram": ("tg", "send"), "website": ("web", "language"), "web": ("web", "language"),
}  # fmt: skip
_STATES = {
    Status.NEW: "new", Status.ACTIVE: "active", Status.WAITING: "wait", Status.ESCALATED: "escalated",
    Status.RESOLVED: "resolved", Status.CLOSED: "closed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long the customer has: `part` is that of the target, in hundredths; `level` is "", "soon" or "over"."""

    text: str
    since: str
    part: int
    level: str


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    initials: str
    hue: int
    subject: str
    dot: str
    glyph: str
    said_by: str
    undelivered: bool
    waiting: Waiting | None
    snoozed: str
    state: str
    tags: Sequence[str]
    more_tags: int
    agent: str
    agent_initials: str
    agent_hue: int
    age: str


def show(rows: Sequence[Any], caller: Caller) -> None:
    """Gives each of a page's rows what is shown of it, as `row.desk`; one query for their last messages."""
    now, last = timezone.now(), _last_messages(rows)
    for row in rows:
        row.desk = _row(row, last.get(row.pk), caller, now)


def _last_messages(rows: Sequence[Conversation]) -> dict[int, Any]:
    if not rows:
        return {}
    said = Message.objects.filter(among([row.pk for row in rows]), seq=F("conversation__last_message_seq")).order_by()
    columns = ("is_customer", "status", "sender_name", "sender_agent_id", "sender_agent__kind")
    return {found["conversation_id"]: found for found in said.values("conversation_id", *columns)}


def _row(row: Any, last: Any, caller: Caller, now: datetime) -> Row:
    name = _name(row)
    names = [tagging.tag.name for tagging in row.taggings.all()]
    dot, glyph = _DOTS.get(row.channel, ("api", "data_object"))
    agent = row.assigned_agent
    return Row(
        name=name,
        initials=initials(name),
        hue=hue(name),
        subject=row.label if row.label != name else "",
        dot=dot,
        glyph=glyph,
        said_by=_said_by(last, caller),
        undelivered=last is not None and last["status"] == Message.Status.FAILED,
        waiting=_waiting(row, now),
        snoozed=moment(row.snoozed_until, now) if row.snoozed_until and row.snoozed_until > now else "",
        state=_STATES[Status(row.status)],
        tags=names[:TAGS_SHOWN],
        more_tags=max(len(names) - TAGS_SHOWN, 0),
        agent=(_("You") if agent.pk == caller.agent_id else agent.name) if agent else "",
        agent_initials=initials(agent.name) if agent else "",
        agent_hue=hue(agent.name) if agent else 0,
        age=age(row.activity_at, now),
    )


def _name(row: Any) -> str:
    """Whoever the client serves: contacts before users, else the owner, else what it is called."""
    people = sorted(row.people, key=lambda one: one.contact_id is None)
    names = [str(one.person) for one in people[:2]]
    return ", ".join(names) or str(row.owner or row.label)


def _said_by(last: Any, caller: Caller) -> str:
    if last is None or last["is_customer"] or not last["sender_name"]:
        return ""
    if last["sender_agent_id"] is not None and last["sender_agent_id"] == caller.agent_id:
        return _("You")
    name: str = last["sender_name"]
    return name if last["sender_agent__kind"] != Agent.Kind.HUMAN else name.split()[0]


def _waiting(row: Conversation, now: datetime) -> Waiting | None:
    if row.waiting_since is None or row.status not in OPEN:
        return None
    waits = now - row.waiting_since
    part = min(int(waits / TARGET * 100), 100)
    level = "over" if part >= 100 else "soon" if part >= 50 else ""
    return Waiting(span(waits), moment(row.waiting_since, now), part, level)


def initials(name: str) -> str:
    """Of the first and the last word; none where the name is a number."""
    words: Iterable[str] = [word for word in name.split() if word[0].isalpha()]
    letters = [word[0].upper() for word in words]
    return "".join([letters[0], *letters[1:][-1:]]) if letters else ""


def hue(name: str) -> int:
    """One of six, the same each time."""
    return crc32(name.encode()) % 6 + 1
