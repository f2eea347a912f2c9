"""Streams of events: what each dialect's subscribers are told, and how they come back."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as HttpClient
from django.utils import timezone

from chatplatform.tests import world as cast
from chatplatform.tests.following import Follow, following
from chatplatform.tests.store import staff, statements, superuser
from chatplatform.tests.world import World
from clients import actions as people
from clients.actions import NewTenant
from clients.credentials import end_log_in, issue_tokens
from clients.models import ApiToken, StreamTicket
from conftest import Api, caller_of
from conversations import actions, events
from conversations.audience import seen_by_each
from conversations.feed import Feed, latest
from conversations.models import Conversation, Event
from messaging.actions import add_note, delete_message, release_message, send_message
from messaging.models import Message
from messaging.senders import as_agent, as_contact
from messaging.streams import renewing, subscription
from messaging.streams.hub import hub

pytestmark = pytest.mark.django_db(transaction=True)
STREAMS = {
    "workspace": "/v1/events/stream",
    "assistant": "/chat/events",
    "platform": "/api/v1/chat/events",
    "rooms": "/api/conversation/events",
}


@pytest.fixture
def follow() -> Iterator[Follow]:
    yield from following()


@pytest.fixture
def mine(acme: NewTenant) -> World:
    return World(acme)


@pytest.fixture
def headers(mine: World) -> dict[str, dict[str, str]]:
    """By dialect, what its caller sends."""
    return {name: cast.CREDENTIALS[name](mine) for name in STREAMS}


def say(world: World, text: str) -> Any:
    return send_message(conversation=world.conversation, sender=as_contact(world.contact), by=world.system, text=text)


def texts(frames: list[Any]) -> list[str]:
    return [frame.data["message"]["content"] for frame in frames]


def test_each_dialect_tells_in_its_own_words(mine: World, follow: Follow, headers: Any) -> None:
    streams = {name: follow(path, headers[name]) for name, path in STREAMS.items()}
    row = mine.conversation
    message = send_message(conversation=row, sender=as_agent(mine.agent), by=mine.system, text="It is here.")
    uuid, second = str(row.uuid), message.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    micro = message.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    about = {"event": "conversation.message.created", "timestamp": second}
    told = {
        "workspace": about | {
            "conversation": {"id": f"conv_{row.uuid.hex}", "subject": row.title},
            "message": {
                "id": f"msg_{message.uuid.hex}", "type": "text", "text": {"body": "It is here."},
                "sender": {"agent_id": mine.agent.agent_id, "name": mine.agent.name},
            },
        },
        "assistant": about | {
            "conversation": {"id": row.pk, "title": row.title},
            "message": {
                "id": message.pk, "conversation_id": row.pk, "content": "It is here.", "content_type": "text",
                "sender": "agent", "message_type": "text", "status": "sent", "tokens_used": None,
                "processing_time": None, "created_at": second, "attachments": [],
            },
        },
        "platform": about | {
            "timestamp": micro, "conversation": {"uuid": uuid},
            "message": {
                "uuid": str(message.uuid), "conversation_uuid": uuid, "text": "It is here.", "type": "text",
                "sender": {"uuid": None, "name": mine.agent.name}, "attachments": [], "created_at": micro,
                "updated_at": micro,
            },
        },
        "rooms": about | {
            "conversation": {"id": uuid},
            "message": {
                "id": str(message.uuid), "text": "It is here.", "type": "text", "userId": None,
                "name": mine.agent.name, "createdAt": second,
            },
        },
    }  # fmt: skip
    created = Event.objects.get(kind=events.Kind.MESSAGE_CREATED, data__message=str(message.uuid))
    for name, stream in streams.items():
        frame = stream.next()
        assert (frame.event, frame.id, frame.data) == (about["event"], str(created.pk), told[name]), name
    actions.update_conversation(
        conversation=row, by=mine.system, title="Found", is_archived=True, room="found", metadata={"order": 7}
    )
    delete_message(conversation=row, message_id=message.pk, by=mine.system)
    changes = {
        "workspace": {"subject": [row.title, "Found"], "archived": [False, True], "room": ["parcels", "found"],
                      "metadata": [{}, {"order": 7}]},
        "assistant": {"title": [row.title, "Found"], "is_archived": [False, True]},
        "platform": {"is_archived": [False, True]},
        "rooms": {"room": ["parcels", "found"]},
    }  # fmt: skip
    for name, stream in streams.items():
        updated, deleted = stream.next(), stream.next()
        assert (updated.event, updated.data["changes"]) == ("conversation.updated", changes[name])
        gone = told[name]["message"]
        named = {key: gone[key] for key in ("id", "uuid") if key in gone}
        assert (deleted.event, deleted.data["message"]) == ("conversation.message.updated", {**named, "deleted": True})


def test_a_stream_that_broke_off_goes_on_where_it_was(mine: World, follow: Follow, headers: Any) -> None:
    """by the header of a browser or by a parameter; without gap or repetition across what is live"""
    stream = follow("/chat/events", headers["assistant"])
    cursor = stream.last_id  # `ready` has one: whoever drops before the first event
    say(mine, "one")
    say(mine, "two")
    assert [stream.next().data["message"]["content"] for _ in range(2)] == ["one", "two"]
    after_two = stream.last_id
    stream.close()
    assert len(hub) == 0
    for text in ("three", "four"):
        say(mine, text)
    later = follow("/chat/events", {**headers["assistant"], "Last-Event-ID": after_two}, ready=False)
    whole = follow(f"/chat/events?last_event_id={cursor}", headers["assistant"], ready=False)
    both = follow(
        f"/chat/events?last_event_id={cursor}", {**headers["assistant"], "Last-Event-ID": after_two}, ready=False
    )  # as a browser does when it comes back
    say(mine, "five")
    say(mine, "six")
    for one, expected in ((later, []), (whole, ["one", "two"]), (both, [])):
        frames = []
        while len(frames) < len(expected) + 4:
            frame = one.next()
            frames += [frame] if frame.event != "ready" else []
        assert texts(frames) == [*expected, "three", "four", "five", "six"]
        assert [int(frame.id) for frame in frames] == sorted({int(frame.id) for frame in frames})


def test_what_cannot_be_taken_up_begins_with_a_reset(mine: World, follow: Follow, headers: Any) -> None:
    """malformed, future, older than what is kept, and gone: at the present, with its cursor"""
    last = latest()
    old = Event.objects.order_by("pk").values_list("pk", flat=True)[0]
    Event.objects.filter(pk=old + 1).update(created_at=timezone.now() - timedelta(days=7, seconds=1))
    for bad in ("x", "-1", "1.5", "", str(last + 1), "9" * 18, "9" * 40, str(old), "\u0661"):
        stream = follow(f"/chat/events?last_event_id={bad}", headers["assistant"], ready=False)
        frame = stream.next()
        assert (frame.event, frame.id, frame.data) == ("ready" if bad == "" else "reset", str(last), {}), bad
        stream.close()
    Event.objects.filter(pk=old + 1).update(created_at=timezone.now() - timedelta(days=6, hours=23))
    stream = follow(f"/chat/events?last_event_id={old}", headers["assistant"], ready=False)
    assert stream.next().id == str(old + 1)
    Event.objects.filter(pk__lte=old).delete()  # as retention does
    say(mine, "now")
    stream = follow(f"/chat/events?last_event_id={old}", headers["assistant"], ready=False)
    assert stream.next().event == "reset"
    say(mine, "then")
    assert stream.next().data["message"]["content"] == "then"


def test_the_beginning_and_the_signs_of_life(mine: World, headers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """as a server without an event loop sends it; a heartbeat carries the cursor on"""
    monkeypatch.setattr("messaging.streams.stream.HEARTBEAT", 0.05)
    answer = HttpClient().get("/chat/events", headers=headers["assistant"])
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "text/event-stream",
        "no-store",
    )
    assert "Content-Length" not in answer.headers
    chunks = answer.event_stream.blocking_frames()
    assert next(chunks) == b": a stream of events\nretry: 2000\n\n"
    while (chunk := next(chunks)) == b":\n\n":  # until the hub has begun
        pass
    assert chunk == f"id: {latest()}\nevent: ready\ndata: {{}}\n\n".encode()
    assert next(chunks).startswith(b":\n")
    other = people.create_tenant(name="Other", session_id="ses_x").client
    foreign = Conversation.objects.create(client=other, channel="x")
    events.record(foreign, events.Kind.UPDATED, changes={"title": ["", "x"]})
    while f"id: {latest()}" not in (beat := next(chunks)).decode():
        assert beat == b":\n\n"
    assert beat == f":\nid: {latest()}\n\n".encode()
    chunks.close()
    assert len(hub) == 0


def test_only_what_the_caller_may_see(
    mine: World, rival: NewTenant, follow: Follow, headers: Any, api: Any, platform: Any
) -> None:
    """another tenant, a stranger, an agent with other queues and staff in `platform` see nothing; a removed
    participant their own removal; a deleted conversation says so to those who could see it"""
    row = mine.conversation
    tenant = mine.tenant
    away = staff(tenant, queues=("fax",))
    near = staff(tenant, queues=("parcels",), name="Bo")
    theirs = World(rival)
    blind = {
        "tenant": follow("/v1/events/stream", cast.CREDENTIALS["workspace"](theirs)),
        "its user": follow("/chat/events", api(theirs.owner).headers),
        "stranger": follow("/chat/events", api(mine.stranger).headers),
        "agent": follow("/chat/events", api(away).headers),
        "staff in platform": follow("/api/v1/chat/events", platform(tenant.staff.user).headers),
    }
    owner, other = follow("/chat/events", headers["assistant"]), follow("/chat/events", api(mine.other).headers)
    desk, token = (
        follow("/chat/events", api(tenant.staff.user).headers),
        follow("/v1/events/stream", headers["workspace"]),
    )
    actions.update_conversation(conversation=row, by=mine.system, queue="parcels")
    of_queue = follow("/chat/events", api(near).headers)
    created, removed, gone = "conversation.message.created", "conversation.participant.removed", "conversation.deleted"
    assert token.next().event == "conversation.updated"
    say(mine, "one")
    for stream in (owner, other, desk, token, of_queue):
        assert stream.next().event == created
    actions.remove_participant(conversation=row, participant_id=mine.participant(user=mine.other).pk, by=mine.system)
    for stream in (owner, other, desk, token, of_queue):
        assert stream.next().event == removed
    say(mine, "two")
    for stream in (owner, desk, token, of_queue):
        assert stream.next().event == created
    actions.delete_conversation(conversation=row, by=mine.system)
    for stream in (owner, desk, token, of_queue):
        assert stream.next().event == gone
    say_in = actions.create_conversation(
        client_id=mine.client.pk, by=mine.system, channel="x", people=[], title="Of nobody"
    )
    assert token.next().data["conversation"]["id"] == f"conv_{say_in.uuid.hex}"
    for name, stream in {**blind, "removed": other, "owner": owner}.items():
        assert stream.rest() == [], name
    first = Event.objects.order_by("pk").values_list("pk", flat=True)[0]
    for caller, expected in ((mine.other, [removed]), (mine.stranger, []), (away, []), (mine.owner, [gone])):
        again = follow(f"/chat/events?last_event_id={first}", api(caller).headers, ready=False)
        assert [frame.event for frame in again.until("ready")] == expected


@pytest.mark.contract("behaviour: Private notes")
def test_notes_and_held_messages(mine: World, follow: Follow, headers: Any, client: HttpClient) -> None:
    """A private note is told in the admin's stream alone; what is held, nowhere."""
    client.force_login(mine.staff)
    admin = follow("/admin/events/", {"Cookie": f"sessionid={client.session.session_key}"})
    others = [follow(path, headers[name]) for name, path in STREAMS.items()]
    add_note(conversation=mine.conversation, sender=as_agent(mine.agent), text="careful")
    held = {"enabled": True, "actions": ["quarantine"], "blacklist_keywords": ["casino"]}
    assert Api(headers["workspace"]).post("/v1/workspace/settings/antispam", held).status_code == 200
    message = say(mine, "casino")
    note = admin.next()
    assert (note.event, note.data["message"]["text"], note.data["message"]["private"]) == (
        "conversation.note.created", "careful", True,
    )  # fmt: skip
    say(mine, "after")
    release_message(conversation=mine.conversation, message_id=message.pk, by=mine.system)
    for stream in (admin, *others):
        for text in ("after", "casino"):
            frame = stream.next()
            assert frame.event == "conversation.message.created"
            assert text in str(frame.data["message"])
    assert HttpClient().get("/admin/events/").status_code == 403


def test_more_subscribers_ask_no_more(mine: World) -> None:
    """The rule is asked once for each kind of caller, whoever and however many they are."""
    told = Feed(0).read()
    few = [caller_of(user) for user in (mine.owner, mine.staff)]
    many = [caller_of(user) for user in (mine.owner, mine.other, mine.stranger, mine.staff, superuser())]
    counts = [len(statements(lambda callers=callers: seen_by_each(callers, told))) for callers in (few, many)]
    assert counts == [2, 3]


def test_typing_and_presence(mine: World, follow: Follow, headers: Any, api: Any, platform: Any) -> None:
    """to those who see the conversation, or share one; not to the person, and no cursor"""
    number, uuid = mine.conversation.pk, mine.conversation.uuid
    owner, other = api(mine.owner), platform(mine.other)
    mine_too = follow("/chat/events", headers["assistant"])
    others = follow("/api/v1/chat/events", other.headers)
    rooms = follow("/api/conversation/events", headers["rooms"])
    desk = follow("/v1/events/stream", headers["workspace"])
    stranger = follow("/chat/events", api(mine.stranger).headers)
    assert owner.post(f"/chat/conversations/{number}/typing").json() == {
        "success": True, "message": "Typing told", "data": {"conversation_id": number, "typing": True},
    }  # fmt: skip
    assert owner.post("/chat/presence", {"status": "away"}).json()["data"] == {"status": "away"}
    for stream, user in ((others, {"uuid": str(mine.owner.uuid)}), (desk, {"user_id": str(mine.owner.uuid)})):
        typing, presence = stream.next(), stream.next()
        assert (typing.event, typing.id, typing.data["typing"]) == ("typing", "", True)
        assert typing.data["user"] == presence.data["user"] == {**user, "name": mine.owner.name}
        assert (presence.event, presence.id, presence.data["status"]) == ("presence", "", "away")
    refused = other.post(f"/api/v1/chat/conversations/{uuid}/typing", {"typing": "yes"})
    assert (refused.status_code, refused.json()["message"]) == (422, "The typing field must be true or false.")
    refused = other.post("/api/v1/chat/presence", {"status": "asleep"})
    assert (refused.status_code, refused.json()["message"]) == (422, "The selected status is invalid.")
    answer = other.post(f"/api/v1/chat/conversations/{uuid}/typing", {"typing": False})
    assert answer.json() == {"message": "Typing told", "data": {"typing": False}}
    for stream in (mine_too, rooms):
        frame = stream.next()
        assert (frame.event, frame.data["typing"], frame.data["user"]["name"]) == ("typing", False, mine.other.name)
    assert [stranger.rest(), others.rest()] == [[], []]
    actions.update_conversation(conversation=mine.conversation, by=mine.system, status="closed")
    assert owner.post(f"/chat/conversations/{number}/typing").status_code == 409
    assert api(mine.stranger).post(f"/chat/conversations/{number}/typing").status_code == 404


def test_a_ticket_opens_one_stream(mine: World, follow: Follow, api: Any, platform: Any) -> None:
    """once, within 30 s, in its dialect, for as long as the log-in lasts; of concurrent uses one wins"""
    for path, caller, data in (
        ("/chat/events", api(mine.owner), lambda body: body["data"]),
        ("/api/v1/chat/events", platform(mine.owner), lambda body: body["data"]),
    ):
        given = data(caller.post(f"{path}/ticket").json())
        ticket = given["ticket"]
        assert not StreamTicket.objects.filter(digest__contains=ticket).exists()
        other = "/api/v1/chat/events" if path == "/chat/events" else "/chat/events"
        assert HttpClient().get(f"{other}?ticket={ticket}").status_code == 401
        statuses: list[int] = []

        def use(path: str = path, ticket: str = ticket, statuses: list[int] = statuses) -> None:
            try:
                statuses.append(HttpClient().get(f"{path}?ticket={ticket}").status_code)
            finally:
                connection.close()

        threads = [threading.Thread(target=use) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 401, 401, 401, 401, 401]
        late = data(caller.post(f"{path}/ticket").json())["ticket"]
        StreamTicket.objects.filter(used_at=None).update(expires_at=timezone.now())
        assert HttpClient().get(f"{path}?ticket={late}").status_code == 401
        good = data(caller.post(f"{path}/ticket").json())["ticket"]
        stream = follow(f"{path}?ticket={good}", {})
        say(mine, "hello")
        assert stream.next().data["message"]


def test_a_stream_ends_with_its_credential(
    mine: World, follow: Follow, headers: Any, api: Any, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a token revoked, a log-in or session ended, a user disabled"""
    monkeypatch.setattr(renewing, "_EVERY", 0.0)
    pair = issue_tokens(mine.owner)
    ticket = api(mine.owner).post("/chat/events/ticket", Authorization=f"Bearer {pair.access}").json()["data"]["ticket"]
    client.force_login(mine.staff)
    token = follow("/v1/events/stream", headers["workspace"])
    by_ticket = follow(f"/chat/events?ticket={ticket}", {})
    admin = follow("/admin/events/", {"Cookie": f"sessionid={client.session.session_key}"})
    other = follow("/chat/events", api(mine.other).headers)
    stays = follow("/chat/events", api(mine.owner).headers)
    ApiToken.objects.update(revoked_at=timezone.now())
    end_log_in(pair.access)
    client.logout()
    mine.other.is_active = False
    mine.other.save(update_fields=["is_active"])
    for stream in (token, by_ticket, admin, other):
        assert stream.ended.wait(10)
    assert not stays.ended.is_set()


def test_whoever_reads_too_slowly_comes_back_by_the_cursor(
    mine: World, headers: Any, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "MOST_FRAMES", 5)
    answer = HttpClient().get("/chat/events", headers=headers["assistant"])
    chunks = answer.event_stream.blocking_frames()
    next(chunks)
    assert b"event: ready" in next(chunks)
    keen = follow("/chat/events", headers["assistant"])
    for number in range(8):
        say(mine, str(number))
        keen.next()
    said = b"".join(chunks)  # it ends
    *_, last = [line.removeprefix("id: ") for line in said.decode().split("\n") if line.startswith("id: ")]
    again = follow("/chat/events", {**headers["assistant"], "Last-Event-ID": last}, ready=False)
    got = [part.split('"content":"')[1][0] for part in said.decode().split("\n") if '"content":"' in part]
    assert got + texts(again.until("ready")) == [str(number) for number in range(8)]


def test_cut_off_again_and_again(mine: World, follow: Follow, headers: Any) -> None:
    """A short form of the long check: each message once and in order, whoever writes meanwhile."""
    writers, each = 4, 10
    start = follow("/chat/events", headers["assistant"]).last_id

    def write(name: int) -> None:
        try:
            for number in range(each):
                say(mine, f"{name}-{number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[name]) for name in range(writers)]
    for thread in threads:
        thread.start()
    got: list[Any] = []
    cursor = start
    while len(got) < writers * each:
        stream = follow("/chat/events", {**headers["assistant"], "Last-Event-ID": cursor}, ready=False)
        for _ in range(7):
            frame = stream.next()
            if frame.event == "conversation.message.created":
                got.append(frame)
            cursor = frame.id
            if len(got) == writers * each:
                break
        stream.close()
    for thread in threads:
        thread.join()
    said = texts(got)
    assert said == list(Message.objects.filter(text__contains="-").order_by("seq").values_list("text", flat=True))
