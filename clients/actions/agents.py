"""Agents: who answers."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from chatplatform.errors import Forbidden, Invalid

from ..callers import Caller
from ..checks import check_columns, clean_queues
from ..models import Agent, Client, new_uuid
from .saving import save_unique, set_changed

_CHECKED = ("agent_id", "name", "kind", "queues")


@transaction.atomic
def create_agent(*, client: Client, name: str, agent_id: str | None = None, **columns: Any) -> Agent:
    """An AI agent without a provider gets the embedded one. Raises Invalid, Conflict (the id is taken)."""
    row = new_agent(client, agent_id or f"agent_{new_uuid().hex}", {"name": name, **columns})
    save_unique(row, lambda: _taken(row), force_insert=True)
    bots_changed(row)
    return row


@transaction.atomic
def update_agent(*, agent: Agent, **changes: Any) -> Agent:
    """Changes name, kind (human or ai), queues and is_active. Raises Invalid."""
    row = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    if changed := change_agent(row, changes):
        row.save(update_fields=changed)
        bots_changed(row)
    return row


def bots_changed(row: Agent) -> None:
    """Where a program answers, the next customer message is to know of it. One that does no more is noticed when
    it is to answer."""
    if row.kind == Agent.Kind.AI:
        Client.objects.filter(pk=row.client_id).update(rules_version=F("rules_version") + 1)


def new_agent(client: Client, agent_id: str, values: dict[str, Any]) -> Agent:
    """Checked and not saved. Raises Invalid."""
    row = Agent(client=client, agent_id=agent_id, **values)
    row.queues = clean_queues(row.queues)
    if row.kind == Agent.Kind.AI and not row.provider:
        row.provider = Agent.Provider.KNOWLEDGE
    check_columns(row, _CHECKED)
    return row


def change_agent(row: Agent, changes: dict[str, Any]) -> list[str]:
    """Gives a row new values and answers the columns to save, none where all is as it was. Raises Invalid."""
    values = dict(changes)
    if "queues" in values:
        values["queues"] = clean_queues(values["queues"])
    if values.get("kind", row.kind) != row.kind:
        values.update(_of_kind(row, values["kind"]))
    changed = set_changed(row, values)
    check_columns(row, [name for name in changed if name in _CHECKED])
    return changed


def _of_kind(row: Agent, kind: str) -> dict[str, Any]:
    """What else changes where a person becomes a program, or the other way round."""
    if kind == Agent.Kind.AI:
        if row.user_id is not None:
            raise Invalid("Validation error", fields={"kind": ["An agent who logs in is human."]})
        return {"provider": Agent.Provider.KNOWLEDGE}
    return {"provider": "", "is_default": False}


def _taken(row: Agent) -> list[str]:
    same = Agent.objects.filter(client_id=row.client_id, agent_id=row.agent_id).exclude(pk=row.pk)
    return ["agent_id"] if same.exists() else []


@transaction.atomic
def agent_of_staff(caller: Caller, *, client_id: int) -> Agent:
    """The human agent that this member of staff is in a client, made at the first need."""
    if caller.agent_id is not None:
        return Agent.objects.get(pk=caller.agent_id)
    if caller.user_id is None or not caller.is_staff:
        raise Forbidden("Only staff may answer as agent")
    if caller.is_superuser:
        return _agent_of_superuser(caller, client_id)
    # By the link, which no call of a dialect makes; the id is one that nobody can have taken before.
    agent, _ = Agent.objects.get_or_create(
        user_id=caller.user_id,
        client_id=client_id,
        defaults={"name": caller.name, "agent_id": f"agent_{new_uuid().hex}"},
    )
    return agent


def _agent_of_superuser(caller: Caller, client_id: int) -> Agent:
    """A superuser belongs to no client and may answer in several, but there is one link: it stays free.
    What tells whose the agent is, is an id that nobody without our key can work out beforehand."""
    secret = salted_hmac("clients.agent_of_superuser", f"{caller.user_uuid} {client_id}", algorithm="sha256")
    agent, _ = Agent.objects.get_or_create(
        client_id=client_id, agent_id=f"agent_{secret.hexdigest()[:32]}", defaults={"name": caller.name}
    )
    return agent if agent.kind == Agent.Kind.HUMAN else update_agent(agent=agent, kind=Agent.Kind.HUMAN)
