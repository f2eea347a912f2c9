"""Nobody gets at what is not theirs: every call of every dialect, by everybody who is foreign to it."""

import json
from typing import Any

import pytest

from chatplatform.dialects.permissions import HasCaller
from chatplatform.tests import world as cast
from chatplatform.tests.calls import CALLS, Call
from chatplatform.tests.foreigners import FOREIGNERS, Foreigner
from chatplatform.tests.store import everything
from chatplatform.tests.test_every_call import absent
from chatplatform.tests.world import World
from clients.actions import NewTenant
from clients.credentials import known
from clients.models import Agent, Client, Contact
from conftest import Api
from conversations.models import Conversation
from messaging.models import Message

GUARDED = [call for call in CALLS if any(issubclass(one, HasCaller) for one in call.view.permission_classes)]
#: Whoever has no credential yet gets one here: what they may not is in the tests of `accounts`.
#: `whatsapp` has sessions in place of credentials: below.
OPEN = {
    "POST /api/auth/token", "POST /api/auth/token/refresh", "POST /api/auth/login", "POST /api/auth/refresh",
    "POST /api/auth/logout", "POST /api/auth/password/reset", "POST /api/auth/password/reset/confirm",
    "POST /api/chat/create",
}  # fmt: skip
MARK = "acme-secret"
Rows = dict[tuple[str, Any], dict[str, Any]]


@pytest.fixture
def mine(acme: NewTenant) -> World:
    """With a mark on everything that others could be shown, and ids that only Acme has."""
    world = World(acme)
    Conversation.objects.filter(pk=world.conversation.pk).update(
        title=f"{MARK} title", room=f"{MARK} room", last_message_text=f"{MARK} text", taggable_type=f"{MARK} type"
    )
    Message.objects.filter(conversation=world.conversation).update(text=f"{MARK} text", sender_name=f"{MARK} name")
    Contact.objects.filter(pk=world.contact.pk).update(name=f"{MARK} name", contact_id="only_acmes")
    Agent.objects.filter(pk=world.agent.pk).update(name=f"{MARK} name", agent_id="only_acmes_agent")
    for row in (world.contact, world.agent, world.conversation):
        row.refresh_from_db()
    return world


@pytest.fixture
def theirs(rival: NewTenant) -> World:
    return World(rival)


def rows() -> Rows:
    """Everything, but for when a credential was last used."""
    return {
        (model, row["id"]): {name: value for name, value in row.items() if name != "last_used_at"}
        for model, found in everything().items()
        for row in found
    }


def pairs(foreigner: Foreigner) -> list[Call]:
    return [call for call in GUARDED if foreigner.only is None or call.dialect in foreigner.only]


def test_every_call_is_guarded_or_known_to_be_open() -> None:
    assert {str(call) for call in CALLS if call not in GUARDED} == OPEN


def test_there_are_enough_pairs(mine: World, theirs: World) -> None:
    of_dialect = {call.dialect for call in GUARDED}
    number = sum(len(pairs(make(mine, theirs))) for make in FOREIGNERS)
    assert number >= 1_000  # the least that was asked for is 400
    assert number >= 20 * len(GUARDED)
    assert of_dialect == set(cast.CREDENTIALS) - {"whatsapp"}


@pytest.mark.contract(
    "README: Unknown, foreign and deleted ids",
    "behaviour: One visibility rule serves",
    "behaviour: An end user: conversations that",
)
@pytest.mark.parametrize("make", FOREIGNERS, ids=lambda make: make.__name__)
def test_a_foreigner_gets_at_nothing(mine: World, theirs: World, make: Any) -> None:
    """refused, or told byte for byte what is told of what is not there; nothing is written, no event told"""
    foreigner = make(mine, theirs)
    known.clear()  # what processes may go on believing for a moment
    at_home = [call for call in pairs(foreigner) if makes_something(call, foreigner)]
    before = rows()
    for call in pairs(foreigner):
        if call not in at_home:
            assert_nothing_there(call, foreigner, mine)
    assert rows() == before
    for call in at_home:
        before = rows()
        assert_nothing_there(call, foreigner, mine)
        assert_untouched(before, mine, foreigner, call)


def makes_something(call: Call, foreigner: Foreigner) -> bool:
    """Whoever is let in may make new things where they are at home."""
    return call.writes and not call.parameters and call.dialect in foreigner.let_in


def assert_nothing_there(call: Call, foreigner: Foreigner, mine: World) -> None:
    answer, of_absent = ask(call, foreigner, mine), ask(call, foreigner, mine, nowhere=True)
    what = (str(call), answer.status_code, answer.content)
    assert answer["Content-Type"] == (call.media if answer.status_code < 300 else "application/json"), what
    assert MARK not in answer.content.decode(), what
    if call.dialect not in foreigner.let_in:
        assert answer.status_code == refusal(call, foreigner), what
    elif call.parameters:
        assert 400 <= answer.status_code < 500, what
    elif answer.status_code < 300 or foreigner.is_ours:  # of their own
        return
    assert (of_absent.status_code, of_absent.content) == (answer.status_code, answer.content), what


def ask(call: Call, foreigner: Foreigner, mine: World, *, nowhere: bool = False) -> Any:
    """The example call upon Acme's rows; `nowhere`: upon ids that nobody has."""
    headers, body = foreigner.headers(call), cast.example(call).body(mine)
    path = cast.path(call, mine)
    if nowhere:
        ids = {name: absent(cast.IDS[call.dialect][name](mine)) for name in call.parameters}
        path, _, query = path.partition("?")
        path = call.at(ids) + (f"?{query}" if query else "")
        body = body and json.loads(_elsewhere(json.dumps(body), mine))
    return Api(headers)(call.method, path, body)


def _elsewhere(text: str, mine: World) -> str:
    names = [mine.contact.contact_id, mine.agent.agent_id, str(mine.other.uuid), str(mine.owner.uuid)]
    for name in names:
        text = text.replace(f'"{name}"', f'"{absent(name)}"')
    return text


def refusal(call: Call, foreigner: Foreigner) -> int:
    """`platform` asks for its key before anything else."""
    no_key = call.dialect == "platform" and "X-PUBLIC-KEY" not in foreigner.headers(call)
    return 400 if no_key else foreigner.refusal


def assert_untouched(before: Rows, mine: World, foreigner: Foreigner, call: Call) -> None:
    """What was there is as it was (but for the foreigner's own client, where they change settings), and what
    is new is not Acme's, nor of the conversation."""
    after = rows()
    before = {key: row for key, row in before.items() if key[0] != "Client" or key[1] == mine.client.pk}
    assert {key: after.get(key) for key in before} == before, str(call)
    for (model, _), row in ((key, row) for key, row in after.items() if key not in before):
        assert row.get("conversation_id") != mine.conversation.pk, (str(call), model)
        if not foreigner.is_ours:
            assert row.get("client_id") != mine.client.pk, (str(call), model)


# --- whatsapp: the session is the credential ---

URL = "/api/chat/create"


@pytest.mark.parametrize(
    "session", ["", "ses_nobody", "SES_ACME", "ses_acme ", "ses_acme\u200b", "rotated", "disabled", "rival's"]
)
def test_a_foreign_session_gets_at_nothing(mine: World, theirs: World, session: str) -> None:
    made = Api({}).post(URL, {"session_name": "ses_acme", "chat_id": "wa-1", "name": MARK}).json()["record"]
    name = {"rotated": "ses_acme", "disabled": "ses_acme", "rival's": "ses_rival"}.get(session, session)
    if session == "rotated":
        Client.objects.filter(pk=mine.client.pk).update(session_id="ses_new")
    if session == "disabled":
        Client.objects.filter(pk=mine.client.pk).update(is_active=False)
    before = rows()
    answer = Api({}).post(URL, {"session_name": name, "chat_id": "wa-1"})
    assert answer.status_code == {"": 400, "rival's": 200}.get(session, 404)
    assert made["id"] not in answer.content.decode()
    assert MARK not in answer.content.decode()
    after = rows()
    assert {key: after[key] for key in before} == before
    assert {row.get("client_id") for key, row in after.items() if key not in before} <= {theirs.client.pk, None}


def test_where_a_token_is_demanded_it_must_be_the_clients_own(mine: World, theirs: World, settings: Any) -> None:
    settings.WHATSAPP_REQUIRES_TOKEN = True
    [call] = [call for call in CALLS if call.path == URL]
    body = {"session_name": "ses_acme", "chat_id": "wa-1"}
    asked = 0
    for make in FOREIGNERS:
        foreigner = make(mine, theirs)
        if foreigner.only is not None:  # a token of Acme's, with or without scopes
            continue
        Client.objects.filter(pk=mine.client.pk).update(is_active=True)
        before = rows()
        headers = foreigner.headers(call)
        answer, of_absent = (Api(headers).post(URL, {**body, "session_name": s}) for s in ("ses_acme", "ses_nobody"))
        assert answer.status_code == (404 if "workspace" in foreigner.let_in else 401), make
        assert (of_absent.status_code, of_absent.content) == (answer.status_code, answer.content)
        assert rows() == before
        asked += 1
    assert asked >= 15
