"""contracts/mapping.md: one conversation, the fields that each dialect shows of it."""

from datetime import UTC, datetime

import pytest
import time_machine

from chatplatform.tests.doors import DIALECTS, Doors, data, workspace_id
from chatplatform.tests.store import take_part
from clients.models import Contact
from conversations.models import Conversation
from messaging.models import Message

made_in_each = pytest.mark.parametrize("dialect", DIALECTS)


@pytest.fixture
def doors(acme):
    return Doors(acme)


@pytest.mark.contract("mapping: conversation's id | id (string)", "README: One store of conversations, five documented")
@made_in_each
def test_ids(doors, dialect):
    """one row, each dialect's own kind of id for it"""
    row = doors.make(dialect)
    assert doors.in_rooms(row)["id"] == str(row.uuid)
    assert doors.in_workspace(row)["id"] == workspace_id(row)
    assert doors.in_assistant(row)["id"] == row.pk
    assert [one["id"] for one in data(doors.workspace().get("/v1/conversations"))["conversations"]] == [
        workspace_id(row)
    ]
    take_part(row.pk, doors.omar) if dialect != "platform" else None
    shown = doors.in_platform(row, doors.omar)
    assert shown["uuid"] == str(row.uuid)
    assert {person["pivot"]["conversation_id"] for person in shown["participants"]} == {row.pk}


@pytest.mark.contract("mapping: conversation's id | id (string)", "mapping: tenant | clientId")
def test_the_id_and_tenant_of_whatsapp(doors):
    answer = doors.whatsapp().post("/api/chat/create", {"session_name": "ses_acme"})
    row = Conversation.objects.get()
    record = data(answer)["record"]
    assert (record["id"], record["clientId"]) == (str(row.uuid), str(doors.tenant.client.uuid))


@pytest.mark.contract("mapping: tenant | clientId")
def test_tenants(doors, rival):
    """named by the session, the user, the key, the token"""
    theirs = Doors(rival)
    for dialect in DIALECTS:
        assert doors.make(dialect).client == doors.tenant.client
        assert theirs.make(dialect).client == rival.client
    for mine in (doors, theirs):
        listed = data(mine.workspace().get("/v1/conversations"))["conversations"]
        own = Conversation.objects.for_client(mine.tenant.client.pk)
        assert {one["id"] for one in listed} == {workspace_id(row) for row in own}
        assert len(listed) == 5


@pytest.mark.contract("mapping: title | name | —")
def test_titles(doors):
    """`name`, the room at creation, `subject`, `title`; none in platform"""
    for dialect in ("whatsapp", "rooms", "workspace", "assistant"):
        row = doors.make(dialect, "Broken grinder")
        assert doors.in_workspace(row)["subject"] == "Broken grinder"
        assert doors.in_assistant(row)["title"] == "Broken grinder"
        assert doors.in_rooms(row)["room"] == "Broken grinder"
    row = doors.make("platform")
    assert (doors.in_workspace(row)["subject"], doors.in_assistant(row)["title"]) == (None, "platform")


@pytest.mark.contract("mapping: channel | whatsapp | integrationType", "whatsapp: The channel of what is made here")
def test_channels(doors):
    for dialect, channel in [
        ("whatsapp", "whatsapp"), ("rooms", "telegram"), ("platform", "platform"), ("workspace", "email"),
        ("assistant", "website"),
    ]:  # fmt: skip
        fields = {"rooms": {"integrationType": "telegram"}, "workspace": {"channel": "email"}}.get(dialect, {})
        row = doors.make(dialect, **fields)
        assert (doors.in_rooms(row)["integrationType"], doors.in_workspace(row)["channel"]) == (channel, channel)


@pytest.mark.contract("mapping: caller's own key (separate columns)")
def test_the_callers_own_keys_are_separate_columns(doors):
    chat = doors.make("whatsapp", "Ayu", chat_id="wa-7")
    doors.rooms(doors.desk).patch(f"/api/conversation/{chat.uuid}", {"room": "lobby-7"})
    assert doors.in_rooms(chat)["room"] == "lobby-7"
    again = {"session_name": "ses_acme", "name": "Ayu", "chat_id": "wa-7"}
    assert data(doors.whatsapp().post("/api/chat/create", again))["record"]["chatId"] == "wa-7"
    assert doors.make("whatsapp").chat_id == str(Conversation.objects.latest("pk").uuid)  # the record's own id

    pair = doors.make("platform", taggable_type="App\\Models\\Order", taggable_id=9)
    doors.rooms().patch(f"/api/conversation/{pair.uuid}", {"room": "lobby-8"})
    shown = doors.in_platform(pair)
    assert (shown["taggable_type"], shown["taggable_id"]) == ("App\\Models\\Order", 9)

    own = doors.make("workspace", metadata={"crm": "K-1"})
    doors.rooms(doors.desk).patch(f"/api/conversation/{own.uuid}", {"room": "lobby-9"})
    assert doors.in_workspace(own)["metadata"] == {"crm": "K-1"}
    assert doors.in_rooms(doors.make("assistant"))["room"] == "Order 4711"  # the title


@pytest.mark.contract("mapping: category | category | —")
def test_the_category_is_whatsapps(doors):
    given = {"session_name": "ses_acme", "chat_id": "c-1", "category": "sales"}
    row = doors.make("whatsapp", "", chat_id="c-1", category="sales")
    doors.workspace().patch(f"/v1/conversations/{workspace_id(row)}", {"subject": "Renamed"})
    assert data(doors.whatsapp().post("/api/chat/create", given))["record"]["category"] == "sales"
    for dialect in DIALECTS[1:]:
        assert doors.make(dialect).category == Conversation._meta.get_field("category").default


@pytest.mark.contract("mapping: conversation_type (chat)")
@made_in_each
def test_the_kind_is_assistants(doors, dialect):
    row = doors.make(dialect)
    assert doors.in_assistant(row)["conversation_type"] == "chat"
    doors.assistant(doors.desk).put(f"/chat/conversations/{row.pk}", {"conversation_type": "support"})
    assert doors.in_assistant(row)["conversation_type"] == "support"


@pytest.mark.contract("mapping: status | finishedChat")
@pytest.mark.parametrize("status", ["active", "waiting_for_customer", "escalated", "resolved", "closed"])
def test_states(doors, status):
    """`finishedChat` = resolved or closed; `status`"""
    row = doors.make("whatsapp", "", chat_id="c-1")
    assert (doors.in_workspace(row)["status"], doors.in_assistant(row)["status"]) == ("new", "new")
    data(doors.workspace().patch(f"/v1/conversations/{workspace_id(row)}", {"status": status}))
    assert doors.in_workspace(row)["status"] == doors.in_assistant(row)["status"] == status
    record = data(doors.whatsapp().post("/api/chat/create", {"session_name": "ses_acme", "chat_id": "c-1"}))["record"]
    assert record["finishedChat"] is (status in ("resolved", "closed"))


@pytest.mark.contract("mapping: archived, pinned | —")
def test_archived_and_pinned(doors):
    row = doors.make("platform")
    data(doors.platform().patch(f"/api/v1/chat/conversations/{row.uuid}", {"is_archived": True}))
    assert doors.in_assistant(row)["is_archived"] is True
    data(doors.assistant().put(f"/chat/conversations/{row.pk}", {"is_archived": False, "is_pinned": True}))
    assert doors.in_platform(row)["is_archived"] is False
    assert doors.in_assistant(row)["is_pinned"] is True


@pytest.mark.contract("mapping: bot allowed / bot | useBot", "behaviour: use_bot is true by default in whatsapp only")
def test_bots(doors):
    """`useBot`, by default in whatsapp only; `botId`, free text too; an `ai` agent who takes part or is assigned"""
    assert [doors.make(dialect).use_bot for dialect in DIALECTS] == [True, False, False, False, False]
    assert doors.make("whatsapp", use_bot=False).use_bot is False

    row = doors.make("rooms", botId="a bot of theirs")
    assert doors.in_rooms(row)["botId"] == "a bot of theirs"

    row = doors.make("workspace", participants=[{"contact_id": "contact_1"}, {"agent_id": "assistant"}])
    assert [one.get("agent_id") for one in doors.in_workspace(row)["participants"]] == [None, "assistant"]

    row = doors.make("assistant", agent_id=doors.bot.pk)
    assert doors.in_assistant(row)["agent_id"] == doors.bot.pk
    assert "assistant" in [one.get("agent_id") for one in doors.in_workspace(row)["participants"]]


@pytest.mark.contract("mapping: owner | —", "mapping: participants | —")
@pytest.mark.parametrize("dialect", ["rooms", "platform", "assistant"])
def test_owners(doors, dialect):
    """`userId` (uuid); the caller, first participant; `user_id` (integer)"""
    row = doors.make(dialect)
    assert doors.in_rooms(row, doors.maya)["userId"] == str(doors.maya.uuid)
    assert doors.in_assistant(row, doors.maya)["user_id"] == doors.maya.pk
    first = doors.in_platform(row, doors.maya)["participants"][0]
    assert (first["uuid"], first["pivot"]["user_id"]) == (str(doors.maya.uuid), doors.maya.pk)
    shown = doors.in_workspace(row)["participants"][0]
    assert (shown["user_id"], shown["name"]) == (str(doors.maya.uuid), doors.maya.name)


@pytest.mark.contract("mapping: owner | —")
@pytest.mark.parametrize("dialect", ["whatsapp", "workspace"])
def test_where_no_user_owns_one(doors, dialect):
    row = doors.make(dialect)
    assert (doors.in_rooms(row)["userId"], doors.in_assistant(row)["user_id"]) == (None, None)


@pytest.mark.contract("mapping: customer | numberClient", "whatsapp: number_client also attaches")
def test_customers(doors):
    """a contact's phone; a participant with `contact_id`; the owner"""
    row = doors.make("whatsapp", number_client=34600123456)
    contact = Contact.objects.get(phone="34600123456")
    [shown] = doors.in_workspace(row)["participants"]
    assert (shown["contact_id"], shown["role"]) == (contact.contact_id, "customer")
    own = doors.make("assistant")
    [shown] = doors.in_workspace(own)["participants"]
    assert (shown["user_id"], shown["role"]) == (str(doors.maya.uuid), "customer")


@pytest.mark.contract("mapping: participants | —")
def test_participants(doors):
    """users, with a pivot; contacts and agents, with a role; owner and agent"""
    row = doors.make("assistant", agent_id=doors.human.pk)
    path = f"/v1/conversations/{workspace_id(row)}/participants"
    data(doors.workspace().post(path, {"contact_id": "contact_1", "role": "customer"}), 201)
    take_part(row.pk, doors.omar)
    people = data(doors.workspace().get(path))["participants"]
    assert [
        (one.get("user_id"), one.get("contact_id"), one.get("agent_id"), one["role"]) for one in people
    ] == [
        (str(doors.maya.uuid), None, None, "customer"), (None, None, "agent_1", "agent"),
        (None, "contact_1", None, "customer"), (str(doors.omar.uuid), None, None, "participant"),
    ]  # fmt: skip
    pivots = [one["pivot"] for one in doors.in_platform(row)["participants"]]
    assert [pivot["user_id"] for pivot in pivots] == [doors.maya.pk, doors.omar.pk]
    shown = doors.in_assistant(row)
    assert (shown["user_id"], shown["agent_id"]) == (doors.maya.pk, doors.human.pk)


@pytest.fixture
def row(doors):
    """A pair of users, in which the contact and the human agent take part too."""
    row = doors.make("platform")
    path = f"/v1/conversations/{workspace_id(row)}/participants"
    for person in ({"contact_id": "contact_1", "role": "customer"}, {"agent_id": "agent_1", "role": "agent"}):
        data(doors.workspace().post(path, person), 201)
    return row


@pytest.fixture
def thread(doors, row):
    """What is said by whom, through each dialect that has messages."""
    workspace = f"/v1/conversations/{workspace_id(row)}/messages"
    place = {"latitude": -6.2, "longitude": 106.8, "name": "Depot"}
    data(doors.platform().post(f"/api/v1/chat/conversations/{row.uuid}/messages", {"text": "Hello"}), 201)
    text = {"type": "text", "text": {"body": "Where are you?"}, "sender": {"contact_id": "contact_1"}}
    data(doors.workspace().post(workspace, text), 201)
    location = {"type": "location", "location": place, "sender": {"agent_id": "agent_1"}}
    data(doors.workspace().post(workspace, location), 201)
    data(doors.assistant().post(f"/chat/conversations/{row.pk}/messages", {"content": "Thank you"}))
    return row


def said(doors, row):
    """The messages as platform, workspace and assistant show them, oldest first."""
    platform = data(doors.platform().get(f"/api/v1/chat/conversations/{row.uuid}/messages"))["data"][::-1]
    workspace = data(doors.workspace().get(f"/v1/conversations/{workspace_id(row)}/messages?order=asc"))["messages"]
    assistant = data(doors.assistant().get(f"/chat/conversations/{row.pk}/messages"))["data"]["messages"]
    return platform, workspace, assistant


@pytest.mark.contract("mapping: message's text | —", "behaviour: text | the text |", "behaviour: location | [location]")
def test_texts(doors, thread):
    platform, workspace, assistant = said(doors, thread)
    lines = ["Hello", "Where are you?", "[location] Depot", "Thank you"]
    assert [one["text"] for one in platform] == [one["content"] for one in assistant] == lines
    assert [one["text"]["body"] for one in workspace if one["type"] == "text"] == [lines[0], lines[1], lines[3]]


@pytest.mark.contract("mapping: message's kind | —")
def test_kinds_of_message(doors, thread):
    """`type`; `type` + its object; `content_type` / `message_type`"""
    kinds = ["text", "text", "location", "text"]
    platform, workspace, assistant = said(doors, thread)
    assert [one["type"] for one in platform] == [one["type"] for one in workspace] == kinds
    assert [(one["content_type"], one["message_type"]) for one in assistant] == [(kind, kind) for kind in kinds]
    assert workspace[2]["location"] == {"latitude": -6.2, "longitude": 106.8, "name": "Depot"}


@pytest.mark.contract(
    "mapping: who sent it | —",
    "behaviour: In platform a sender who is no user",
    "workspace: A user who takes part shows",
)
def test_senders(doors, thread):
    """`sender.uuid`; `sender.contact_id` / `agent_id`; `user` / `agent`"""
    maya, contact, agent = doors.maya, doors.contact, doors.human
    platform, workspace, assistant = said(doors, thread)
    assert [one["sender"] for one in platform] == [
        {"uuid": str(maya.uuid), "name": maya.name}, {"uuid": None, "name": contact.name},
        {"uuid": None, "name": agent.name}, {"uuid": str(maya.uuid), "name": maya.name},
    ]  # fmt: skip
    assert [one["sender"] for one in workspace] == [
        {"user_id": str(maya.uuid), "name": maya.name}, {"contact_id": "contact_1", "name": contact.name},
        {"agent_id": "agent_1", "name": agent.name}, {"user_id": str(maya.uuid), "name": maya.name},
    ]  # fmt: skip
    assert [one["sender"] for one in assistant] == ["user", "user", "agent", "user"]


@pytest.mark.contract("mapping: counters | —", "mapping: Counters are kept in the same transaction")
def test_counters(doors, thread):
    row = Conversation.objects.get(pk=thread.pk)
    at = Message.objects.latest("seq").created_at.astimezone(UTC)
    for user, unread in ((doors.maya, 2), (doors.omar, 4)):
        shown = doors.in_platform(row, user)
        [pivot] = [one["pivot"] for one in shown["participants"] if one["uuid"] == str(user.uuid)]
        assert pivot["unread_count"] == unread
        assert shown["last_message_text"] == "Thank you"
        assert shown["last_message_at"] == f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
    shown = doors.in_assistant(row, doors.maya)
    assert (shown["total_messages"], shown["unread_count"]) == (4, 1)  # the agent's
    assert shown["last_message_at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert doors.in_workspace(row)["message_count"] == 4
    [listed] = data(doors.workspace().get("/v1/conversations"))["conversations"]
    assert (listed["message_count"], listed["last_message_at"]) == (4, f"{at:%Y-%m-%dT%H:%M:%SZ}")
    assert doors.in_assistant(row)["unread_count"] == 3  # of customers, for staff


@pytest.fixture
def just_before_midnight():
    with time_machine.travel(datetime(2027, 3, 1, 23, 59, 58, 12345, tzinfo=UTC), tick=False):
        yield


@pytest.mark.contract(
    "README: Timestamps are UTC", "README: whatsapp, workspace, assistant: 2024", "README: rooms likewise; platform"
)
def test_times(just_before_midnight, doors):
    """UTC whatever the client's own zone is; to the second, in platform to the microsecond"""
    doors.tenant.client.time_zone = "Asia/Jakarta"
    doors.tenant.client.save()
    row = doors.make("platform")
    seconds, micro = "2027-03-01T23:59:58Z", "2027-03-01T23:59:58.012345Z"
    assert doors.in_platform(row)["created_at"] == micro
    assert doors.in_platform(row)["participants"][0]["pivot"]["joined_at"] == micro
    assert doors.in_rooms(row)["createdAt"] == doors.in_workspace(row)["created_at"] == seconds
    assert doors.in_assistant(row)["created_at"] == doors.in_rooms(row)["updatedAt"] == seconds
    doors.platform().post(f"/api/v1/chat/conversations/{row.uuid}/messages", {"text": "Hello"})
    platform, workspace, assistant = said(doors, row)
    assert (platform[0]["created_at"], workspace[0]["timestamp"]) == (micro, seconds)
    assert assistant[0]["created_at"] == seconds
