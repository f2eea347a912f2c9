"""Which AI agent serves a conversation, and when it keeps silent (contract `behaviour.md`, Bots)."""

from django.db.models import Q

from clients.models import Agent
from conversations.models import Conversation, Participant
from conversations.states import Status

from ..models import Message
from .engines import can_answer

#: Where a bot may speak: not once escalated, resolved or closed.
_SPEAKS = frozenset({Status.NEW, Status.ACTIVE, Status.WAITING})


def has_bots(client_id: int) -> bool:
    """Whether the client has an AI agent with something to answer from; kept in its rulebook."""
    return any(can_answer(agent) for agent in _of_client(client_id))


def serving(row: Conversation) -> Agent | None:
    """The conversation's AI agent: in charge, else named by `botId`, else the first that takes part; where a bot
    may answer without one, the client's default."""
    found = [agent for agent in _of_client(row.client_id) if can_answer(agent)]
    if not found:
        return None
    taking_part = Participant.objects.present().filter(conversation=row, agent__in=found).order_by("id")
    order = {agent_id: place for place, agent_id in enumerate(taking_part.values_list("agent_id", flat=True))}

    def rank(agent: Agent) -> tuple[int, int]:
        if agent.pk == row.assigned_agent_id:
            return 0, 0
        if row.bot_id is not None and agent.agent_id == row.bot_id:
            return 1, 0
        if agent.pk in order:
            return 2, order[agent.pk]
        return (3, 0) if row.use_bot and agent.is_default else (4, 0)

    best = min(found, key=rank)
    return best if rank(best) < (4, 0) else None


def for_call(row: Conversation) -> Agent | None:
    """Whom call 6 of `assistant` asks without an `agent_id`: the same, whether or not they have something to answer
    from, and the client's default wherever there is no other."""
    agents = {agent.pk: agent for agent in _of_client(row.client_id)}
    if row.assigned_agent_id in agents:
        return agents[row.assigned_agent_id]
    if row.bot_id is not None and (named := [agent for agent in agents.values() if agent.agent_id == row.bot_id]):
        return named[0]
    taking_part = Participant.objects.present().filter(conversation=row, agent__in=agents).order_by("id")
    first = taking_part.values_list("agent_id", flat=True).first()
    if first is not None:
        return agents[first]
    return next((agent for agent in agents.values() if agent.is_default), None)


def speaks(row: Conversation) -> bool:
    """Whether a bot may say something here now."""
    return row.deleted_at is None and row.status in _SPEAKS and not _human_has_written(row)


def waits_for_answer(message: Message) -> bool:
    """A customer's message for all to see, that nobody has answered in its slot."""
    public = message.visibility == Message.Visibility.PUBLIC and message.deleted_at is None
    return public and message.is_customer and not Message.objects.filter(reply_to=message.pk).exists()


def _of_client(client_id: int) -> list[Agent]:
    return list(Agent.objects.for_client(client_id).filter(kind=Agent.Kind.AI, is_active=True).order_by("id"))


def _human_has_written(row: Conversation) -> bool:
    """An agent who is a person, or another of the client's people; deleted messages were written too."""
    humans = Q(sender_agent__kind=Agent.Kind.HUMAN) | Q(sender_user__isnull=False, is_customer=False)
    return Message.objects.of(row.pk).filter(humans, visibility=Message.Visibility.PUBLIC).exists()
