"""Those who speak in imported dialogues, and the tags: found, or made once."""

from collections.abc import Iterable, Sequence

from django.utils.text import slugify

from chatplatform.text import fold
from clients.models import Agent, Client, Contact, new_uuid
from conversations.models import Tag

from .dialogues import Dialogue

#: An agent whom a dialogue does not name.
NAMELESS_AGENT = "Agent"


def contacts(client: Client, dialogues: Sequence[Dialogue]) -> dict[str, Contact]:
    """The customer of each dialogue, by its external id: one for each name within a source, and one for
    each dialogue that names none."""
    keys = {dialogue.external_id: _natural_key(dialogue) for dialogue in dialogues}
    names = {keys[dialogue.external_id]: dialogue.customer for dialogue in dialogues}
    sources, source_keys = {source for source, _ in names}, {key for _, key in names}
    rows = Contact.objects.for_client(client.pk).filter(source__in=sources, source_key__in=source_keys)
    have = {(row.source, row.source_key): row for row in rows}
    made = Contact.objects.bulk_create(
        Contact(client=client, contact_id=f"contact_{new_uuid().hex}", name=name, source=source, source_key=key)
        for (source, key), name in names.items()
        if (source, key) not in have
    )
    have.update({(row.source, row.source_key): row for row in made})
    return {external_id: have[key] for external_id, key in keys.items()}


def _natural_key(dialogue: Dialogue) -> tuple[str, str]:
    # The colon keeps a source called "phone" apart from the contacts that are known by their number.
    if dialogue.customer:
        return f"import:{dialogue.source}"[:50], dialogue.customer
    return "import", dialogue.external_id


def agents(client: Client, dialogues: Sequence[Dialogue]) -> dict[str, Agent]:
    """The client's human agents by name; those who are not there yet are made."""
    names = dict.fromkeys(name for dialogue in dialogues if (name := agent_name(dialogue)))
    rows = Agent.objects.for_client(client.pk).filter(kind=Agent.Kind.HUMAN, name__in=names)
    found = {row.name: row for row in rows.order_by("-id")}  # of two with one name the older
    for name in names:
        if name not in found:
            found[name] = Agent.objects.create(client=client, name=name, agent_id=_free_agent_id(client, name))
    return found


def agent_name(dialogue: Dialogue) -> str:
    """Empty where no agent has part in it."""
    spoke = any(said.sender == "agent" for said in dialogue.messages)
    return dialogue.agent or (NAMELESS_AGENT if spoke else "")


def _free_agent_id(client: Client, name: str) -> str:
    base = slugify(name)[:50].strip("-") or "agent"
    taken = set(
        Agent.objects.for_client(client.pk).filter(agent_id__startswith=base).values_list("agent_id", flat=True)
    )
    number = 1
    while (agent_id := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return agent_id


def tags(client: Client, names: Iterable[str]) -> dict[str, Tag]:
    """The client's tags by their folded name."""
    wanted = {fold(name): name for name in names}
    found = {tag.folded: tag for tag in Tag.objects.for_client(client.pk).filter(folded__in=wanted)}
    made = Tag.objects.bulk_create(
        Tag(client=client, name=name, folded=folded) for folded, name in wanted.items() if folded not in found
    )
    return found | {tag.folded: tag for tag in made}
