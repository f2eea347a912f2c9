"""The classes of the public documentation of `workspace`, unchanged but for the base URL, through all their methods.

Nothing of them is copied here: they are read from the documentation when the tests run.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatplatform.tests.test_documented_clients import code_blocks, node, run  # noqa: F401 - fixtures
from clients.actions import create_agent, create_contact
from conversations.models import Conversation, Participant
from messaging.models import Message

DOCUMENT = "contracts/sources/workspace.md"
BASE = "https://api.bird.com/v1"
pytestmark = pytest.mark.contract("README: A client program written for one of those APIs")


@pytest.fixture
def people(acme: Any) -> Any:
    """Those whom the documentation names."""
    for contact_id, name in (("contact_123", "Juan Pérez"), ("contact_999", "Sonia Gil")):
        create_contact(client=acme.client, contact_id=contact_id, name=name)
    for agent_id in ("agent_456", "senior_agent_001", "agent_general_001"):
        create_agent(client=acme.client, agent_id=agent_id, name="Ana García")
    return acme


@pytest.fixture
def documented(shared: Path, live_server_url: str) -> Callable[[str, str], str]:
    """The one code block of a language that has the class, calling the live server."""

    def read(language: str, name: str) -> str:
        [code] = [code for code in code_blocks(shared / DOCUMENT, language) if f"class {name}" in code]
        return code.replace(BASE, f"{live_server_url}/v1")

    return read


def without(answer: Any, *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


PEOPLE = [{"contact_id": "contact_123", "role": "customer"}, {"agent_id": "agent_456", "role": "agent"}]


@pytest.fixture
def python(documented: Any, people: Any) -> Any:
    """The documented Python class, its usage example left off, with the workspace's token."""
    names: dict[str, Any] = {}
    code, _, _ = documented("python", "BirdConversationsAPI").partition("# Ejemplo de uso")
    exec(code, names)
    return names["BirdConversationsAPI"](people.api_token.secret)


def test_python_through_every_method(python: Any, people: Any) -> None:
    made = python.create_conversation(PEOPLE, "whatsapp", "Consulta sobre producto", ["soporte", "producto"])
    row = Conversation.objects.get()
    assert made["id"] == f"conv_{row.uuid.hex}"
    assert without(made, "id", "created_at", "updated_at", "participants") == {
        "status": "active", "channel": "whatsapp", "subject": "Consulta sobre producto",
        "tags": ["soporte", "producto"], "metadata": {}, "message_count": 0, "last_message_at": None,
        "queue": None,
    }  # fmt: skip
    assert [without(person, "id", "joined_at", "permissions") for person in made["participants"]] == PEOPLE
    assert python.create_conversation(PEOPLE[:1], "email")["subject"] is None

    sent = python.add_message(made["id"], "text", {"body": "Hola, ¿en qué puedo ayudarte?"}, {"agent_id": "agent_456"})
    message = Message.objects.get()
    assert sent == {
        "id": f"msg_{message.uuid.hex}", "conversation_id": made["id"], "type": "text",
        "text": {"body": "Hola, ¿en qué puedo ayudarte?"}, "sender": {"agent_id": "agent_456", "name": "Ana García"},
        "timestamp": f"{message.created_at:%Y-%m-%dT%H:%M:%SZ}", "status": "sent", "metadata": {},
    }  # fmt: skip
    photo = python.add_message(made["id"], "image", {"url": "https://example.com/image.jpg"}, PEOPLE[0])
    assert photo["sender"] == {"contact_id": "contact_123", "name": "Juan Pérez"}
    history = python.get_conversation_history(made["id"])
    assert history == {"messages": [photo, sent], "pagination": {"limit": 50, "offset": 0, "total": 2}}
    assert python.get_conversation_history(made["id"], limit=1)["messages"] == [photo]

    added = python.add_participant(made["id"], "contact_999")
    assert (added["contact_id"], added["role"], added["permissions"]) == (
        "contact_999", "participant", ["read", "write"],
    )  # fmt: skip
    assert python.add_participant(made["id"], "contact_999", role="supervisor")["error"]["code"] == "2002"

    closed = python.close_conversation(made["id"], resolution="Producto enviado correctamente")
    assert (closed["status"], closed["metadata"]["resolution"]) == ("resolved", "Producto enviado correctamente")
    assert closed["metadata"]["previous_state"] == "active"
    assert closed["metadata"]["closed_at"]
    again = python.close_conversation(made["id"])  # a null resolution removes the one there was
    assert (again["status"], "resolution" in again["metadata"]) == ("resolved", False)


def test_python_sees_the_documented_errors(python: Any) -> None:
    nowhere = "conv_789"
    not_found = {"error": {"code": "2001", "message": "Conversation Not Found"}}
    assert python.add_message(nowhere, "text", {"body": "Hola"}, PEOPLE[1]) == not_found
    assert python.get_conversation_history(nowhere) == not_found
    assert python.add_participant(nowhere, "contact_999") == not_found
    assert python.close_conversation(nowhere) == not_found
    assert python.create_conversation([{"contact_id": "contact_000"}], "whatsapp")["error"]["code"] == "2002"
    assert python.create_conversation([], "whatsapp")["error"]["code"] == "1003"
    made = python.create_conversation(PEOPLE, "whatsapp")
    too_large = python.add_message(made["id"], "text", {"body": "x" * 65_537}, PEOPLE[1])
    assert too_large == {"error": {"code": "2005", "message": "Message Too Large"}}
    python.headers["Authorization"] = "Bearer YOUR_API_TOKEN"
    refused = {"error": {"code": "1001", "message": "Unauthorized"}}
    assert python.create_conversation(PEOPLE, "whatsapp") == refused
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 0)


def test_pythons_usage_example_runs_as_it_stands(documented: Any, people: Any, capsys: Any) -> None:
    code = documented("python", "BirdConversationsAPI").replace("your_api_token", people.api_token.secret)
    exec(code, {})
    row, message = Conversation.objects.get(), Message.objects.get()
    assert capsys.readouterr().out.splitlines() == [
        f"Conversación creada: conv_{row.uuid.hex}", f"Mensaje enviado: msg_{message.uuid.hex}",
    ]  # fmt: skip


@pytest.fixture
def javascript(documented: Any, people: Any, run: Any, live_server_url: str) -> Callable[[str], Any]:  # noqa: F811
    """Runs a task with `api`, the documented class, and `desk`, the documented ticket system on top of it."""
    code = documented("javascript", "BirdConversationsAPI")

    def call(task: str) -> Any:
        secret = json.dumps(people.api_token.secret)
        begin = f"const api = new BirdConversationsAPI({secret}); const desk = new SupportTicketSystem({secret});"
        # The documentation's code is JavaScript: the types that its programs go without are not missed.
        program = f"{begin}\n{task}\nconsole.log(JSON.stringify(answer));"
        return run(code, program, url=live_server_url)

    return call


def test_javascript_through_every_method(javascript: Any) -> None:
    given = json.dumps(PEOPLE)
    made = javascript(f"const answer = await api.createConversation({given}, 'whatsapp', 'Consulta', ['soporte']);")
    row = Conversation.objects.get()
    assert (made["id"], made["subject"], made["tags"]) == (f"conv_{row.uuid.hex}", "Consulta", ["soporte"])
    plain = javascript(f"const answer = await api.createConversation({given}, 'email', undefined);")
    assert (plain["subject"], plain["tags"]) == (None, [])
    conversation = json.dumps(made["id"])

    sent = javascript(
        f"const answer = await api.addMessage({conversation}, 'location',"
        " {latitude: 19.4326, longitude: -99.1332, name: 'Ciudad de México'}, {contact_id: 'contact_123'});"
    )
    assert sent["location"] == {"latitude": 19.4326, "longitude": -99.1332, "name": "Ciudad de México"}
    history = javascript(f"const answer = await api.getConversationHistory({conversation}, 10);")
    assert history == {"messages": [sent], "pagination": {"limit": 10, "offset": 0, "total": 1}}

    found = javascript("const answer = await api.searchConversations({status: 'active', channel: 'whatsapp'});")
    assert [one["id"] for one in found["conversations"]] == [made["id"]]
    everything = javascript("const answer = await api.searchConversations();")
    assert everything["pagination"] == {"limit": 20, "offset": 0, "total": 2, "has_more": False}

    added = javascript(f"const answer = await api.addParticipant({conversation}, {{contact_id: 'contact_999'}});")
    assert (added["contact_id"], added["role"]) == ("contact_999", "participant")
    moved = javascript(f"const answer = await api.transferConversation({conversation}, 'senior_agent_001', 'VIP');")
    assert (moved["agent_id"], moved["role"]) == ("senior_agent_001", "agent")
    last = Message.objects.latest("id")
    assert (last.text, last.sender_agent.agent_id) == ("Conversación transferida. Notas: VIP", "senior_agent_001")


@pytest.mark.parametrize(("priority", "agent"), [("high", "senior_agent_001"), ("normal", "agent_general_001")])
def test_the_documented_ticket_system(javascript: Any, priority: str, agent: str) -> None:
    ticket = javascript(f"const answer = await desk.createSupportTicket('contact_123', 'No llega', '{priority}');")
    row, message = Conversation.objects.get(), Message.objects.get()
    assert ticket == {"ticketId": f"conv_{row.uuid.hex}", "status": "created", "priority": priority}
    assert (row.title, row.assigned_agent.agent_id) == ("Ticket de Soporte: No llega", agent)
    assert list(row.tags.order_by("taggings__id").values_list("name", flat=True)) == ["soporte", priority]
    assert message.text == "Hemos recibido tu consulta. Un agente te atenderá pronto."
    assert Participant.objects.filter(conversation=row).count() == 2
