"""Each dialect's schema against the server that publishes it, with valid credentials: thousands of
calls that fit the schema, nearly fit it, or follow one another. What the fuzzer finds wrong fails here."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from chatplatform import dialects
from clients.credentials import issue_tokens
from conversations.models import Conversation, Participant
from messaging.actions import webhooks
from messaging.integrity import verify
from messaging.models import Message

from . import store

NAMES = [dialect.name for dialect in dialects.discover()]
HOOKS = Path(__file__).parent / "fuzzing" / "hooks.py"
#: What no schema can say of a body: ids in it that nobody has, people who do not take part. Calls by
#: their ids, and the status that the contract gives these.
REFUSALS = {
    "accounts.OwnPassword.change.post": "400",
    "accounts.ForgottenPassword.confirm.post": "400",
    "assistant.Messages.create.post": "400",
    "assistant.Search.list.get": "400",  # a query of exclusions alone, a date that is none
    "workspace.Search.messages.get": "422",
    "platform.Presence.type.post": "422",  # as the other writes there: a key of another request
    "platform.Presence.tell.post": "422",
    "rooms.Conversations.retrieve.get": "400",
    "rooms.Conversations.update.patch": "400",
    "rooms.Conversations.destroy.delete": "400",
    "assistant.Uploads.create.post": "400",  # a path for a name
    "platform.Uploads.create.post": "422",
    "workspace.Uploads.create.post": "422",
    "platform.Conversations.create.post": "422",
    "platform.Messages.create.post": "422",
    "platform.Conversations.update.patch": "422",  # as the other writes there: a key of another request
    "platform.Conversations.read.post": "422",
    "workspace.Conversations.create.post": "422",
    "workspace.Participants.create.post": "422",
    "workspace.Messages.create.post": "422",
    "workspace.Messages.update.patch": "422",  # content does not change
    "workspace.Agents.update.patch": "422",  # one who logs in is human
    "workspace.Users.create.post": "422",  # a password that is too easy
    "workspace.Users.update.patch": "422",
    "workspace.CommunicationRules.create.post": "422",  # a range that ends when it starts
    "workspace.CommunicationRules.update.patch": "422",
    "workspace.AntiSpamSettings.update.post": "422",  # a keyword without a letter or digit of any script
    "workspace.Webhooks.create.post": "422",  # addresses within one's own network, secrets of another length
    "workspace.Webhooks.update.patch": "422",
    "workspace.Webhooks.rotate.post": "422",
    "whatsapp.Chats.create.post": "400",
}

STREAMS = [
    "assistant.Events.stream.get", "platform.Events.stream.get", "rooms.Events.stream.get",
    "workspace.Events.stream.get",
]  # fmt: skip

#: What an answer to input that breaks the schema may be; a file that is too large is a 413.
REJECTIONS = ["400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "5xx"]


@dataclass
class World:
    """Who calls, and what there is to call about: values that the fuzzer mixes with its own."""

    headers: dict[str, str]
    values: dict[str, list[str | int]] = field(default_factory=dict)
    cookie: str = ""
    #: What the lists are read with afterwards, where the fuzzer may have logged itself out or may not read all.
    afterwards: dict[str, str] | None = None


@pytest.fixture
def world(acme: Any, api: Any) -> Callable[[str], World]:
    def build(dialect: str) -> World:
        user, other = acme.users[0].user, acme.users[1].user
        maya = api(user)
        for title in ("Parcel", "Invoice"):
            number = store.new_conversation(maya, title)
            store.take_part(number, other)
            store.say(maya, number, "Where is it?")
        store.whatsapp_chat(api, chat_id="known")
        rows = Conversation.objects.order_by("id")
        bearer = {"Authorization": f"Bearer {issue_tokens(user).access}"}
        uuids = [str(row.uuid) for row in rows]
        match dialect:
            case "assistant":
                staff = {"Authorization": f"Bearer {issue_tokens(acme.staff.user).access}"}  # who may read all lists
                return World(bearer, {"path.conversation_id": [str(row.pk) for row in rows]}, afterwards=staff)
            case "rooms":
                return World({}, {"path.conversation_id": uuids}, cookie=issue_tokens(user).access)
            case "platform":
                bearer["X-PUBLIC-KEY"] = acme.public_key.key
                people = [str(other.uuid)]
                return World(bearer, {"path.conversation_id": uuids, "body.participant_uuid": people})
            case "workspace":
                hook, _ = webhooks.create_endpoint(client_id=acme.client.pk, url="https://hooks.example.com/")
                deliveries = [webhooks.test_endpoint(endpoint=hook) for _ in range(2)]
                token = {"Authorization": f"Bearer {acme.api_token.secret}"}
                return World(
                    token,
                    {
                        "path.conversation_id": [f"conv_{row.uuid.hex}" for row in rows],
                        "path.participant_id": [f"participant_{p.uuid.hex}" for p in Participant.objects.all()],
                        "path.message_id": [f"msg_{message.uuid.hex}" for message in Message.objects.all()],
                        "path.contact_id": ["contact_1"],
                        "path.agent_id": ["agent_1", "assistant"],
                        "path.user_uuid": [str(user.uuid), str(other.uuid)],
                        "path.webhook_id": [f"webhook_{hook.uuid.hex}"],
                        "path.delivery_id": [f"delivery_{delivery.uuid.hex}" for delivery in deliveries],
                        "body.participants[*].contact_id": ["contact_1"],
                        "body.participants[*].agent_id": ["agent_1"],
                        "body.contact_id": ["contact_1"],
                        "body.sender.contact_id": ["contact_1"],
                    },
                )
            case "whatsapp":
                return World({}, {"body.session_name": [acme.client.session_id], "body.chat_id": ["known"]})
        return World(bearer, afterwards={"Authorization": f"Bearer {issue_tokens(user).access}"})

    return build


def configuration(dialect: str, world: World) -> str:
    lines = [
        f"hooks = {json.dumps(str(HOOKS))}",
        "[generation]\nallow-x00 = false",  # NUL characters are malformed wherever they stand
        f"[checks.negative_data_rejection]\nexpected-statuses = {json.dumps(REJECTIONS)}",
    ]
    if world.cookie:
        lines.append(f"[auth.openapi.userCookie]\napi_key = {json.dumps(world.cookie)}")
    for name, values in world.values.items():
        lines.append(f"[dictionaries.{json.dumps(name)}]\nvalues = {json.dumps(values)}")
    for call in STREAMS:  # which do not end
        if call.startswith(f"{dialect}."):
            lines.append(f"[[operations]]\ninclude-operation-id = {json.dumps(call)}\nenabled = false")
    lines.append("[parameters]")
    lines += [f"{json.dumps(n)} = {{ dictionary = {json.dumps(n)}, probability = 0.7 }}" for n in world.values]
    for call, status in REFUSALS.items():
        if call.startswith(f"{dialect}."):
            accepted = json.dumps(["2xx", "401", "403", "404", "409", "429", "5xx", status])
            lines.append(f"[[operations]]\ninclude-operation-id = {json.dumps(call)}")
            lines.append(f"[operations.checks.positive_data_acceptance]\nexpected-statuses = {accepted}")
    return "\n".join(lines)


def fuzz(url: str, dialect: str, world: World, folder: Path, *, cases: int, seed: int) -> None:
    """Runs all phases and checks until there were at least `cases` calls; in parts, for the fuzzer remembers
    every example of a part."""
    configured, report = folder / "fuzzer.toml", folder / "report.json"
    configured.write_text(configuration(dialect, world))
    document = requests.get(f"{url}/api/schema/{dialect}", timeout=30).json()
    calls = sum(len(methods) for methods in document["paths"].values())
    generated = 0
    while generated < cases:
        command = [
            str(Path(sys.executable).parent / "st"), "--config-file", str(configured), "run",
            f"{url}/api/schema/{dialect}", "--seed", str(seed), "--phases", "examples,coverage,fuzzing,stateful",
            "--checks", "all", "--max-examples", str(min(1000, max(10, (cases - generated) // calls // 2))),
            "--suppress-health-check", "all",  # it says how quick this machine is
            "--report", "json", "--report-json-path", str(report), "--output-truncate", "false",
            *(part for name, value in world.headers.items() for part in ("-H", f"{name}: {value}")),
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO")}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        generated += json.loads(report.read_text())["test_cases"]["generated"]
        seed += 1


def crawl(url: str, dialect: str, world: World) -> None:
    """Every list and every other call without parameters still answers: no row is poison."""
    document = requests.get(f"{url}/api/schema/{dialect}", timeout=30).json()
    for path, methods in document["paths"].items():
        if "get" not in methods or "{" in path or methods["get"]["operationId"] in STREAMS:
            continue
        required = {p["name"]: 1 for p in methods["get"]["parameters"] if p.get("required") and p["in"] == "query"}
        for page in ({"limit": 100}, {"limit": 100, "offset": 100}, {"per_page": 100, "archived": "all"}):
            answer = requests.get(
                f"{url}{path}", params={**required, **page}, headers=world.afterwards or world.headers,
                cookies={settings.ACCESS_COOKIE: world.cookie}, timeout=30,
            )  # fmt: skip
            assert answer.status_code == 200, (path, page, answer.text)


def check(url: str, dialect: str, world: World, folder: Path, *, cases: int, seed: int) -> None:
    fuzz(url, dialect, world, folder, cases=cases, seed=seed)
    crawl(url, dialect, world)
    assert [difference for _, differences in verify() for difference in differences] == []


@pytest.mark.parametrize("dialect", NAMES)
def test_the_schema_holds(dialect: str, world: Callable[[str], World], live_server_url: str, tmp_path: Path) -> None:
    check(live_server_url, dialect, world(dialect), tmp_path, cases=500, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("dialect", NAMES)
def test_the_schema_holds_for_long(
    dialect: str, world: Callable[[str], World], live_server_url: str, tmp_path: Path
) -> None:
    """FUZZ_CASES and FUZZ_SEED for more and for others."""
    cases, seed = int(os.environ.get("FUZZ_CASES", "2000")), int(os.environ.get("FUZZ_SEED", "2"))
    check(live_server_url, dialect, world(dialect), tmp_path, cases=cases, seed=seed)
