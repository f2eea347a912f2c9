"""What of a conversation a provider is given."""

from clients.models import Agent, Client

from ..models import Message
from ..text import plain_text
from .providers import Asked, Turn

#: Messages looked at; how many of them fit is the prompt's affair.
_NEWEST = 60


def asked(question: Message, agent: Agent, *, with_history: bool = True) -> Asked:
    """The question with the conversation's public messages before it; the client's own voice (auto-replies) says
    nothing to go by."""
    language = Client.objects.values_list("language", flat=True).get(pk=agent.client_id)
    turns: list[Turn] = []
    if with_history:
        earlier = Message.objects.of(question.conversation_id).counted().filter(seq__lt=question.seq)
        rows = earlier.exclude(sender_agent__kind=Agent.Kind.SYSTEM).order_by("-seq")
        for type_, text, content, agent_id in rows.values_list("type", "text", "content", "sender_agent_id")[:_NEWEST]:
            if line := plain_text(type_, text, content).strip():
                turns.append(Turn(agent_id is None, line))
        turns.reverse()
    return Asked(agent, plain_text(question.type, question.text, question.content), tuple(turns), language)
