"""What is told and not kept: that somebody writes, that somebody is there."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils import timezone

from chatplatform.errors import ConversationClosed
from clients.callers import Caller
from conversations.audience import Ids, seen_by_each
from conversations.bell import bell
from conversations.feed import Told
from conversations.models import Conversation
from conversations.states import Status

PRESENCE = ("online", "away", "offline")
_MOST = 500  # of a person's conversations, the latest ones, whose people are told that they are there


@dataclass(frozen=True, slots=True)
class Signal:
    """`conversation_id` is None where it is about the person alone."""

    kind: str  # "typing", "presence"
    user_id: int
    value: str
    conversation_id: int | None = None


def tell_typing(*, conversation_id: int, status: str, by: Caller, typing: bool) -> None:
    """Of a conversation that the caller sees. Raises ConversationClosed: nothing can be written there."""
    if status == Status.CLOSED:
        raise ConversationClosed
    _say(Signal("typing", by.user_id or 0, "on" if typing else "off", conversation_id))


def tell_presence(*, by: Caller, status: str) -> None:
    """`status`: one of PRESENCE."""
    _say(Signal("presence", by.user_id or 0, status))


def _say(signal: Signal) -> None:
    bell.say(json.dumps([signal.kind, signal.user_id, signal.value, signal.conversation_id]))


def parse(text: str) -> Signal | None:
    try:
        kind, user_id, value, conversation_id = json.loads(text)
    except ValueError:  # of another version
        return None
    return Signal(kind, user_id, value, conversation_id)


def hearers_of(signals: Sequence[Signal], callers: Iterable[Caller]) -> dict[Caller, Ids]:
    """For each caller the places of the signals that they are told of: who sees that conversation, or one
    of the person's own; never the person."""
    conversations = [_conversations_of(signal) for signal in signals]
    clients = dict(
        Conversation.objects.filter(pk__in={pk for pks in conversations for pk in pks}).values_list("pk", "client_id")
    )
    asked: list[Told] = []
    about: list[int] = []
    for place, pks in enumerate(conversations):
        for pk in pks:
            if pk in clients:
                asked.append(_as_event(len(asked), pk, clients[pk]))
                about.append(place)
    found = {}
    for caller, ids in seen_by_each(callers, asked).items():
        places = {about[pk] for pk in ids}
        found[caller] = frozenset(place for place in places if signals[place].user_id != caller.user_id)
    return found


def _conversations_of(signal: Signal) -> list[int]:
    if signal.conversation_id is not None:
        return [signal.conversation_id]
    from clients.models import Agent, User

    user = User.objects.filter(pk=signal.user_id).values("client_id").first()
    if user is None:
        return []
    own = Caller(client_id=user["client_id"], user_id=signal.user_id, only_own=True)
    found = Conversation.objects.visible_to(own).by_activity().values_list("pk", flat=True)[:_MOST]
    agent = Agent.objects.filter(user=signal.user_id, client=user["client_id"]).values_list("pk", flat=True).first()
    if agent is None:
        return list(found)
    of_client = Conversation.objects.visible_to(replace(own, user_id=None, is_system=True, only_own=False))
    as_agent = of_client.of_participant(agent=agent).by_activity().values_list("pk", flat=True)[:_MOST]
    return list({*found, *as_agent})


def _as_event(number: int, conversation_id: int, client_id: int) -> Told:
    return {
        "id": number, "uuid": UUID(int=0), "client_id": client_id, "conversation_id": conversation_id,
        "kind": "signal", "data": {}, "created_at": timezone.now(),
    }  # fmt: skip
