"""contracts/rooms.md: the calls, their answers and refusals."""

import uuid
from datetime import timedelta

import pytest

from chatplatform.tests.store import (
    events_of,
    everything,
    new_conversation,
    say,
    staff,
    superuser,
    take_part,
    whatsapp_chat,
)
from clients.actions import create_user
from clients.models import User
from conftest import caller_of
from conversations.actions import change_status
from conversations.models import Conversation, Participant

pytestmark = pytest.mark.usefixtures("clock")
PATH = "/api/conversation"
FULL = {"room": "client1-123 + client2-123", "integrationType": "whatsapp", "botId": "bot-123"}
KEYS = ["id", "room", "integrationType", "botId", "userId", "createdAt", "updatedAt"]
UNKNOWN = {"status": 400, "error": "ConversationId is Invalid"}
UNKNOWN_TO_DELETE = {"status": 4010, "error": "ConversationId is Invalid"}
FORBIDDEN = {"status": 403, "error": "Forbidden"}


@pytest.fixture
def maya(acme, by_cookie):
    return by_cookie(acme.users[0].user)


@pytest.fixture
def omar(acme, by_cookie):
    return by_cookie(acme.users[1].user)


@pytest.fixture
def desk(acme, by_cookie):
    return by_cookie(acme.staff.user)


def made(caller, **fields):
    answer = caller.post(PATH, {**FULL, **fields})
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def listed(caller, query=""):
    answer = caller.get(f"{PATH}?page=1&limit=100{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


def own_id(user, external_id):
    User.objects.filter(pk=user.pk).update(external_id=external_id)


@pytest.mark.contract(
    "rooms: POST /api/conversation |", "rooms: A room resource is", "rooms: id is the conversation's uuid",
    "README: rooms.md | rooms", "README: rooms likewise; platform", "behaviour: whatsapp, rooms | new",
    "rooms: The field table calls userId required", "README: Documented strings are part of the contract",
)  # fmt: skip
def test_create(acme, maya):
    answer = maya.post(PATH, FULL)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    body = answer.json()
    assert list(body) == ["status", "message", "data"]
    assert (body["status"], body["message"]) == (200, "Conversation created succesfully!!")
    user = acme.users[0].user
    row = Conversation.objects.get()
    at = "2027-03-01T12:00:00Z"
    assert body["data"] == {
        **FULL, "id": str(row.uuid), "userId": str(user.uuid), "createdAt": at, "updatedAt": at,
    }  # fmt: skip
    assert list(body["data"]) == KEYS
    assert (row.status, row.channel, row.room, row.bot_id, row.title) == (
        "new", "whatsapp", FULL["room"], "bot-123", FULL["room"],
    )  # fmt: skip
    assert (row.client, row.owner, row.use_bot, row.kind) == (acme.client, user, False, "chat")
    [owner] = Participant.objects.filter(conversation=row)
    assert (owner.user, owner.role, owner.can_manage) == (user, "customer", True)
    assert events_of(row.pk) == [("conversation.created", None)]


@pytest.mark.contract("rooms: integrationType is an open set", "behaviour: Unknown body fields are ignored")
def test_what_a_create_takes(maya):
    assert made(maya, integrationType="whatsapp updated")["integrationType"] == "whatsapp updated"
    assert made(maya, integrationType="í" * 50, room="x" * 255, botId="b" * 255)["integrationType"] == "í" * 50
    assert made(maya, room=" as it is ")["room"] == " as it is "
    assert made(maya, botId=None, userId=None, other=[1])["botId"] is None
    answer = maya.post(f"{PATH}/", {"room": "no bot", "integrationType": "website"})
    assert answer.json()["data"]["botId"] is None


@pytest.mark.contract('rooms: 400 | {"status": 400, "error": "Validation Error"}')
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "room"), ({"integrationType": "website"}, "room"), ({"room": "r"}, "integrationType"),
        ({**FULL, "room": " "}, "room"), ({**FULL, "room": None}, "room"), ({**FULL, "room": 7}, "room"),
        ({**FULL, "room": "x" * 256}, "room"), ({**FULL, "integrationType": ""}, "integrationType"),
        ({**FULL, "integrationType": "\t"}, "integrationType"), ({**FULL, "integrationType": ["x"]}, "integrationType"),
        ({**FULL, "integrationType": "x" * 51}, "integrationType"),
        ({**FULL, "integrationType": None}, "integrationType"),
        ({**FULL, "botId": 5}, "botId"), ({**FULL, "botId": ""}, "botId"), ({**FULL, "botId": "x" * 256}, "botId"),
        ({**FULL, "userId": 5}, "userId"), ({**FULL, "userId": ""}, "userId"), ({**FULL, "userId": "x" * 65}, "userId"),
        ("[]", "body"), ("{", "body"),
    ],
)  # fmt: skip
def test_a_bad_body_creates_nothing(maya, body, field):
    before = everything()
    answer = maya.post(PATH, body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["status", "error", "errors"]
    assert (answer.json()["status"], answer.json()["error"]) == (400, "Validation Error")
    assert field in answer.json()["errors"]
    assert everything() == before


@pytest.mark.contract(
    "rooms: Staff may name any user of their own client", "rooms: An unknown or foreign userId on create",
    "rooms: id is the conversation's uuid", "rooms: 403 | {\"status\": 403",
)  # fmt: skip
def test_whose_it_may_be(acme, rival, maya, desk, by_cookie):
    user, other, foreign = acme.users[0].user, acme.users[1].user, rival.users[0].user
    own_id(user, "aidj983j93jd0ojdnvjk8")
    own_id(foreign, "f-1")
    assert made(maya, userId="aidj983j93jd0ojdnvjk8")["userId"] == "aidj983j93jd0ojdnvjk8"
    assert made(maya, userId=str(user.uuid).upper())["userId"] == "aidj983j93jd0ojdnvjk8"
    assert made(desk, userId="aidj983j93jd0ojdnvjk8")["userId"] == "aidj983j93jd0ojdnvjk8"
    assert made(desk, userId=str(other.uuid))["userId"] == str(other.uuid)
    assert Conversation.objects.filter(owner=user, participants__user=user).count() == 3
    assert made(desk)["userId"] == str(acme.staff.user.uuid)
    assert Conversation.objects.latest("id").participants.get().role == "participant"

    before = everything()
    nobody = str(uuid.uuid4())
    refused = [(maya, [str(other.uuid), "f-1", nobody]), (desk, [str(foreign.uuid), "f-1", nobody, "no such id"])]
    for caller, names in refused:
        for name in names:
            answer = caller.post(PATH, {**FULL, "userId": name})
            assert (answer.status_code, answer.json()) == (403, FORBIDDEN), name
    assert everything() == before


@pytest.mark.contract("rooms: id is the conversation's uuid")
def test_anothers_uuid_as_an_own_id_takes_nothing_over(acme, maya, omar, desk, by_cookie):
    """As it may stand in an older database; now nobody is given one."""
    first, second = acme.users[0].user, acme.users[1].user
    own_id(first, str(second.uuid))
    theirs = made(omar, userId=str(second.uuid))["id"]
    for caller in (desk, by_cookie(superuser())):
        for name in (str(second.uuid), str(second.uuid).upper()):
            assert made(caller, userId=name)
    assert set(Conversation.objects.values_list("owner", flat=True)) == {second.pk}
    assert made(maya, userId=str(first.uuid))["userId"] == str(second.uuid)
    assert len(listed(desk, f"&userId={second.uuid}")) == 5
    assert theirs in listed(desk, f"&userId={second.uuid}")
    before = everything()
    answer = maya.post(PATH, {**FULL, "userId": str(second.uuid)})
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert everything() == before


def test_an_own_id_may_have_the_form_of_a_uuid(acme, maya, desk):
    own = str(uuid.uuid4())
    own_id(acme.users[0].user, own)
    for caller in (maya, desk):
        assert made(caller, userId=own)["userId"] == own


def test_a_superuser_names_the_owner(acme, rival, by_cookie):
    root = by_cookie(superuser())
    before = everything()
    assert root.post(PATH, FULL).json() == FORBIDDEN
    assert everything() == before
    assert made(root, userId=str(rival.users[0].user.uuid))
    assert Conversation.objects.get().client == rival.client
    own_id(acme.users[0].user, "u-1")
    assert made(root, userId="u-1")
    own_id(rival.users[0].user, "u-1")
    assert root.post(PATH, {**FULL, "userId": "u-1"}).json() == FORBIDDEN


@pytest.mark.contract("rooms: GET /api/conversation/{id}", "rooms: The documentation writes the item path")
def test_read_one(maya):
    data = made(maya)
    for path in (data["id"], data["id"].upper(), f"conversation:{data['id']}", f"conversation%3A{data['id']}"):
        for slash in ("", "/"):
            answer = maya.get(f"{PATH}/{path}{slash}")
            assert (answer.status_code, answer.json()) == (200, {"status": 200, "data": data})
    assert list(answer.json()["data"]) == KEYS


@pytest.mark.contract(
    "rooms: PATCH /api/conversation/{id}", "rooms: The documentation writes the item path",
    "rooms: room and botId are the conversation's own",
)  # fmt: skip
def test_change(maya, clock):
    data = made(maya)
    clock.shift(timedelta(minutes=1))
    for path, change in [
        (data["id"], {"room": "client3-123 + client4-123 updated"}),
        (f"conversation:{data['id']}", {"integrationType": "whatsapp updated", "botId": "bot-123 updated"}),
        (f"{data['id']}/", {"room": "x" * 255, "integrationType": "i", "botId": "b", "userId": "ignored"}),
    ]:
        answer = maya.patch(f"{PATH}/{path}", change)
        change.pop("userId", None)
        data |= {**change, "updatedAt": "2027-03-01T12:01:00Z"}
        message = "Conversation updated successufully!!"
        assert (answer.status_code, answer.json()) == (200, {"status": 200, "message": message, "data": data})
    assert list(answer.json()) == ["status", "message", "data"]
    row = Conversation.objects.get()
    assert (row.title, row.room, row.channel, row.bot_id) == (FULL["room"], "x" * 255, "i", "b")
    told = [changes for kind, changes in events_of(row.pk) if kind == "conversation.updated"]
    assert told[:2] == [
        {"room": [FULL["room"], "client3-123 + client4-123 updated"]},
        {"channel": ["whatsapp", "whatsapp updated"], "bot_id": ["bot-123", "bot-123 updated"]},
    ]


@pytest.mark.contract("rooms: PATCH {} changes nothing", "rooms: botId: null clears it")
def test_changes_of_nothing_and_to_null(maya, clock):
    data = made(maya)
    clock.shift(60)
    before = everything()
    for body in ({}, {"unknown": 1}, FULL, None):
        answer = maya.patch(f"{PATH}/{data['id']}", body)
        assert (answer.status_code, answer.json()["data"]) == (200, data)
    assert everything() == before
    assert maya.patch(f"{PATH}/{data['id']}", {"botId": None}).json()["data"]["botId"] is None
    assert Conversation.objects.get().bot_id is None


@pytest.mark.contract('rooms: 400 | {"status": 400, "error": "Validation Error"}', "behaviour: Unknown body fields")
@pytest.mark.parametrize(
    "change",
    [
        {"room": None}, {"room": ""}, {"room": 5}, {"room": "x" * 256}, {"integrationType": None},
        {"integrationType": "  "}, {"integrationType": "x" * 51}, {"botId": 5}, {"botId": ""}, {"botId": "x" * 256},
    ],
)  # fmt: skip
def test_a_bad_change_changes_nothing(maya, change):
    data = made(maya)
    before = everything()
    answer = maya.patch(f"{PATH}/{data['id']}", {"room": "new", **change})
    assert (answer.status_code, answer.json()["error"]) == (400, "Validation Error")
    assert list(answer.json()["errors"]) == list(change)
    assert everything() == before


@pytest.mark.contract("rooms: DELETE /api/conversation/{id}", "rooms: A DELETE has no body")
def test_delete(maya, client):
    first, second, third = made(maya), made(maya), made(maya)
    for path in (first["id"], f"conversation:{second['id']}/"):
        answer = maya.delete(f"{PATH}/{path}")
        assert (answer.status_code, answer.json()) == (
            200, {"status": 200, "message": "Conversation deleted Successfuly"},
        )  # fmt: skip
    assert listed(maya) == [third["id"]]
    row = Conversation.objects.get(uuid=first["id"])
    assert row.deleted_at is not None
    assert events_of(row.pk)[-1][0] == "conversation.deleted"
    headers = {**maya.headers, "Content-Type": "text/plain"}
    assert client.delete(f"{PATH}/{third['id']}", headers=headers).status_code == 200


@pytest.mark.contract(
    "rooms: 400 | {\"status\": 400, \"error\": \"ConversationId is Invalid\"}",
    "rooms: 400 | {\"status\": 4010", "README: Unknown, foreign and deleted ids", "README: An id of the wrong shape",
    "README: Documented strings are part of the contract",
)  # fmt: skip
def test_unknown_foreign_and_deleted_ids(acme, rival, maya, omar, by_cookie):
    foreign = made(by_cookie(rival.users[0].user))["id"]
    others, deleted = made(omar)["id"], made(maya)["id"]
    maya.delete(f"{PATH}/{deleted}")
    number = Conversation.objects.get(uuid=others).pk
    before = everything()
    ids = [
        str(uuid.uuid4()), foreign, others, deleted, str(number), "x", "conversation:", "conversation:x", "0" * 36,
        f"conversation:conversation:{others}", "conversation:id", f"{{{others}}}", others.replace("-", ""), "%00",
        "%ff", "a" * 3000, "00000000-0000-0000-0000-000000000000",
    ]  # fmt: skip
    for identifier in ids:
        for answer in (maya.get(f"{PATH}/{identifier}"), maya.patch(f"{PATH}/{identifier}", {"room": "mine"})):
            assert (answer.status_code, answer.json()) == (400, UNKNOWN), identifier
        answer = maya.delete(f"{PATH}/{identifier}")
        assert (answer.status_code, answer.json()) == (400, UNKNOWN_TO_DELETE), identifier
    assert everything() == before


@pytest.mark.contract("rooms: GET /api/conversation?page=", "rooms: pageSize echoes limit", "rooms: Newest first")
def test_a_page(maya):
    rows = [made(maya, room=f"room {n}") for n in range(5)]
    answer = maya.get(f"{PATH}?page=2&limit=2&userId=&botId=")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": 200, "data": [rows[2], rows[1]],
        "pagination": {"page": 2, "pageSize": 2, "totalPages": 3, "totalItems": 5},
    }  # fmt: skip
    assert list(answer.json()) == ["status", "data", "pagination"]
    assert list(answer.json()["pagination"]) == ["page", "pageSize", "totalPages", "totalItems"]
    assert maya.get(f"{PATH}/?page=1&limit=101").json()["pagination"] == {
        "page": 1, "pageSize": 100, "totalPages": 1, "totalItems": 5,
    }  # fmt: skip
    assert maya.get(f"{PATH}?page=1&limit={'9' * 18}").json()["pagination"]["pageSize"] == 100


@pytest.mark.contract("rooms: Newest first")
def test_newest_first_whatever_happens_to_the_older(acme, api, maya, desk):
    first, second = made(maya, room="first"), made(maya, room="second")
    say(api(acme.users[0].user), Conversation.objects.get(uuid=first["id"]).pk, "Hello?")
    maya.patch(f"{PATH}/{first['id']}", {"room": "changed"})
    for caller in (maya, desk):
        assert listed(caller) == [second["id"], first["id"]]
        assert listed(caller, f"&userId={first['userId']}") == [second["id"], first["id"]]


@pytest.mark.contract(
    "rooms: A page past the end", "README: An offset or page past the end", "README: limit, page, offset: whole",
)  # fmt: skip
@pytest.mark.parametrize("page", ["2", "1000", "9" * 18])
def test_a_page_past_the_end(maya, page):
    made(maya)
    answer = maya.get(f"{PATH}?page={page}&limit=100")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": 200, "data": [],
         "pagination": {"page": int(page), "pageSize": 100, "totalPages": 1, "totalItems": 1}},
    )  # fmt: skip


@pytest.mark.contract(
    "rooms: 400 | {\"status\": 400, \"error\": \"Validation Error\"}", "README: limit, page, offset: whole",
    "behaviour: An empty optional query parameter",
)  # fmt: skip
@pytest.mark.parametrize("query", ["", "?page=1", "?limit=1", "?page=&limit=1", "?page=1&limit=", "?page=0&limit=1",
    "?page=1&limit=0", "?page=-1&limit=1", "?page=1&limit=-1", "?page=x&limit=1", "?page=1.5&limit=1",
    "?page=1&limit=1e2", "?page=%EF%BC%91&limit=1", f"?page={'1' * 19}&limit=1", "?page=+1&limit=1",
    "?page=1&limit=1&userId=" + "x" * 65, "?page=1&limit=1&botId=" + "x" * 256, "?page=1&limit=1&botId=%00",
])  # fmt: skip
def test_a_bad_query(maya, query):
    answer = maya.get(f"{PATH}{query}")
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (400, 400, "Validation Error")
    assert answer.json()["errors"]


def test_an_empty_list_has_no_pages(maya):
    pagination = maya.get(f"{PATH}?page=1&limit=10").json()["pagination"]
    assert pagination == {"page": 1, "pageSize": 10, "totalPages": 0, "totalItems": 0}


@pytest.mark.contract("behaviour: Totals (total, totalItems")
def test_totals_are_capped(maya, monkeypatch):
    monkeypatch.setattr("chatplatform.dialects.counting.CAP", 3)
    for _ in range(3):
        made(maya)
    exact = {"page": 1, "pageSize": 2, "totalPages": 2, "totalItems": 3}
    capped = {**exact, "total_is_capped": True}
    for query, expected in (("", exact), ("&botId=bot-123", exact)):
        assert maya.get(f"{PATH}?page=1&limit=2{query}").json()["pagination"] == expected
    made(maya)
    for query in ("", "&botId=bot-123"):
        assert maya.get(f"{PATH}?page=1&limit=2{query}").json()["pagination"] == capped
        assert len(maya.get(f"{PATH}?page=2&limit=2{query}").json()["data"]) == 2


@pytest.mark.contract("rooms: userId and botId filter within that")
def test_filters(acme, rival, maya, omar, desk, by_cookie):
    own_id(acme.users[0].user, "m-1")
    mine, bot = made(maya)["id"], made(maya, botId="bot-9")["id"]
    others = made(omar, botId="bot-9")["id"]
    foreign = made(by_cookie(rival.users[0].user), botId="bot-9")
    assert listed(maya, "&botId=bot-9") == [bot]
    assert listed(maya, "&botId=bot-123&userId=m-1") == [mine]
    assert listed(maya, f"&userId={acme.users[1].user.uuid}") == []
    assert listed(desk, "&botId=bot-9") == [others, bot]
    for name in ("m-1", str(acme.users[0].user.uuid), str(acme.users[0].user.uuid).upper()):
        assert listed(desk, f"&userId={name}") == [bot, mine]
    assert listed(desk, "&userId=m-1&botId=bot-9") == [bot]
    for query in (f"&userId={foreign['userId']}", "&userId=nobody", "&botId=nothing", f"&userId={uuid.uuid4()}"):
        for caller in (maya, desk):
            assert listed(caller, query) == []


@pytest.mark.contract("rooms: userId and botId filter within that")
def test_another_persons_that_one_takes_part_in(acme, maya, omar):
    number = Conversation.objects.get(uuid=made(omar)["id"])
    made(omar)
    take_part(number.pk, acme.users[0].user)
    assert listed(maya, f"&userId={acme.users[1].user.uuid}") == [str(number.uuid)] == listed(maya)


@pytest.mark.contract("rooms: A caller sees the conversations that they own", "behaviour: The owner and staff may")
def test_who_sees_and_changes_what(acme, rival, maya, omar, desk, by_cookie):
    data = made(maya)
    path = f"{PATH}/{data['id']}"
    assert omar.get(path).json() == UNKNOWN
    assert by_cookie(rival.staff.user).get(path).json() == UNKNOWN
    assert listed(by_cookie(rival.staff.user)) == listed(omar) == []
    take_part(Conversation.objects.get().pk, acme.users[1].user)
    assert listed(omar) == [data["id"]]
    assert omar.get(path).json()["data"] == data
    before = everything()
    for answer in (omar.patch(path, {"room": "taken"}), omar.delete(path)):
        assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert everything() == before
    agent = by_cookie(staff(acme))
    for caller in (desk, agent, by_cookie(superuser())):
        assert listed(caller) == [data["id"]]
        assert caller.patch(path, {"room": "by staff"}).status_code == 200
    assert listed(by_cookie(staff(acme, queues=("billing",)))) == []
    assert agent.delete(path).status_code == 200
    assert maya.get(path).json() == UNKNOWN


@pytest.mark.contract("rooms: A conversation made elsewhere shows its title", "README: One store.")
def test_conversations_made_elsewhere(acme, api, maya, desk):
    user = acme.users[0].user
    number = new_conversation(api(user), "Where is my parcel?")
    chat = whatsapp_chat(api)
    row = Conversation.objects.get(pk=number)
    data = maya.get(f"{PATH}/{row.uuid}").json()["data"]
    assert (data["room"], data["integrationType"], data["botId"], data["userId"]) == (
        "Where is my parcel?", "website", None, str(user.uuid),
    )  # fmt: skip
    data = desk.get(f"{PATH}/{chat.uuid}").json()["data"]
    assert (data["room"], data["integrationType"], data["userId"]) == (chat.title, "whatsapp", None)
    Conversation.objects.filter(pk=chat.pk).update(title="")
    assert desk.get(f"{PATH}/{chat.uuid}").json()["data"]["room"] == ""
    assert listed(desk) == [str(chat.uuid), str(row.uuid)]
    maya.patch(f"{PATH}/{row.uuid}", {"room": "A room"})
    row.refresh_from_db()
    assert (row.room, row.title, row.title_folded) == ("A room", "Where is my parcel?", "where is my parcel?")
    desk.patch(f"{PATH}/{chat.uuid}", {"room": "Réclamation"})
    chat.refresh_from_db()
    assert (chat.title, chat.title_folded) == ("", "reclamation")


@pytest.mark.contract("mapping: title | name", "mapping: caller's own key", "README: One store.")
def test_made_here_seen_elsewhere(acme, api, maya):
    data = made(maya)
    number = Conversation.objects.get().pk
    details = api(acme.users[0].user).get(f"/chat/conversations/{number}").json()["data"]
    assert (details["title"], details["status"], details["user_id"]) == (FULL["room"], "new", acme.users[0].user.pk)
    say(api(acme.staff.user), number, "Hello!", sender_type="agent")
    assert Conversation.objects.get().status == "active"
    assert api(acme.users[0].user).delete(f"/chat/conversations/{number}").status_code == 200
    assert maya.get(f"{PATH}/{data['id']}").json() == UNKNOWN


@pytest.mark.contract("behaviour: On a closed conversation")
def test_a_closed_conversation(acme, maya, desk):
    data = made(maya)
    change_status(conversation=Conversation.objects.get(), status="closed", by=caller_of(acme.staff.user))
    path = f"{PATH}/{data['id']}"
    before = everything()
    for caller in (maya, desk):
        for change in ({"room": "new"}, {"integrationType": "email"}, {"botId": None}):
            answer = caller.patch(path, change)
            assert (answer.status_code, answer.json()) == (409, {"status": 409, "error": "Conversation is closed"})
    assert maya.patch(path, {}).status_code == 200
    assert everything() == before
    assert (maya.get(path).status_code, maya.delete(path).status_code) == (200, 200)


def test_staff_may_name_a_disabled_user(acme, desk):
    gone = create_user(client=acme.client, name="Gone", email="gone@example.com").user
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert made(desk, userId=str(gone.uuid))["userId"] == str(gone.uuid)
