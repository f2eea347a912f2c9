"""contracts/whatsapp.md: POST /api/chat/create."""

import json
from uuid import UUID

import pytest

from chatplatform.tests.store import everything, new_conversation, say, whatsapp_chat
from clients.models import Client, Contact
from conversations.models import Conversation, Participant

URL = "/api/chat/create"


@pytest.fixture
def create(api, acme):
    def call(**fields):
        return api().post(URL, {"session_name": "ses_acme", **fields})

    return call


def record(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["record"]


@pytest.mark.contract(
    "whatsapp: POST /api/chat/create.",
    "whatsapp: id, chatId, clientId are strings",
    "whatsapp: session_name | string",
    "whatsapp: use_bot | boolean",
    "whatsapp: name | string | no",
    "whatsapp: number_client | number",
    "whatsapp: category | string",
    "whatsapp: chat_id | string",
    "whatsapp: The channel of what is made here",
)
def test_the_documented_example(create, acme):
    """200 {"success": true, "record": {…}}: these keys, in this order, of these types"""
    answer = create(
        use_bot=True, name="Chat Name", number_client=1234567890, category="sales", finished_chat=False,
        chat_id="custom_chat_id",
    )  # fmt: skip
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == ["success", "record"]
    assert body["success"] is True
    row = Conversation.objects.get()
    assert json.dumps(body["record"]) == json.dumps(
        {
            "id": str(row.uuid), "chatId": "custom_chat_id", "useBot": True, "name": "Chat Name",
            "numberClient": 1234567890, "category": "sales", "finishedChat": False, "clientId": str(acme.client.uuid),
        }
    )  # fmt: skip
    assert (row.channel, row.status, row.client_id) == ("whatsapp", "new", acme.client.pk)


@pytest.mark.contract(
    "whatsapp: use_bot | boolean",
    "whatsapp: name | string | no",
    "whatsapp: category | string",
    "whatsapp: finished_chat | boolean",
    "whatsapp: chat_id | string",
)
def test_defaults(create, acme):
    """use_bot true, name "", number_client null, category "general", finished_chat false, chat_id generated"""
    made = record(create())
    assert made == {
        "id": made["id"], "chatId": made["id"], "useBot": True, "name": "", "numberClient": None,
        "category": "general", "finishedChat": False, "clientId": str(acme.client.uuid),
    }  # fmt: skip
    assert str(UUID(made["id"])) == made["id"]
    assert Conversation.objects.get().participant_count == 0
    assert record(create())["id"] != made["id"]


@pytest.mark.contract("whatsapp: null for an optional field means", "behaviour: In a create, null for")
@pytest.mark.parametrize("field", ["use_bot", "name", "number_client", "category", "finished_chat", "chat_id"])
def test_null_means_the_default(create, field):
    """`null` for an optional field means its default"""
    made, default = record(create(**{field: None})), record(create())
    assert {**made, "id": 0, "chatId": 0} == {**default, "id": 0, "chatId": 0}


@pytest.mark.contract("behaviour: Unknown body fields are ignored")
def test_unknown_fields_are_ignored(create):
    """behaviour.md, Input: unknown body fields are ignored"""
    assert record(create(nickname="x", id="7", client_id=1))["name"] == ""


@pytest.mark.contract(
    "whatsapp: The answer is a number",
    "whatsapp: number_client | number | no",
    "behaviour: A phone number is what whatsapp.md says",
)
@pytest.mark.parametrize(
    ("given", "answered"),
    [
        (1, 1), (6281234567890, 6281234567890), (123456789012345, 123456789012345), ("6281234567890", 6281234567890),
        ("+34600123456", 34600123456),
    ],
)  # fmt: skip
def test_numbers(create, given, answered):
    """1 to 15 digits, not beginning with 0 (a string of them, also with a leading `+`); the answer is a number"""
    assert record(create(number_client=given))["numberClient"] == answered
    assert Contact.objects.filter(phone=str(answered)).exists()


INVALID = [
    ("use_bot", "yes"), ("use_bot", 1), ("use_bot", "true"), ("use_bot", []),
    ("name", 5), ("name", "x" * 256), ("name", {"a": 1}),
    ("number_client", 0), ("number_client", -5), ("number_client", 1234567890123456), ("number_client", 1.5),
    ("number_client", True), ("number_client", "0123"), ("number_client", "++34"), ("number_client", "34 600"),
    ("number_client", ""), ("number_client", "３４"), ("number_client", "34\n"), ("number_client", [34]),
    ("category", 5), ("category", "x" * 51), ("category", ["sales"]),
    ("finished_chat", 0), ("finished_chat", "false"),
    ("chat_id", 5), ("chat_id", "x" * 256), ("chat_id", False),
]  # fmt: skip


@pytest.mark.contract("whatsapp: Validation error")
@pytest.mark.parametrize(("field", "value"), INVALID)
def test_a_bad_field_is_named(create, field, value):
    """400 {"error": "Validation error", "details": "<field>: <what is wrong>"}; nothing is written"""
    before = everything()
    answer = create(**{field: value})
    assert answer.status_code == 400
    body = answer.json()
    assert list(body) == ["error", "details"]
    assert body["error"] == "Validation error"
    name, _, what = body["details"].partition(": ")
    assert name == field
    assert what
    assert everything() == before


@pytest.mark.contract("behaviour: Longest values in characters")
@pytest.mark.parametrize(("field", "length"), [("name", 255), ("category", 50), ("chat_id", 255)])
def test_longest_values(create, field, length):
    """behaviour.md: name, chat id 255 characters; category 50 (characters, not bytes)"""
    assert create(**{field: "é" * length}).status_code == 200


@pytest.mark.contract("whatsapp: Session name is required", "whatsapp: session_name | string")
@pytest.mark.parametrize("body", [{}, {"session_name": None}, {"session_name": ""}, {"session_name": " \t"},
                                  {"session_name": 5}, {"session_name": ["ses_acme"]}, {"session_name": True},
                                  {"session_name": "", "use_bot": "yes"}])  # fmt: skip
def test_the_session_name_is_required(api, acme, body):
    """missing, null, empty, blank or not a string"""
    answer = api().post(URL, body)
    assert (answer.status_code, answer.json()) == (400, {"error": "Session name is required"})
    assert api().post(URL).json() == {"error": "Session name is required"}


@pytest.mark.contract("whatsapp: Client not found")
def test_no_active_client_has_this_session(api, acme, create):
    """404 {"error": "Client not found"}"""
    before = everything()
    for session in ("ses_unknown", "SES_ACME", " ses_acme", "x" * 5000):
        answer = api().post(URL, {"session_name": session, "chat_id": "c1"})
        assert (answer.status_code, answer.json()) == (404, {"error": "Client not found"})
    Client.objects.filter(pk=acme.client.pk).update(is_active=False)
    answer = create()
    assert (answer.status_code, answer.json()) == (404, {"error": "Client not found"})
    Client.objects.filter(pk=acme.client.pk).update(is_active=True)
    assert everything() == before


@pytest.mark.contract("whatsapp: A 408 says")
def test_a_retry_is_the_same_record(create, api):
    """the same `chat_id` with the same values returns the existing record, 200, and makes nothing new"""
    given = {"chat_id": "wa-1", "name": "Ayu", "number_client": 6281234567890, "category": "sales"}
    first = create(**given)
    before = everything()
    for same in (
        given,
        {**given, "number_client": "+6281234567890"},
        {**given, "use_bot": True, "finished_chat": None},
    ):
        again = create(**same)
        assert (again.status_code, again.content) == (200, first.content)
    assert everything() == before


@pytest.mark.contract("whatsapp: A 408 says")
def test_a_retry_by_the_generated_id(create):
    made = record(create(name="Ayu"))
    assert record(create(name="Ayu", chat_id=made["chatId"])) == made


@pytest.mark.contract("behaviour: the first request, whatever became of the row", "behaviour: On a closed conversation")
def test_a_retry_after_the_row_changed(create, api, acme):
    """behaviour.md: "same values" are those of the first request, whatever became of the row since; a
    `whatsapp` retry still returns its record of a closed conversation"""
    given = {"chat_id": "wa-1", "name": "Ayu", "number_client": 6281234567890}
    made = record(create(**given))
    row = Conversation.objects.get()
    desk = api(acme.staff.user)
    desk.put(f"/chat/conversations/{row.pk}", {"title": "Ayu, parcel 7", "status": "closed"})
    before = everything()
    again = record(create(**given))
    assert again == {**made, "name": "Ayu, parcel 7", "finishedChat": True}
    assert list(again) == list(made)
    taken = create(**{**given, "name": "Ayu, parcel 7"})
    assert (taken.status_code, taken.json()["error"]) == (400, "Chat ID already exists")
    assert everything() == before


@pytest.mark.contract("whatsapp: Chat ID already exists")
@pytest.mark.parametrize(
    "other",
    [{"name": "Budi"}, {"use_bot": False}, {"category": "sales"}, {"finished_chat": True}, {"number_client": 34}],
)
def test_a_chat_id_with_other_values(create, other):
    """400 {"error": "Chat ID already exists", "details": …}; nothing is written"""
    create(chat_id="wa-1")
    before = everything()
    answer = create(chat_id="wa-1", **other)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error", "details"]
    assert answer.json()["error"] == "Chat ID already exists"
    assert next(iter(other)) in answer.json()["details"]
    assert everything() == before


@pytest.mark.contract("whatsapp: chat_id | string")
def test_chat_ids_are_unique_within_the_client(create, api, rival):
    """unique within the client"""
    made = record(create(chat_id="wa-1", name="Ayu"))
    other = record(api().post(URL, {"session_name": "ses_rival", "chat_id": "wa-1", "name": "Budi"}))
    assert other["clientId"] == str(rival.client.uuid)
    assert other["id"] != made["id"]


@pytest.mark.contract("behaviour: the first request, whatever became of the row")
def test_a_deleted_conversation_frees_its_chat_id(create, api, acme):
    """behaviour.md: a deleted conversation frees its `chat_id`"""
    made = record(create(chat_id="wa-1", name="Ayu"))
    row = Conversation.objects.get()
    assert api(acme.staff.user).delete(f"/chat/conversations/{row.pk}").status_code == 200
    assert record(create(chat_id="wa-1", name="Budi"))["id"] != made["id"]
    assert Conversation.objects.alive().count() == 1


@pytest.mark.contract("whatsapp: number_client also attaches")
def test_the_customer_takes_part_and_is_made_once(create, acme, rival, api):
    """attaches (creating it once) the client's contact with that phone as a participant with role `customer`"""
    create(number_client=34600123456, chat_id="a")
    create(number_client="+34600123456", chat_id="b")
    contact = Contact.objects.get(client=acme.client, phone="34600123456")
    people = Participant.objects.all()
    assert [(person.contact_id, person.role, person.conversation.client_id) for person in people] == [
        (contact.pk, "customer", acme.client.pk)
    ] * 2
    assert set(Conversation.objects.values_list("participant_count", flat=True)) == {1}
    api().post(URL, {"session_name": "ses_rival", "number_client": 34600123456})
    assert Contact.objects.filter(phone="34600123456").count() == 2


@pytest.mark.contract("whatsapp: number_client also attaches")
def test_a_contact_that_is_there_already_is_the_customer(create, acme):
    create(number_client=12025550123)  # create_client's own first contact
    assert Participant.objects.get().contact_id == acme.contacts[0].pk
    assert Contact.objects.filter(client=acme.client).count() == 1


@pytest.mark.contract("whatsapp: finished_chat: true creates", "whatsapp: finished_chat | boolean")
def test_a_finished_chat(create, api, acme):
    """`finished_chat: true` creates the conversation in status `resolved`"""
    made = record(create(finished_chat=True))
    assert made["finishedChat"] is True
    row = Conversation.objects.get()
    assert row.status == "resolved"
    assert api(acme.staff.user).get(f"/chat/conversations/{row.pk}").json()["data"]["status"] == "resolved"


@pytest.mark.contract("behaviour: whatsapp, rooms | new")
def test_the_first_answer_makes_it_active(api, acme, create):
    """behaviour.md, States: `whatsapp` → `new`; the first message of an agent or bot makes it `active`"""
    row = whatsapp_chat(api, name="Ayu")
    desk = api(acme.staff.user)
    say(desk, row.pk, "Halo Ayu, ada yang bisa dibantu?", sender_type="agent")
    row.refresh_from_db()
    assert row.status == "active"
    assert row.metadata["previous_state"] == "new"
    assert record(create())["finishedChat"] is False


@pytest.mark.contract("README: One store. A conversation made")
def test_what_is_made_elsewhere_takes_no_chat_id(create, api, acme):
    """one store: what `assistant` made is no obstacle here"""
    new_conversation(api(acme.users[0].user))
    assert create(chat_id="wa-1").status_code == 200


@pytest.mark.contract("README: Paths are documented without a trailing slash")
@pytest.mark.parametrize("path", [URL, f"{URL}/"])
def test_with_and_without_a_slash(api, acme, path):
    assert api().post(path, {"session_name": "ses_acme"}).status_code == 200


@pytest.mark.contract("whatsapp: No credential: the server acts", "README: whatsapp.md | whatsapp")
def test_no_credential_is_looked_at(api, acme):
    """No credential"""
    answer = api().post(URL, {"session_name": "ses_acme"}, Authorization="Bearer nonsense")
    assert answer.status_code == 200
