"""contracts/workspace.md, "Contacts and agents": /v1/contacts, /v1/agents, /v1/users."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from chatplatform.tests.store import everything, statements
from clients import actions, credentials
from clients.models import Agent, Contact, User
from conftest import Api

pytestmark = pytest.mark.usefixtures("clock")
AT = "2027-03-01T12:00:00Z"
PLURALS = ["contacts", "agents", "users"]


def caller(tenant: Any, **token: Any) -> Api:
    secret = actions.create_api_token(client=tenant.client, name="x", **token).secret if token else None
    return Api({"Authorization": f"Bearer {secret or tenant.api_token.secret}"})


@pytest.fixture
def us(acme):
    return caller(acme)


@pytest.fixture
def them(rival):
    return caller(rival)


def made(answer: Any) -> Any:
    assert answer.status_code == 201, answer.content
    return answer.json()


def found(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(answer: Any, code: str, *fields: str) -> None:
    statuses = {"1002": 403, "1003": 422, "1004": 404, "1006": 409}
    assert answer.status_code == statuses[code], answer.content
    error = answer.json()["error"]
    assert error["code"] == code
    assert list(error.get("details", ())) == list(fields)


# --- contacts ---


@pytest.mark.contract(
    "workspace: /v1/contacts: POST", "workspace: Making a webhook, rule, contact or agent answers 201",
    "workspace: Ids are strings with a prefix",
)  # fmt: skip
def test_a_contact(us, acme):
    body = made(us.post("/v1/contacts", {
        "id": "contact_123", "name": "Juan Pérez", "phone": "+5491112345678", "email": "Juan@Example.com",
        "metadata": {"plan": "gold"}, "unknown": 1,
    }))  # fmt: skip
    assert list(body) == ["id", "name", "phone", "email", "metadata", "created_at", "updated_at"]
    assert body == {
        "id": "contact_123", "name": "Juan Pérez", "phone": "5491112345678", "email": "Juan@Example.com",
        "metadata": {"plan": "gold"}, "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    assert Contact.objects.get(contact_id="contact_123").client_id == acme.client.pk
    assert found(us.get("/v1/contacts/contact_123")) == body
    assert found(us.get("/v1/contacts/contact_123/")) == body
    assert found(us.get("/v1/contacts?limit=1"))["contacts"] == [body]
    least = made(us.post("/v1/contacts", {"name": "Ana", "id": None, "phone": None, "email": None, "metadata": None}))
    assert least == {
        "id": least["id"], "name": "Ana", "phone": None, "email": None, "metadata": {}, "created_at": AT,
        "updated_at": AT,
    }  # fmt: skip
    assert least["id"].startswith("contact_")


@pytest.mark.contract("workspace: /v1/contacts: POST", "workspace: Conflict")
def test_an_id_that_is_taken(us, them, rival):
    given = {"id": "contact_123", "name": "Juan"}
    made(us.post("/v1/contacts", given))
    made(them.post("/v1/contacts", given))
    before = everything()
    for body in (given, {**given, "name": "Another"}):
        refused(us.post("/v1/contacts", body), "1006", "id")
    assert everything() == before
    assert us.post("/v1/contacts", given).json() == {
        "error": {"code": "1006", "message": "Conflict", "details": {"id": ["Somebody has this already."]}}
    }


@pytest.mark.contract("workspace: /v1/contacts: POST", "behaviour: Longest values in characters")
@pytest.mark.parametrize(
    ("field", "values"),
    {
        "id": ["", " ", "a/b", ".", "..", "a\tb", "x" * 65, 7, ["a"]],
        "name": [None, "", " \n", 7, "n" * 256],
        "phone": ["", "0123", "++1", "1 2", "1" * 16, 0, -1, 1.5, True, "１２"],
        "email": ["", "nobody", "a@b", 7, "a b@example.com", f"{'a' * 250}@example.com"],
        "metadata": ["x", 7, [], {"a": "x" * 16384}, {"a": [[[[[1]]]]]}],
    }.items(),
)
def test_what_is_no_contact(us, acme, field, values):
    path = f"/v1/contacts/{acme.contacts[0].contact_id}"
    before = everything()
    for value in values:
        refused(us.post("/v1/contacts", {"name": "Juan", field: value}), "1003", field)
        if field != "id":
            refused(us.patch(path, {field: value}), "1003", field)
    refused(us.post("/v1/contacts", {}), "1003", "name")
    assert everything() == before


def test_what_fits_exactly(us):
    given = {"id": "é" * 64, "name": "n" * 255, "phone": 999999999999999, "metadata": {"a": [[[[1]]]]}}
    body = made(us.post("/v1/contacts", given))
    assert body["phone"] == "999999999999999"
    assert found(us.get(f"/v1/contacts/{quote('é' * 64)}")) == body


@pytest.mark.parametrize("own", ["a b", "50%", "?#&=+", "Ünïcode", "a.b..c", "%2F", "x:y;z", "'\"\\"])
def test_any_other_id_works_in_a_path(us, own):
    body = made(us.post("/v1/contacts", {"id": own, "name": "Odd"}))
    assert found(us.get(f"/v1/contacts/{quote(own, safe='')}")) == body
    assert found(us.patch(f"/v1/contacts/{quote(own, safe='')}", {"name": "Even"}))["name"] == "Even"


@pytest.mark.contract(
    "workspace: /v1/contacts: POST", "behaviour: In a create, null for", "behaviour: Unknown body fields are ignored"
)
def test_changes_of_a_contact(us, clock):
    """null clears a field that may be empty and is a validation error for one that may not"""
    path = "/v1/contacts/c1"
    first = made(us.post("/v1/contacts", {
        "id": "c1", "name": "Juan", "phone": 34600, "email": "j@example.com", "metadata": {"a": 1, "b": {"c": 2}},
    }))  # fmt: skip
    clock.shift(60)
    before = everything()
    assert found(us.patch(path, {})) == first
    assert found(us.patch(path, {"name": "Juan", "metadata": {"a": 1}, "unknown": 2, "id": "c2"})) == first
    assert everything() == before
    changed = found(us.patch(path, {"name": "Juan P.", "metadata": {"a": None, "d": [1]}}))
    assert changed == {
        **first, "name": "Juan P.", "metadata": {"b": {"c": 2}, "d": [1]}, "updated_at": "2027-03-01T12:01:00Z",
    }  # fmt: skip
    cleared = found(us.patch(path, {"phone": None, "email": None, "metadata": None}))
    assert (cleared["phone"], cleared["email"], cleared["metadata"]) == (None, None, {})
    refused(us.patch(path, {"name": None}), "1003", "name")
    assert found(us.get(path)) == cleared


@pytest.mark.contract("workspace: /v1/contacts: POST", "behaviour: A phone number is what")
def test_contacts_are_found(us, them, acme):
    for number, (name, phone, email) in enumerate([
        ("María Núñez", "34600111222", "maria@example.com"), ("Mario", "34600111333", None),
        ("Zoe", None, "ZOE@example.com"),
    ]):  # fmt: skip
        made(us.post("/v1/contacts", {"id": f"k{number}", "name": name, "phone": phone, "email": email}))
    made(them.post("/v1/contacts", {"id": "theirs", "name": "María", "phone": 34600111222}))

    def ids(query: str) -> list[str]:
        return [row["id"] for row in found(us.get(f"/v1/contacts?{query}"))["contacts"]]

    assert ids("") == ["k2", "k1", "k0", "contact_1"]
    assert ids("search=MARI") == ["k1", "k0"]
    assert ids("search=nunez") == ids("search=n%C3%BA%C3%B1e") == ["k0"]
    assert ids("search=600111") == ["k1", "k0"]
    assert ids("search=zoe%40") == ["k2"]
    assert ids("search=%25") == ids("search=_ario") == []
    assert ids("phone=34600111222") == ids("phone=%2B34600111222") == ids("phone=+34600111222") == ["k0"]
    assert ids("phone=346001112223") == []
    assert ids("email=zoe@EXAMPLE.com") == ["k2"]
    assert ids("email=zoe") == []
    assert ids("search=mari&phone=34600111333&email=") == ["k1"]
    for query in ("phone=abc", "phone=12x", "search=%00", f"search={'x' * 256}", "limit=0", "offset=-1", "limit=x"):
        answer = us.get(f"/v1/contacts?{query}")
        refused(answer, "1003", query.split("=")[0])


# --- agents ---


@pytest.mark.contract("workspace: /v1/agents: POST", "workspace: Making a webhook, rule, contact or agent answers 201")
def test_an_agent(us, acme):
    body = made(us.post("/v1/agents", {"id": "senior_agent_001", "name": "Ana", "kind": "human", "queue": "billing"}))
    assert list(body) == ["id", "name", "kind", "queue", "queues", "is_active", "created_at"]
    assert body == {
        "id": "senior_agent_001", "name": "Ana", "kind": "human", "queue": "billing", "queues": ["billing"],
        "is_active": True, "created_at": AT,
    }  # fmt: skip
    assert found(us.get("/v1/agents/senior_agent_001")) == body
    bot = made(us.post("/v1/agents", {"name": "Bot", "kind": "ai"}))
    assert (bot["kind"], bot["queue"], bot["queues"], bot["id"][:6]) == ("ai", None, [], "agent_")
    row = Agent.objects.get(agent_id=bot["id"])
    assert (row.client_id, row.provider) == (acme.client.pk, "knowledge")
    least = made(us.post("/v1/agents", {"name": "Zoe", "kind": None, "queue": None, "id": None, "queues": None}))
    assert (least["kind"], least["queues"]) == ("human", [])
    listed = [row["id"] for row in found(us.get("/v1/agents"))["agents"]]
    assert listed == [least["id"], bot["id"], "senior_agent_001", "assistant", "agent_1"]
    assert [row["id"] for row in found(us.get("/v1/agents?kind=ai"))["agents"]] == [bot["id"], "assistant"]
    assert found(us.get("/v1/agents?is_active=false"))["agents"] == []


@pytest.mark.contract("workspace: /v1/agents: POST")
def test_changes_of_an_agent(us):
    path = "/v1/agents/a1"
    first = made(us.post("/v1/agents", {"id": "a1", "name": "Ana", "queues": ["billing", " vip ", "vip"]}))
    assert (first["queue"], first["queues"]) == ("billing", ["billing", "vip"])
    before = everything()
    # Whoever sends back what they were shown loses no other queue.
    assert found(us.patch(path, {"queue": "billing", "name": "Ana"})) == first
    assert everything() == before
    assert found(us.patch(path, {"queue": "sales"}))["queues"] == ["sales"]
    assert found(us.patch(path, {"queue": None}))["queues"] == []
    assert found(us.patch(path, {"queue": None}))["queue"] is None
    assert found(us.patch(path, {"queues": ["b", "a"], "queue": "z"}))["queues"] == ["b", "a"]
    assert found(us.patch(path, {"queues": None}))["queues"] == []
    changed = found(us.patch(path, {"name": "Ana Ruiz", "kind": "ai", "is_active": False}))
    assert changed == {**first, "name": "Ana Ruiz", "kind": "ai", "is_active": False, "queue": None, "queues": []}
    assert found(us.get(path)) == changed
    assert found(us.get("/v1/agents?is_active=false"))["agents"] == [changed]
    assert found(us.patch(path, {"kind": "human"}))["kind"] == "human"


@pytest.mark.contract("workspace: /v1/agents: POST", "behaviour: Longest values in characters")
def test_what_is_no_agent(us, acme):
    before = everything()
    for field, values in {
        "id": ["", "a/b", "x" * 65, 7], "name": [None, "", " ", 7, "n" * 256],
        "kind": ["system", "", "robot", 7, ["ai"]], "queue": ["", " ", 7, "q" * 51, ["a"]],
        "queues": ["a", [""], ["q" * 51], [7], ["a"] * 101, {"a": 1}],
    }.items():  # fmt: skip
        for value in values:
            answer = us.post("/v1/agents", {"name": "Ana", field: value})
            refused(
                answer, "1003", *([next(iter(answer.json()["error"]["details"]))] if field == "queues" else [field])
            )
            if field != "id":
                assert us.patch("/v1/agents/agent_1", {field: value}).status_code == 422, (field, value)
    for taken in ("system", "agent_1"):
        refused(us.post("/v1/agents", {"id": taken, "name": "Me"}), "1006", "id")
    refused(us.patch("/v1/agents/agent_1", {"kind": "ai"}), "1003", "kind")  # a member of staff logs in as it
    refused(us.get("/v1/agents/system"), "1004")
    refused(us.patch("/v1/agents/system", {"name": "Me"}), "1004")
    assert everything() == before


# --- users ---


@pytest.mark.contract("workspace: /v1/users: POST")
def test_a_user(us, acme, api):
    given = {"name": "Zoe Martin", "email": "Zoe@Example.com", "external_id": "crm-7", "password": "a long password"}
    body = made(us.post("/v1/users", given))
    assert list(body) == ["uuid", "id", "external_id", "name", "email", "is_active", "created_at"]
    row = User.objects.get(pk=body["id"])
    assert body == {
        "uuid": str(row.uuid), "id": row.pk, "external_id": "crm-7", "name": "Zoe Martin", "email": "Zoe@Example.com",
        "is_active": True, "created_at": AT,
    }  # fmt: skip
    assert (row.client_id, row.role, row.is_staff) == (acme.client.pk, "", False)
    assert found(us.get(f"/v1/users/{row.uuid}")) == found(us.get(f"/v1/users/{str(row.uuid).upper()}")) == body
    assert found(us.get("/v1/users?limit=1"))["users"] == [body]
    log_in = {"email": "zoe@example.com", "password": "a long password"}
    assert api().post("/api/auth/token", log_in).json()["user"]["uuid"] == body["uuid"]
    silent = made(us.post("/v1/users", {"name": "Ed", "email": "ed@example.com"}))
    assert silent["external_id"] is None
    assert not User.objects.get(pk=silent["id"]).has_usable_password()
    assert [u["id"] for u in found(us.get("/v1/users?external_id=crm-7"))["users"]] == [row.pk]
    assert [u["id"] for u in found(us.get("/v1/users?email=ED@example.com"))["users"]] == [silent["id"]]
    assert found(us.get("/v1/users?email=nobody@example.com"))["pagination"]["total"] == 0


@pytest.mark.contract("workspace: /v1/users: POST", "accounts: E-mail addresses are unique across")
def test_an_address_or_external_id_that_is_taken(us, them, acme, rival):
    made(us.post("/v1/users", {"name": "Zoe", "email": "zoe@example.com", "external_id": "u1"}))
    made(them.post("/v1/users", {"name": "Zed", "email": "zed@example.com", "external_id": "u1"}))
    before = everything()
    for email in ("zoe@example.com", "ZOE@EXAMPLE.COM", rival.users[0].user.email.upper()):
        refused(us.post("/v1/users", {"name": "X", "email": email}), "1006", "email")
        refused(us.patch(f"/v1/users/{acme.users[0].user.uuid}", {"email": email}), "1006", "email")
    refused(us.post("/v1/users", {"name": "X", "email": "x@example.com", "external_id": "u1"}), "1006", "external_id")
    refused(us.patch(f"/v1/users/{acme.users[0].user.uuid}", {"external_id": "u1"}), "1006", "external_id")
    for taken in (str(acme.users[1].user.uuid), acme.users[1].user.uuid.hex.upper(), str(rival.users[0].user.uuid)):
        new = {"name": "X", "email": "x@example.com", "external_id": taken}
        refused(us.post("/v1/users", new), "1006", "external_id")
        refused(us.patch(f"/v1/users/{acme.users[0].user.uuid}", {"external_id": taken}), "1006", "external_id")
    assert everything() == before


def test_an_external_id_may_be_a_uuid_that_is_nobodys_or_ones_own(us, acme):
    user = acme.users[0].user
    for own in (str(uuid.uuid4()), str(user.uuid)):
        assert found(us.patch(f"/v1/users/{user.uuid}", {"external_id": own}))["external_id"] == own


@pytest.mark.contract("workspace: /v1/users: POST")
def test_what_is_no_user(us, acme):
    path = f"/v1/users/{acme.users[0].user.uuid}"
    before = everything()
    for field, values in {
        "name": [None, "", " ", 7, "n" * 256], "email": [None, "", "nobody", 7, f"a@{'x' * 250}.com"],
        "external_id": ["", "a/b", "x" * 65, 7],
        "password": ["", "short", "password123", 7, "zoe@example.com", "738495162035"],
        "is_active": ["yes", 1, None],
    }.items():  # fmt: skip
        for value in values:
            if field != "is_active":
                refused(us.post("/v1/users", {"name": "Zoe", "email": "zoe@example.com", field: value}), "1003", field)
            if value != "zoe@example.com":
                refused(us.patch(path, {field: value}), "1003", field)
    refused(us.post("/v1/users", {}), "1003", "name", "email")
    assert everything() == before


@pytest.mark.contract("workspace: /v1/users: POST")
def test_a_disabled_users_tokens_die(us, acme, api):
    maya = acme.users[0]
    pair = credentials.issue_tokens(maya.user)
    path = f"/v1/users/{maya.user.uuid}"
    assert found(us.patch(path, {"is_active": False}))["is_active"] is False
    credentials.known.clear()
    bearer = {"Authorization": f"Bearer {pair.access}"}
    assert api().get("/api/auth/me", **bearer).status_code == 401
    assert api().post("/api/auth/token", {"email": maya.user.email, "password": maya.password}).status_code == 401
    assert [u["uuid"] for u in found(us.get("/v1/users?is_active=false"))["users"]] == [str(maya.user.uuid)]
    assert found(us.patch(path, {"is_active": True, "external_id": None, "name": "Maya"}))["name"] == "Maya"
    assert api().get("/api/auth/me", **bearer).status_code == 401
    assert api().post("/api/auth/token/refresh", {"refresh": pair.refresh}).status_code == 401
    assert api().post("/api/auth/token", {"email": maya.user.email, "password": maya.password}).status_code == 200


def test_how_staff_log_in_is_not_for_a_token(us, acme):
    path = f"/v1/users/{acme.staff.user.uuid}"
    before = everything()
    for change in ({"email": "thief@example.com"}, {"password": "quite another one"}, {"is_active": False}):
        refused(us.patch(path, change), "1002")
    assert everything() == before
    assert found(us.patch(path, {"name": "The boss", "external_id": "boss"}))["external_id"] == "boss"


# --- all three ---


@pytest.mark.contract("workspace: Forbidden", "behaviour: Token scopes: conversations:read")
@pytest.mark.parametrize("plural", PLURALS)
def test_the_scope(acme, plural):
    others = [scope for scope in actions.create_api_token.__globals__["tokens"].SCOPES if scope != "people"]
    without, alone = caller(acme, scopes=others), caller(acme, scopes=["people"])
    body = {"name": "Zoe", "email": "zoe@example.com"}
    before = everything()
    refused(without.get(f"/v1/{plural}"), "1002")
    refused(without.get(f"/v1/{plural}/agent_1"), "1002")
    refused(without.post(f"/v1/{plural}", body), "1002")
    refused(without.patch(f"/v1/{plural}/agent_1", body), "1002")
    assert everything() == before
    found(alone.get(f"/v1/{plural}"))
    made(alone.post(f"/v1/{plural}", body))


@pytest.mark.contract("workspace: message, participant, file, webhook, rule, path")
@pytest.mark.parametrize("plural", PLURALS)
def test_unknown_foreign_and_misshapen_ids_are_one_answer(us, them, plural):
    theirs = made(them.post(f"/v1/{plural}", {"name": "Zoe", "email": "zoe@example.com"}))
    key = theirs["uuid" if plural == "users" else "id"]
    before = everything()
    odd = ["nobody", "%00", "a%2Fb", "%ff", "x" * 65, "x" * 5000, "1", "-1", "conv_1", str(uuid.uuid4()), "%0A", ".%20"]
    answers = [us(method, f"/v1/{plural}/{name}", body) for name in [key, *odd] for method, body in
               [("GET", None), ("PATCH", {"name": "Mine"})]]  # fmt: skip
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (404, b'{"error":{"code":"1004","message":"Not Found"}}')
    }
    assert everything() == before


@pytest.mark.contract(
    "workspace: Making a webhook, rule, contact or agent answers 201", "README: limit, page, offset: whole numbers"
)
@pytest.mark.parametrize("plural", PLURALS)
def test_pages(us, plural):
    known = found(us.get(f"/v1/{plural}"))["pagination"]["total"]
    for n in range(5):
        made(us.post(f"/v1/{plural}", {"name": f"Person {n}", "email": f"p{n}@example.com"}))
    total = known + 5

    def page(query: str) -> tuple[list[str], Any]:
        body = found(us.get(f"/v1/{plural}?{query}"))
        assert list(body) == [plural, "pagination"]
        return [row["name"] for row in body[plural]], body["pagination"]

    assert page("limit=2") == (["Person 4", "Person 3"], {"limit": 2, "offset": 0, "total": total, "has_more": True})
    names, pagination = page("limit=2&offset=2")
    assert (names, pagination["offset"]) == (["Person 2", "Person 1"], 2)
    assert page(f"limit=5&offset={known}")[1] == {"limit": 5, "offset": known, "total": total, "has_more": False}
    assert page(f"offset={total}") == ([], {"limit": 20, "offset": total, "total": total, "has_more": False})
    assert page(f"offset={10**18 - 1}")[0] == []
    assert page("limit=1000")[1]["limit"] == 100
    assert page("")[1] == {"limit": 20, "offset": 0, "total": total, "has_more": False}


#: Statements of a call, its transaction's own and the token's look-up left out.
COUNTS = {"GET list": 1, "GET one": 1, "POST": 2, "PATCH": 3}


@pytest.mark.parametrize("plural", PLURALS)
@pytest.mark.parametrize("name", COUNTS)
def test_how_many_statements(us, plural, name):
    def create(n: int) -> Any:
        return us.post(f"/v1/{plural}", {"name": f"Person {n}", "email": f"p{n}@example.com"})

    row = made(create(0))
    path = f"/v1/{plural}/{row['uuid' if plural == 'users' else 'id']}"
    calls = {
        "GET list": lambda n: us.get(f"/v1/{plural}"), "GET one": lambda n: us.get(path), "POST": create,
        "PATCH": lambda n: us.patch(path, {"name": f"Other {n}"}),
    }  # fmt: skip

    def count(n: int) -> int:
        ran = statements(lambda: calls[name](n))
        return len([sql for sql in ran if "apitoken" not in sql])

    count(1)
    few = count(2)
    for n in range(10, 16):
        create(n)
    assert (few, count(3)) == (COUNTS[name],) * 2


def plan(rows: Any) -> str:
    return str(rows.explain())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plans depend on figures")
def test_lists_walk_an_index(acme):
    """Neither a sort nor a walk over other clients' rows."""
    client = acme.client.pk
    contacts = Contact.objects.for_client(client).order_by("-id")
    for rows, index in [
        (contacts, "contact_by_client"), (contacts.matching("x"), "contact_by_client"),
        (contacts.with_phone("1").order_by("-id"), "contact_by_phone"),
        (contacts.with_email("a@example.com"), "contact_by_email"),
        (Agent.objects.for_client(client).answering().order_by("-id"), "agent_newest"),
        (User.objects.for_client(client).order_by("-id"), "user_newest"),
        (User.objects.for_client(client).with_email("a@example.com"), "user_email_unique"),
        (User.objects.for_client(client).filter(external_id="x"), "(client_id=? AND external_id=?)"),
    ]:  # fmt: skip
        told = plan(rows)
        assert index in told, told
        assert "TEMP B-TREE" not in told, told
