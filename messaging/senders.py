"""Whose message it is."""

from dataclasses import dataclass

from clients.callers import Caller
from clients.models import Agent, Contact


@dataclass(frozen=True, slots=True)
class Sender:
    """Exactly one of the three ids (none for an event of the thread), the name as of now, and the side."""

    user_id: int | None = None
    contact_id: int | None = None
    agent_id: int | None = None
    name: str = ""
    is_customer: bool = False
    #: The client's own voice: its auto-replies answer nobody.
    is_system_agent: bool = False

    @property
    def answers(self) -> bool:
        """A person or a bot on the client's side."""
        return self.agent_id is not None and not self.is_system_agent


def as_user(caller: Caller) -> Sender:
    return Sender(user_id=caller.user_id, name=caller.name, is_customer=caller.is_customer)


def as_contact(contact: Contact) -> Sender:
    return Sender(contact_id=contact.pk, name=contact.name or contact.contact_id, is_customer=True)


def as_agent(agent: Agent) -> Sender:
    return Sender(agent_id=agent.pk, name=agent.name, is_system_agent=agent.kind == Agent.Kind.SYSTEM)
