"""contracts/platform.md: conversations; made, listed, shown, archived, read."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from chatplatform.tests.store import events_of, everything, new_conversation, staff, take_part
from clients import actions
from clients.models import User
from conversations.models import Conversation, Participant

pytestmark = pytest.mark.usefixtures("clock")
URL = "/api/v1/chat/conversations"
AT = "2027-03-01T12:00:00.987654Z"
LATER = "2027-03-01T12:01:00.987654Z"


@pytest.fixture
def other(acme):
    """The user that Mary is."""
    return acme.users[1].user


def make(api, user, **fields):
    answer = api.post(URL, {"participant_uuid": str(user.uuid), **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def listed(api, query=""):
    answer = api.get(f"{URL}{query}")
    assert answer.status_code == 200, answer.content
    return [row["uuid"] for row in answer.json()["data"]]


def person(user, row, **pivot):
    pivot = {
        "conversation_id": row.pk, "user_id": user.pk, "unread_count": 0, "last_read_at": None, "joined_at": AT,
        "created_at": AT, "updated_at": AT, **pivot,
    }  # fmt: skip
    return {"uuid": str(user.uuid), "name": user.name, "email": user.email, "pivot": pivot}


@pytest.mark.contract(
    "platform: 201:",
    "platform: The caller comes first",
    "platform: Both start with unread_count 0",
    "README: rooms likewise; platform: 2025",
    "README: platform.md | platform |",
    "behaviour: workspace, assistant, platform | active",
    "mapping: title | name | — (at creation: the room)",
    "mapping: owner | — | userId (uuid) | the caller",
    "mapping: caller's own key",
)
def test_create(john, acme, other):
    """201 "Conversation created successfully"; keys in the documented order, times in microseconds"""
    user = acme.users[0].user
    answer = john.post(
        URL, {"participant_uuid": str(other.uuid), "taggable_type": "App\\Models\\Order", "taggable_id": 123}
    )
    row = Conversation.objects.get()
    expected = {
        "message": "Conversation created successfully",
        "data": {
            "uuid": str(row.uuid), "taggable_type": "App\\Models\\Order", "taggable_id": 123,
            "last_message_text": None, "last_message_at": None, "is_archived": False, "created_at": AT,
            "updated_at": AT, "participants": [person(user, row), person(other, row)],
        },
    }  # fmt: skip
    assert answer.status_code == 201
    assert json.dumps(answer.json()) == json.dumps(expected)
    assert (row.status, row.channel, row.owner_id, row.client_id) == ("active", "platform", user.pk, acme.client.pk)
    assert (row.title, row.room, row.participant_count) == ("", None, 2)
    assert events_of(row.pk) == [("conversation.created", None)]


@pytest.mark.contract(
    "platform: taggable_type | string | no", "platform: taggable_id | integer | no", "platform: Numeric strings are"
)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (None, None)), ({"taggable_type": "Order"}, ("Order", None)), ({"taggable_id": 7}, (None, 7)),
        ({"taggable_id": "123"}, (None, 123)), ({"taggable_id": "-5"}, (None, -5)), ({"taggable_id": 0}, (None, 0)),
        ({"taggable_id": 2**53 - 1}, (None, 2**53 - 1)), ({"taggable_id": "9007199254740991"}, (None, 2**53 - 1)),
        ({"taggable_type": " App\\Models\\Señal "}, (" App\\Models\\Señal ", None)),
        ({"taggable_type": "x" * 255}, ("x" * 255, None)), ({"taggable_type": None, "taggable_id": None}, (None, None)),
        ({"taggable_type": "", "taggable_id": " "}, (None, None)), ({"title": "x", "is_archived": True}, (None, None)),
    ],
)  # fmt: skip
def test_taggable(john, other, given, expected):
    """kept as it is; each may come without the other; blank is no value; unknown fields are nothing"""
    data = make(john, other, **given)
    assert (data["taggable_type"], data["taggable_id"]) == expected
    assert data["is_archived"] is False
    assert john.get(f"{URL}/{data['uuid']}").json()["data"] == data


REQUIRED = "The participant uuid field is required."
UUID = "The participant uuid field must be a valid UUID."
STRING = "The taggable type field must be a string."
INTEGER = "The taggable id field must be an integer."
LONG = "The taggable type field must not be greater than 255 characters."
SELECTED = "The selected participant uuid is invalid."
GOOD = "01a1fc56-3493-7458-9a71-76e45dec7141"
REFUSED = [
    ({}, {"participant_uuid": REQUIRED}), ({"participant_uuid": None}, {"participant_uuid": REQUIRED}),
    *(({"participant_uuid": blank}, {"participant_uuid": REQUIRED}) for blank in ("", " ")),
    *(({"participant_uuid": bad}, {"participant_uuid": UUID})
      for bad in (5, True, [], {}, [GOOD], "x", GOOD[:-1], f"{GOOD}0", f" {GOOD}", GOOD.replace("-", ""), f"{GOOD}\n")),
    ({"participant_uuid": GOOD}, {"participant_uuid": SELECTED}),
    *(({"participant_uuid": GOOD, "taggable_type": bad}, {"taggable_type": STRING}) for bad in (5, True, [], {})),
    ({"participant_uuid": GOOD, "taggable_type": "x" * 256}, {"taggable_type": LONG}),
    *(({"participant_uuid": GOOD, "taggable_id": bad}, {"taggable_id": INTEGER})
      for bad in (True, 1.5, "x", "1.0", "1e3", "0x1", "+1", "01", "１", "1 2", [], {}, "9" * 16, "9" * 400)),
    ({"taggable_id": "x"}, {"participant_uuid": REQUIRED, "taggable_id": INTEGER}),
    ({"participant_uuid": "x", "taggable_type": 5, "taggable_id": "x"},
     {"participant_uuid": UUID, "taggable_type": STRING, "taggable_id": INTEGER}),
]  # fmt: skip


@pytest.mark.contract(
    'platform: 422 | {"message": "The participant uuid field is required."',
    "platform: Validation wording:",
    "platform: participant_uuid | uuid | yes",
)
@pytest.mark.parametrize(("body", "wrong"), REFUSED, ids=lambda value: json.dumps(value)[:60])
def test_create_refuses(john, body, wrong):
    """422; `message` is the first error, and with more it ends in ` (and N more errors)`"""
    before = everything()
    answer = john.post(URL, body)
    first, *others = wrong.values()
    more = {0: "", 1: " (and 1 more error)", 2: " (and 2 more errors)"}[len(others)]
    expected = {"message": f"{first}{more}", "errors": {name: [message] for name, message in wrong.items()}}
    assert answer.status_code == 422
    assert json.dumps(answer.json()) == json.dumps(expected)
    assert everything() == before


@pytest.mark.contract("platform: Validation wording:", "platform: participant_uuid | uuid | yes")
@pytest.mark.parametrize("who", ["unknown", "foreign", "inactive", "expired", "themselves", "a superuser"])
def test_whom_one_cannot_talk_to(john, acme, rival, other, who, clock):
    """unknown user, user of another client, inactive user, the caller's own uuid: one answer"""
    root = User.objects.create_superuser("root", "root@example.com", "a long password")
    ended = actions.create_user(client=acme.client, name="Gone", email="gone@example.com").user
    User.objects.filter(pk=ended.pk).update(expires_at=ended.date_joined)
    User.objects.filter(pk=other.pk).update(is_active=who != "inactive")
    uuid = {
        "unknown": GOOD, "foreign": rival.users[0].user.uuid, "inactive": other.uuid, "expired": ended.uuid,
        "themselves": acme.users[0].user.uuid, "a superuser": root.uuid,
    }[who]  # fmt: skip
    before = everything()
    answer = john.post(URL, {"participant_uuid": str(uuid)})
    assert (answer.status_code, answer.json()) == (
        422,
        {"message": SELECTED, "errors": {"participant_uuid": [SELECTED]}},
    )
    assert everything() == before


@pytest.mark.contract("platform: participant_uuid | uuid | yes")
def test_any_user_of_the_client_is_good(john, acme, other):
    """a user of the same client: in any spelling of the uuid, and staff too; a pair may talk twice"""
    first = make(john, other)
    second = john.post(URL, {"participant_uuid": str(other.uuid).upper()}).json()["data"]
    assert first["uuid"] != second["uuid"]
    assert make(john, acme.staff.user)["participants"][1]["name"] == acme.staff.user.name
    assert Conversation.objects.count() == 3


@pytest.mark.contract(
    "platform: GET /api/v1/chat/conversations/{uuid} | one",
    "mapping: participants | — | the owner | users",
    "mapping: conversation's id | id (string)",
    "mapping: counters | —",
)
def test_show(john, mary, acme, other, clock):
    """one: {"data": {…}}, the same for both, but what each has not read"""
    made = make(john, other)
    row = Conversation.objects.get()
    path = f"{URL}/{made['uuid']}"
    assert john.get(path).json() == mary.get(path).json() == {"data": made}
    clock.shift(60)
    john.post(f"{path}/messages", {"text": "Hello Mary"})
    data = mary.get(path).json()["data"]
    assert data == {
        **made, "last_message_text": "Hello Mary", "last_message_at": LATER, "updated_at": LATER,
        "participants": [person(acme.users[0].user, row), person(other, row, unread_count=1)],
    }  # fmt: skip
    assert mary.get(f"{URL}/{made['uuid'].upper()}").json() == {"data": data}


@pytest.mark.contract("platform: PATCH /api/v1/chat/conversations/{uuid}")
def test_archive(john, mary, other, clock):
    """PATCH `{"is_archived": true}` → 200 "Conversation updated successfully"; for both"""
    made = make(john, other)
    path = f"{URL}/{made['uuid']}"
    clock.shift(60)
    answer = mary.patch(path, {"is_archived": True, "taggable_id": 9, "uuid": "x"})
    expected = {**made, "is_archived": True, "updated_at": LATER}
    assert answer.status_code == 200
    assert json.dumps(answer.json()) == json.dumps({"message": "Conversation updated successfully", "data": expected})
    assert john.get(path).json()["data"] == expected
    told = [("conversation.updated", {"is_archived": [False, True]})]
    assert events_of(Conversation.objects.get().pk)[1:] == told
    clock.shift(60)
    assert john.patch(path, {"is_archived": True}).json()["data"] == expected  # it was: nothing is told
    assert events_of(Conversation.objects.get().pk)[1:] == told
    assert john.patch(path, {"is_archived": False}).json()["data"]["is_archived"] is False


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "The is archived field is required."), (None, "The is archived field is required."),
        ({"is_archived": None}, "The is archived field is required."),
        ({"is_archived": ""}, "The is archived field is required."),
        *(({"is_archived": bad}, "The is archived field must be true or false.") for bad in (1, 0, "true", [], {})),
    ],
)  # fmt: skip
def test_archive_refuses(john, other, body, message):
    path = f"{URL}/{make(john, other)['uuid']}"
    before = everything()
    answer = john.patch(path, body)
    assert (answer.status_code, answer.json()) == (422, {"message": message, "errors": {"is_archived": [message]}})
    assert everything() == before


@pytest.mark.contract("platform: POST /api/v1/chat/conversations/{uuid}/read")
def test_read(john, mary, acme, other, clock):
    """the caller's `unread_count` becomes 0, `last_read_at` now; the other's stays"""
    made = make(john, other)
    row = Conversation.objects.get()
    path = f"{URL}/{made['uuid']}"
    for api in (john, john, mary):
        api.post(f"{path}/messages", {"text": "Hello"})
    clock.shift(60)
    answer = mary.post(f"{path}/read")
    assert answer.status_code == 200
    assert json.dumps(answer.json()) == json.dumps(
        {"message": "Conversation marked as read", "data": {"unread_count": 0, "last_read_at": LATER}}
    )
    people = john.get(path).json()["data"]["participants"]
    assert people == [
        person(acme.users[0].user, row, unread_count=1),
        person(other, row, last_read_at=LATER, updated_at=LATER),
    ]
    clock.shift(60)
    again = mary.post(f"{path}/read", {})
    assert again.json()["data"] == {"unread_count": 0, "last_read_at": "2027-03-01T12:02:00.987654Z"}
    assert [kind for kind, _ in events_of(row.pk)].count("conversation.read") == 1
    john.post(f"{path}/messages", {"text": "One more"})
    assert mary.get(path).json()["data"]["participants"][1]["pivot"]["unread_count"] == 1


# --- the list ---

HOST = "http://testserver"


@pytest.mark.contract("platform: GET /api/v1/chat/conversations?page")
def test_list_shape(john, mary, other):
    made = make(john, other)
    path = f"{HOST}{URL}"
    links = {"first": f"{path}?page=1", "last": f"{path}?page=1", "prev": None, "next": None}
    meta = {
        "current_page": 1, "from": 1, "last_page": 1, "path": path, "per_page": 15, "to": 1, "total": 1,
    }  # fmt: skip
    expected = json.dumps({"data": [made], "links": links, "meta": meta})
    assert json.dumps(john.get(URL).json()) == json.dumps(mary.get(f"{URL}/").json()) == expected


@pytest.mark.contract("platform: GET /api/v1/chat/conversations?page")
def test_no_conversations(john):
    path = f"{HOST}{URL}"
    assert john.get(URL).json() == {
        "data": [],
        "links": {"first": f"{path}?page=1", "last": f"{path}?page=1", "prev": None, "next": None},
        "meta": {
            "current_page": 1, "from": None, "last_page": 1, "path": path, "per_page": 15, "to": None, "total": 0,
        },
    }  # fmt: skip


@pytest.mark.contract("platform: GET /api/v1/chat/conversations?page")
def test_latest_activity_first(john, mary, other, clock):
    made = []
    for _ in range(3):
        clock.shift(1)
        made.append(make(john, other)["uuid"])
    assert listed(mary) == made[::-1]
    clock.shift(1)
    mary.post(f"{URL}/{made[0]}/messages", {"text": "Hello"})
    assert listed(john) == listed(mary) == [made[0], made[2], made[1]]
    assert listed(john, "?archived=all&taggable_type=") == [made[0], made[2], made[1]]


@pytest.mark.contract("platform: GET /api/v1/chat/conversations?page", "README: limit, page, offset: whole")
def test_pages(john, other, clock):
    """15 a page, at most 100; links are absolute and keep what was asked for"""
    made = []
    for number in range(17):
        clock.shift(1)
        made.insert(0, make(john, other, taggable_id=1 if number % 2 else 2)["uuid"])
    first = john.get(URL).json()
    assert [row["uuid"] for row in first["data"]] == made[:15]
    assert first["meta"] | {"path": ""} == {
        "current_page": 1, "from": 1, "last_page": 2, "path": "", "per_page": 15, "to": 15, "total": 17,
    }  # fmt: skip
    assert first["links"] == {
        "first": f"{HOST}{URL}?page=1", "last": f"{HOST}{URL}?page=2", "prev": None, "next": f"{HOST}{URL}?page=2",
    }  # fmt: skip
    second = john.get(first["links"]["next"].removeprefix(HOST)).json()
    assert [row["uuid"] for row in second["data"]] == made[15:]
    assert (second["meta"]["from"], second["meta"]["to"], second["meta"]["current_page"]) == (16, 17, 2)
    assert (second["links"]["prev"], second["links"]["next"]) == (f"{HOST}{URL}?page=1", None)
    beyond = john.get(f"{URL}?page=4").json()
    assert (beyond["data"], beyond["meta"]["from"], beyond["meta"]["to"], beyond["meta"]["total"]) == (
        [],
        None,
        None,
        17,
    )
    assert (beyond["links"]["prev"], beyond["links"]["next"]) == (f"{HOST}{URL}?page=3", None)
    asked = john.get(f"{URL}?taggable_id=1&per_page=3&archived=all&page=2&other=x&taggable_type=").json()
    assert [row["uuid"] for row in asked["data"]] == made[1::2][3:6]
    for name, page in (("first", "1"), ("last", "3"), ("prev", "1"), ("next", "3")):
        parts = urlsplit(asked["links"][name])
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{HOST}{URL}"
        assert dict(parse_qsl(parts.query)) == {"taggable_id": "1", "per_page": "3", "archived": "all", "page": page}
    assert john.get(f"{URL}?per_page=1000").json()["meta"]["per_page"] == 100
    assert john.get(f"{URL}?page=999999999999999999&per_page=100").json()["data"] == []
    assert john.get(f"{URL}?page=&per_page=").json() == first


@pytest.mark.contract("platform: GET /api/v1/chat/conversations?page")
def test_filters(john, other):
    """archived ones only with `archived=1` (`true`), everything with `archived=all`; taggable ones"""
    plain = make(john, other)["uuid"]
    order = make(john, other, taggable_type="App\\Models\\Order", taggable_id=7)["uuid"]
    booking = make(john, other, taggable_type="App\\Models\\Booking", taggable_id=7)["uuid"]
    old = make(john, other, taggable_type="App\\Models\\Order", taggable_id=8)["uuid"]
    john.patch(f"{URL}/{old}", {"is_archived": True})
    for query, expected in [
        ("", {plain, order, booking}), ("?archived=0", {plain, order, booking}),
        ("?archived=false", {plain, order, booking}), ("?archived=", {plain, order, booking}),
        ("?archived=1", {old}), ("?archived=true", {old}), ("?archived=all", {plain, order, booking, old}),
        ("?taggable_id=7", {order, booking}), ("?taggable_type=App%5CModels%5COrder", {order}),
        ("?taggable_type=App%5CModels%5COrder&archived=all", {order, old}),
        ("?taggable_type=App%5CModels%5CBooking&taggable_id=8&archived=all", set()), ("?taggable_id=-1", set()),
        ("?taggable_type=app%5Cmodels%5Corder", set()), ("?taggable_type=%20", set()),
    ]:  # fmt: skip
        found = listed(john, query)
        assert (set(found), len(found)) == (expected, len(expected)), query
        assert john.get(f"{URL}{query}").json()["meta"]["total"] == len(expected)


@pytest.mark.contract("platform: GET /api/v1/chat/conversations?page", "platform: Validation wording:")
@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("page=0", "page", "The page field must be at least 1."),
        *((f"page={bad}", "page", "The page field must be an integer.") for bad in ("-1", "x", "1.5", "9" * 19)),
        ("per_page=0", "per_page", "The per page field must be at least 1."),
        ("per_page=%31%30x", "per_page", "The per page field must be an integer."),
        ("archived=2", "archived", "The selected archived is invalid."),
        ("archived=ALL", "archived", "The selected archived is invalid."),
        ("archived=%00", "archived", "The selected archived is invalid."),
        ("taggable_id=x", "taggable_id", "The taggable id field must be an integer."),
        ("taggable_id=9007199254740992", "taggable_id", "The taggable id field must be an integer."),
        ("taggable_type=" + "x" * 256, "taggable_type", LONG), ("taggable_type=a%00b", "taggable_type", STRING),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_422(john, query, field, message):
    answer = john.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()) == (422, {"message": message, "errors": {field: [message]}})


def test_a_capped_total(john, other, monkeypatch):
    """behaviour.md, Totals: beyond the cap the total is the cap; whether more follows is always right"""
    monkeypatch.setattr("chatplatform.dialects.counting.CAP", 2)
    for _ in range(4):
        make(john, other)
    first, third, last = (john.get(f"{URL}?per_page=1&page={page}").json() for page in (1, 3, 4))
    assert (first["meta"]["total"], first["meta"]["total_is_capped"], first["meta"]["last_page"]) == (2, True, 2)
    assert (len(third["data"]), third["links"]["next"]) == (1, f"{HOST}{URL}?per_page=1&page=4")
    assert (len(last["data"]), last["links"]["next"]) == (1, None)


@pytest.mark.contract("mapping: participants | — | the owner | users")
def test_conversations_of_other_dialects(maya, john, mary, acme, other):
    """Of agents and contacts who take part there is no row here: `participants` are users."""
    number = new_conversation(maya, agent_id=acme.agents[1].pk)
    row = Conversation.objects.get(pk=number)
    assert listed(john) == [str(row.uuid)]
    assert listed(mary) == []
    take_part(number, other)
    data = mary.get(f"{URL}/{row.uuid}").json()["data"]
    assert [person["uuid"] for person in data["participants"]] == [str(acme.users[0].user.uuid), str(other.uuid)]
    assert (data["taggable_type"], data["taggable_id"]) == (None, None)
    assert Participant.objects.filter(conversation=row).count() == 3


def test_the_owner_comes_first(maya, mary, acme, other):
    """Also where they came later than another: the conversation is theirs"""
    number = new_conversation(maya)
    owner = acme.users[0].user
    take_part(number, other)
    Participant.objects.filter(user=owner).delete()
    take_part(number, owner)
    [data] = mary.get(URL).json()["data"]
    assert [person["uuid"] for person in data["participants"]] == [str(owner.uuid), str(other.uuid)]


@pytest.mark.contract("behaviour: In platform a caller sees only pairs")
def test_staff_see_only_what_they_take_part_in(john, platform, acme, other):
    """Whatever they see elsewhere"""
    made = make(john, other)["uuid"]
    number = Conversation.objects.get().pk
    for user in (acme.staff.user, staff(acme), staff(acme, "supervisor", queues=("billing",))):
        api = platform(user)
        Conversation.objects.update(queue="billing")
        assert listed(api, "?archived=all") == []
        before = everything()
        for method, suffix, body in (
            ("GET", "", None), ("PATCH", "", {"is_archived": True}), ("GET", "/messages", None),
            ("POST", "/messages", {"text": "x"}), ("POST", "/read", None),
        ):  # fmt: skip
            answer = api(method, f"{URL}/{made}{suffix}", body)
            assert (answer.status_code, answer.json()) == (404, {"message": "Conversation not found."})
        assert everything() == before
        take_part(number, user)
        assert listed(api) == [made]
        assert api.patch(f"{URL}/{made}", {"is_archived": False}).status_code == 200
        assert api.post(f"{URL}/{made}/messages", {"text": "x"}).status_code == 201
