"""contracts/accounts.md, "From nothing to credentials": `manage.py create_client`."""

import json
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from chatplatform.tests.store import everything
from clients.models import Agent, User


def create(capsys, *arguments):
    call_command("create_client", *arguments)
    return capsys.readouterr().out


@pytest.fixture
def made(db, capsys):
    return json.loads(create(capsys, "Biji & Daun", "--json"))


@pytest.mark.contract("accounts: python manage.py create_client NAME")
def test_it_prints_one_json_object_of_the_documented_shape(made):
    """prints one JSON object: these keys, in this order, of these types"""
    assert list(made) == ["client", "public_key", "api_token", "staff", "users", "agents", "contacts"]
    assert list(made["client"]) == ["id", "name", "session_id"]
    assert made["client"]["name"] == "Biji & Daun"
    assert str(UUID(made["client"]["id"])) == made["client"]["id"]
    assert made["public_key"].startswith("pk_")
    assert isinstance(made["api_token"], str)
    assert len(made["users"]) == 2
    for person in (made["staff"], *made["users"]):
        assert list(person) == ["id", "uuid", "name", "email", "password"]
        assert isinstance(person["id"], int)
        assert all(isinstance(person[key], str) and person[key] for key in ("uuid", "name", "email", "password"))
    assert [list(agent) for agent in made["agents"]] == [["id", "agent_id", "name", "kind"]] * 2
    assert [(agent["agent_id"], agent["kind"]) for agent in made["agents"]] == [
        ("agent_1", "human"),
        ("assistant", "ai"),
    ]
    assert [list(contact) for contact in made["contacts"]] == [["contact_id", "name", "phone"]]
    assert made["contacts"][0]["contact_id"] == "contact_1"
    assert made["contacts"][0]["phone"].isdigit()


@pytest.mark.contract("accounts: python manage.py create_client NAME")
def test_what_it_prints_works(made, api):
    """everything a first caller needs"""
    for person in (made["staff"], *made["users"]):
        given = {"email": person["email"], "password": person["password"]}
        access = api().post("/api/auth/token", given).json()["access"]
        me = api().get("/api/auth/me", Authorization=f"Bearer {access}").json()
        assert (me["id"], me["uuid"]) == (person["id"], person["uuid"])
        assert me["client"] == {"id": made["client"]["id"], "name": "Biji & Daun"}
        assert me["is_staff"] is (person is made["staff"])
    chat = api().post("/api/chat/create", {"session_name": made["client"]["session_id"]}).json()
    assert chat["record"]["clientId"] == made["client"]["id"]


@pytest.mark.contract(
    "accounts: staff may enter the admin and sees",
    "accounts: users (default 2) are end users",
    "accounts: The ai agent uses the knowledge",
    "behaviour: create_client's staff user is",
    "README: Auto-replies come from the client's built-in agent",
)
def test_who_they_are(made):
    """staff … is the human agent `agent_1` and a Client admin; the `ai` agent uses the `knowledge` provider"""
    staff = User.objects.get(pk=made["staff"]["id"])
    assert (staff.role, staff.is_staff, staff.is_superuser) == ("client_admin", True, False)
    assert staff.agent.agent_id == "agent_1"
    assert staff.agent.pk == made["agents"][0]["id"]
    bot = Agent.objects.get(pk=made["agents"][1]["id"])
    assert (bot.kind, bot.provider, bot.is_default) == ("ai", "knowledge", True)
    for person in made["users"]:
        user = User.objects.get(pk=person["id"])
        assert (user.role, user.is_staff, user.is_superuser) == ("", False, False)
    # The client's own voice, of the auto-replies (contracts README).
    system = Agent.objects.get(client__name="Biji & Daun", kind="system")
    assert (system.agent_id, system.name) == ("system", "Biji & Daun")


@pytest.mark.contract("whatsapp: The session id is a bearer secret")
def test_secrets_have_enough_randomness(made):
    """generated session ids have at least 128 random bits (contract `whatsapp`)"""
    assert len(made["client"]["session_id"].removeprefix("ses_")) * 6 >= 128
    assert len(made["api_token"].removeprefix("cpt_")) * 6 >= 128
    kept = str(everything())
    assert made["api_token"] not in kept
    assert not any(person["password"] in kept for person in (made["staff"], *made["users"]))


@pytest.mark.contract("accounts: python manage.py create_client NAME", "accounts: users (default 2) are end users")
def test_options(db, capsys):
    """[--users N] [--session-id ID]"""
    made = json.loads(create(capsys, "Kopi Senja", "--users", "0", "--session-id", "wa-kopi-1", "--json"))
    assert made["users"] == []
    assert made["client"]["session_id"] == "wa-kopi-1"
    made = json.loads(create(capsys, "Kopi Pagi", "--users", "3", "--json"))
    assert len({person["email"] for person in made["users"]}) == 3


@pytest.mark.contract("accounts: python manage.py create_client NAME")
def test_for_a_person_the_same_to_read(db, capsys):
    """without `--json`, the same for a person to read"""
    text = create(capsys, "Kopi Senja")
    user = User.objects.get(name="User 1")
    for fact in ("Kopi Senja", user.email, "agent_1", "assistant", "contact_1", "pk_", "cpt_", "ses_", "password"):
        assert fact in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


@pytest.mark.contract("accounts: Calling it again with the same name")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Acme"], "A client named 'Acme' exists already (id {id})"),
        (["  Acme ", "--json", "--users", "5"], "A client named 'Acme' exists already (id {id})"),
        (["Other", "--session-id", "ses_acme"], "This session id belongs to another client"),
        ([" "], "A name has 1 to 255 printable characters."),
        (["x" * 256], "A name has 1 to 255 printable characters."),
        (["Two\nlines"], "A name has 1 to 255 printable characters."),
        (["Other", "--session-id", " "], "A session id has 1 to 255 printable characters."),
        (["Other", "--users", "-1"], "--users takes 0 to 10000."),
    ],
)
def test_a_refusal_changes_nothing(acme, capsys, arguments, said):
    """the same name is an error that names the existing client, and changes nothing"""
    before = everything()
    with pytest.raises(CommandError) as error:
        create(capsys, *arguments)
    assert str(error.value) == said.format(id=acme.client.uuid)
    assert everything() == before
    assert capsys.readouterr().out == ""


def test_two_clients_share_no_credential(acme, rival):
    emails = [new.user.email for tenant in (acme, rival) for new in (tenant.staff, *tenant.users)]
    assert len(set(emails)) == len(emails) == 6
