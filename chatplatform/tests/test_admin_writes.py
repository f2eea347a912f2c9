"""Writes through the admin: they are the actions' writes, within each role's rights."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from clients import actions
from clients.actions import NewTenant
from clients.credentials import issue_tokens
from clients.models import Agent, ApiToken, Client, PlatformKey, RefreshToken, User
from clients.tokens import digest
from conversations.models import Conversation, Event, StateChange, Tag
from messaging.actions import send_message
from messaging.models import Message
from messaging.senders import as_contact

from .admin_world import browser_of, furnish, page, staff_of, superuser

pytestmark = pytest.mark.usefixtures("plain_static_files")


def press(browser: Browser, row: Any, name: str, **data: str) -> Any:
    return browser.post(page(type(row), "button", row.pk, name), data)


def form_of(browser: Browser, row: Any, **changes: Any) -> Any:
    """Sends the row's own form back as a browser would, with these changes."""
    return browser.post(page(type(row), "change", row.pk), {**fields_of(browser, row), **changes})


def fields_of(browser: Browser, row: Any) -> dict[str, Any]:
    form = browser.get(page(type(row), "change", row.pk)).context["adminform"].form
    values: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is not None and value is not False:
            values[bound.html_name] = value  # as the page shows it
    return values


def kinds(row: Conversation) -> list[str]:
    return list(Event.objects.filter(conversation=row).order_by("id").values_list("kind", flat=True))


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_reply_counts_like_the_apis(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    browser = browser_of(staff_of(acme, "agent", "ana"))
    before = kinds(row)

    answer = press(browser, row, "write", text="It left this <i>morning</i>")

    assert answer.status_code == 302
    message = Message.objects.of(row.pk).latest("seq")
    agent = Agent.objects.get(user__name="Ana")
    assert (message.text, message.sender_agent_id, message.is_customer) == (
        "It left this <i>morning</i>",
        agent.pk,
        False,
    )
    after = Conversation.objects.get(pk=row.pk)
    assert (after.message_count, after.last_seq) == (row.message_count + 1, row.last_seq + 1)
    assert (after.owner_unread, after.last_message_text) == (row.owner_unread + 1, "It left this <i>morning</i>")
    assert kinds(row) == [*before, "conversation.message.created"]
    body = browser.get(page(Conversation, "change", row.pk)).content.decode()
    assert "It left this &lt;i&gt;morning&lt;/i&gt;" in body


def test_a_note_moves_no_counter(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    browser = browser_of(staff_of(acme, "agent"))

    press(browser, row, "write", text="Be kind to her", private="1")

    note = Message.objects.of(row.pk).latest("seq")
    assert (note.text, note.visibility) == ("Be kind to her", "private")
    after = Conversation.objects.get(pk=row.pk)
    assert (after.message_count, after.last_seq) == (row.message_count, row.last_seq + 1)
    assert "Be kind to her" in browser.get(page(Conversation, "change", row.pk)).content.decode()


@pytest.mark.parametrize("text", ["", "   ", "a\0b", "x" * 65_537, "é" * 40_000])
def test_a_reply_that_cannot_be_is_told_and_leaves_nothing(acme: NewTenant, text: str) -> None:
    row = furnish(acme).conversation
    browser = browser_of(staff_of(acme, "agent"))
    agents, count = Agent.objects.count(), Message.objects.count()

    answer = browser.post(page(Conversation, "button", row.pk, "write"), {"text": text}, follow=True)

    assert answer.status_code == 200
    assert messages_of(answer)
    assert (Agent.objects.count(), Message.objects.count()) == (agents, count)


def test_a_closed_conversation_takes_no_reply_and_no_change(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    browser = browser_of(staff_of(acme, "supervisor"))
    press(browser, row, "close")
    assert Conversation.objects.get(pk=row.pk).status == "closed"

    answer = browser.post(page(Conversation, "button", row.pk, "write"), {"text": "Too late"}, follow=True)

    assert "closed" in messages_of(answer)
    assert not Message.objects.filter(text="Too late").exists()
    form_of(browser, row, title="Renamed", is_archived="on")
    after = Conversation.objects.get(pk=row.pk)
    assert (after.title, after.is_archived) == ("Acme invoice 1", True)


def test_the_form_changes_through_the_actions(acme: NewTenant) -> None:
    world = furnish(acme)
    row, agent = world.conversation, world.rows["clients.Agent"]
    browser = browser_of(staff_of(acme, "agent"))
    before = kinds(row)

    answer = form_of(
        browser,
        row,
        title="Reclamación",
        status="resolved",
        assigned_agent=agent.pk,
        tags="Urgent, today\r\nacme-TAG\r\n",
        queue="vip",
    )

    assert answer.status_code == 302
    after = Conversation.objects.get(pk=row.pk)
    assert (after.title, after.title_folded, after.queue) == ("Reclamación", "reclamacion", "vip")
    assert (after.status, after.assigned_agent_id) == ("resolved", agent.pk)
    assert after.participant_count == row.participant_count + 1
    assert {tag.name for tag in after.tags.all()} == {"Urgent, today", "Acme-tag"}
    assert fields_of(browser, after)["tags"].splitlines() == [tag.name for tag in after.tags.order_by("taggings__id")]
    change = StateChange.objects.filter(conversation=row).latest("id")
    assert (change.old, change.new, change.by_name) == ("escalated", "resolved", "Agent")
    new = kinds(row)[len(before) :]
    assert sorted(new) == ["conversation.participant.added", "conversation.updated"]


def test_no_agent_of_another_client_is_put_in_charge(acme: NewTenant, rival: NewTenant) -> None:
    row, theirs = furnish(acme).conversation, furnish(rival)
    for browser in (browser_of(staff_of(acme, "client_admin")), browser_of(superuser())):
        answer = form_of(browser, row, assigned_agent=theirs.rows["clients.Agent"].pk)
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["assigned_agent"]
        assert Conversation.objects.get(pk=row.pk).assigned_agent_id is None


def test_deleting_a_conversation_hides_it_and_keeps_the_row(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    agent, supervisor = browser_of(staff_of(acme, "agent")), browser_of(staff_of(acme, "supervisor"))

    assert agent.post(page(Conversation, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert Conversation.objects.get(pk=row.pk).deleted_at is None
    assert supervisor.post(page(Conversation, "delete", row.pk), {"post": "yes"}).status_code == 302

    assert Conversation.objects.get(pk=row.pk).deleted_at is not None
    assert kinds(row)[-1] == "conversation.deleted"
    assert supervisor.get(page(Conversation, "change", row.pk)).status_code == 302


def test_deleting_a_message_recounts(acme: NewTenant) -> None:
    world = furnish(acme)
    message = world.rows["messaging.Message"]
    browser = browser_of(staff_of(acme, "supervisor"))

    browser.post(page(Message, "delete", message.pk), {"post": "yes"}, follow=True)

    assert Message.objects.get(pk=message.pk).deleted_at is not None
    assert Conversation.objects.get(pk=world.conversation.pk).message_count == world.conversation.message_count - 1
    assert "Acme answers" not in browser.get(page(Conversation, "change", world.conversation.pk)).content.decode()


def test_actions_on_a_list_reach_only_what_is_seen(acme: NewTenant, rival: NewTenant) -> None:
    mine, theirs = furnish(acme).conversation, furnish(rival).conversation
    browser = browser_of(staff_of(acme, "supervisor"))

    for action in ("archive_chosen", "take_chosen", "mark_chosen_read", "resolve_chosen", "delete_chosen"):
        browser.post(
            page(Conversation, "changelist") + "?view=all", {"action": action, "_selected_action": [mine.pk, theirs.pk]}
        )

    after = Conversation.objects.get(pk=mine.pk)
    assert (after.is_archived, after.status, after.staff_unread) == (True, "resolved", 0)
    assert after.deleted_at is not None
    assert after.assigned_agent.user.name == "Supervisor"
    untouched = Conversation.objects.get(pk=theirs.pk)
    assert (untouched.is_archived, untouched.status, untouched.deleted_at) == (False, theirs.status, None)
    assert untouched.updated_at == theirs.updated_at


def test_buttons_of_another_clients_rows_are_those_of_absent_ones(acme: NewTenant, rival: NewTenant) -> None:
    theirs = furnish(rival)
    browser = browser_of(staff_of(acme, "client_admin"))
    token, session = rival.api_token.token, rival.client.session_id
    for row, name in (
        (theirs.conversation, "write"), (theirs.conversation, "close"), (token, "revoke"), (rival.public_key, "revoke"),
        (rival.client, "rotate_session_id"), (rival.users[0].user, "new_password"),
        (theirs.rows["clients.RefreshToken"], "revoke"),
    ):  # fmt: skip
        foreign = browser.post(page(type(row), "button", row.pk, name), {"text": "Hello"})
        absent = browser.post(page(type(row), "button", 999_999_999, name), {"text": "Hello"})
        assert (foreign.status_code, foreign.get("Location")) == (absent.status_code, absent.get("Location"))
    assert not Message.objects.filter(text="Hello").exists()
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None
    assert PlatformKey.objects.get(pk=rival.public_key.pk).revoked_at is None
    assert Client.objects.get(pk=rival.client.pk).session_id == session
    assert RefreshToken.objects.get(pk=theirs.rows["clients.RefreshToken"].pk).revoked_at is None


def test_a_button_does_nothing_on_get(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    browser = browser_of(staff_of(acme, "client_admin"))

    assert browser.get(page(Conversation, "button", row.pk, "close")).status_code == 302
    assert browser.get(page(Client, "button", acme.client.pk, "rotate_session_id")).status_code == 302

    assert Conversation.objects.get(pk=row.pk).status == "escalated"
    assert Client.objects.get(pk=acme.client.pk).session_id == "ses_acme"


@pytest.mark.contract("accounts: Also: workspace API tokens are made")
def test_secrets_are_shown_once(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))

    answer = browser.post(page(ApiToken, "add"), {"name": "Reports", "scopes": ["search", "messages:read"]})

    secret = re.search(r'id="secret">([^<]+)<', answer.content.decode())
    assert secret is not None
    token = ApiToken.objects.get(name="Reports")
    assert token.digest == digest(secret[1])
    assert (token.client, token.scopes) == (acme.client, ["search", "messages:read"])
    assert token.created_by.name == "Client_Admin"
    later = browser.get(page(ApiToken, "change", token.pk)).content.decode()
    assert secret[1] not in later
    assert token.digest not in later
    assert "no-store" in answer["Cache-Control"]
    press(browser, token, "revoke")
    assert ApiToken.objects.get(pk=token.pk).revoked_at is not None


def test_a_token_has_only_known_scopes(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))

    answer = browser.post(page(ApiToken, "add"), {"name": "Root", "scopes": ["search", "everything"]})

    assert answer.status_code == 200
    assert not ApiToken.objects.filter(name="Root").exists()


@pytest.mark.contract("whatsapp: The session id is a bearer secret")
def test_the_session_id_rotates(acme: NewTenant) -> None:
    answer = press(browser_of(staff_of(acme, "client_admin")), acme.client, "rotate_session_id")

    new = Client.objects.get(pk=acme.client.pk).session_id
    assert new != "ses_acme"
    assert new in answer.content.decode()
    denied = press(browser_of(staff_of(acme, "supervisor")), acme.client, "rotate_session_id")
    assert denied.status_code == 403
    assert Client.objects.get(pk=acme.client.pk).session_id == new


def test_a_new_user_gets_a_password_shown_once(acme: NewTenant, rival: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))

    answer = browser.post(
        page(User, "add"),
        {"name": "Rosa", "email": "rosa@acme.example.com", "role": "agent", "client": rival.client.pk,
         "is_superuser": "on", "is_staff": "on", "username": "root2"},
    )  # fmt: skip

    rosa = User.objects.get(email="rosa@acme.example.com")
    password = re.search(r'id="secret">([^<]+)<', answer.content.decode())
    assert password is not None
    assert rosa.check_password(password[1])
    assert (rosa.client, rosa.role, rosa.is_staff, rosa.is_superuser) == (acme.client, "agent", True, False)
    assert rosa.username == "rosa@acme.example.com"


def test_another_users_uuid_is_no_own_id(acme: NewTenant, rival: NewTenant) -> None:
    browser, user = browser_of(staff_of(acme, "client_admin")), acme.users[0].user
    before = {row.pk: row.external_id for row in User.objects.all()}
    for taken in (acme.users[1].user.uuid, rival.users[0].user.uuid):
        assert b"Somebody has this already." in form_of(browser, user, external_id=str(taken)).content
        new = {"name": "Rosa", "email": "rosa@acme.example.com", "role": "", "external_id": str(taken)}
        assert b"Somebody has this already." in browser.post(page(User, "add"), new).content
    assert {row.pk: row.external_id for row in User.objects.all()} == before
    form_of(browser, user, external_id=str(user.uuid))
    assert User.objects.get(pk=user.pk).external_id == str(user.uuid)


def test_a_user_who_was_disabled_logs_in_again(acme: NewTenant, api: Any) -> None:
    browser, user = browser_of(staff_of(acme, "client_admin")), acme.users[0].user
    access = issue_tokens(user).access

    form_of(browser, user, is_active="")
    assert not User.objects.get(pk=user.pk).is_active
    form_of(browser, User.objects.get(pk=user.pk), is_active="on")

    assert User.objects.get(pk=user.pk).is_active
    assert api().get("/api/auth/me", Authorization=f"Bearer {access}").status_code == 401


@pytest.mark.parametrize("role", ["service", "superuser", "root"])
def test_no_such_role_is_given(acme: NewTenant, role: str) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    user = acme.users[0].user

    assert form_of(browser, user, role=role).status_code == 200
    answer = browser.post(page(User, "add"), {"name": "X", "email": "x@acme.example.com", "role": role})

    assert answer.status_code == 200
    assert User.objects.get(pk=user.pk).role == ""
    assert not User.objects.filter(email="x@acme.example.com").exists()


def test_a_client_admin_cannot_raise_anybody_beyond_themselves(acme: NewTenant, rival: NewTenant) -> None:
    me = staff_of(acme, "client_admin")
    browser, user = browser_of(me), acme.users[0].user

    form_of(
        browser, user, role="supervisor", is_superuser="on", client=rival.client.pk, username="root", token_version="9"
    )

    after = User.objects.get(pk=user.pk)
    assert (after.role, after.is_staff, after.is_superuser, after.client) == ("supervisor", True, False, acme.client)
    assert after.username == user.username
    form_of(browser, after, role="")
    assert User.objects.get(pk=user.pk).is_staff is False
    assert form_of(browser, me, role="agent").status_code == 200
    assert User.objects.get(pk=me.pk).role == "client_admin"
    form_of(browser, acme.client, is_active="", rate_messages=9, session_id="ses_stolen", name="Acme Ltd")
    client = Client.objects.get(pk=acme.client.pk)
    assert (client.is_active, client.settings, client.session_id, client.name) == (True, {}, "ses_acme", "Acme Ltd")


@pytest.mark.parametrize(
    ("role", "model"),
    [("agent", User), ("agent", Tag), ("agent", ApiToken), ("supervisor", User), ("supervisor", ApiToken),
     ("supervisor", Agent), ("client_admin", Client), ("client_admin", Conversation), ("superuser", Message)],
)  # fmt: skip
def test_what_a_role_may_not_add(acme: NewTenant, role: str, model: Any) -> None:
    browser = browser_of(superuser() if role == "superuser" else staff_of(acme, role))
    count = model.objects.count()

    answer = browser.post(page(model, "add"), {"name": "New", "email": "new@example.com", "text": "x"})

    assert answer.status_code == 403
    assert model.objects.count() == count


def test_an_agents_provider_settings_are_the_superusers(acme: NewTenant) -> None:
    bot = Agent.objects.get(client=acme.client, kind="ai")
    answer = form_of(
        browser_of(staff_of(acme, "client_admin")), bot,
        name="Robot", base_url="https://evil.example.com", api_key_env="SECRET_KEY", queues="a, b",
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["adminform"].form.errors

    bot.refresh_from_db()
    assert (bot.name, bot.base_url, bot.api_key_env, bot.queues) == ("Robot", "", "", ["a", "b"])
    form_of(browser_of(superuser()), bot, base_url="https://ai.example.com/v1", api_key_env="AI_KEY")
    bot.refresh_from_db()
    assert (bot.base_url, bot.api_key_env) == ("https://ai.example.com/v1", "AI_KEY")


def test_what_the_database_would_refuse_is_said_on_the_form(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    for model, data in (
        (Tag, {"name": "urgent"}), (Tag, {"name": "URGENT"}),
        (Agent, {"agent_id": "assistant", "name": "Twin", "kind": "human", "temperature": 0.2, "timeout": 30,
                 "context_tokens": 4000, "price_in": 0, "price_out": 0}),
        (User, {"name": "Twin", "email": acme.users[0].user.email.upper()}),
    ):  # fmt: skip
        first = model is Tag and data["name"] == "urgent"
        assert browser.post(page(model, "add"), data).status_code == (302 if first else 200), (model, data)
    assert Tag.objects.filter(client=acme.client).count() == 1


def test_a_contacts_phone_is_kept_as_digits(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "agent"))
    contact = acme.contacts[0]

    assert form_of(browser, contact, name="Ana", phone="+34 (600) 111-222").status_code == 302
    assert form_of(browser, contact, phone="call me").status_code == 200

    contact.refresh_from_db()
    assert (contact.name, contact.phone, contact.contact_id) == ("Ana", "34600111222", "contact_1")


def test_a_tag_in_use_stays(acme: NewTenant) -> None:
    tag = furnish(acme).rows["conversations.Tag"]
    browser = browser_of(staff_of(acme, "supervisor"))

    answer = browser.post(page(Tag, "delete", tag.pk), {"post": "yes"}, follow=True)

    assert "in use" in messages_of(answer)
    assert Tag.objects.filter(pk=tag.pk).exists()


def test_a_superuser_answers_in_any_client(acme: NewTenant, rival: NewTenant) -> None:
    browser = browser_of(superuser())
    for tenant in (acme, rival):
        row = furnish(tenant).conversation
        press(browser, row, "write", text="From above")
        message = Message.objects.of(row.pk).latest("seq")
        assert (message.text, message.sender_agent.client_id) == ("From above", tenant.client.pk)


def test_the_thread_is_paged(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    browser = browser_of(staff_of(acme, "agent"))
    for n in range(60):
        press(browser, row, "write", text=f"Line {n:03}.")

    newest = browser.get(page(Conversation, "change", row.pk)).content.decode()
    older = browser.get(page(Conversation, "change", row.pk) + "?before=15").content.decode()

    assert "Line 059." in newest
    assert "Line 010." in newest
    assert "Line 009." not in newest
    assert "?before=15" in newest
    assert "Line 009." in older
    assert "Line 010." not in older
    assert browser.get(page(Conversation, "change", row.pk) + "?before=x").status_code == 200


@pytest.mark.parametrize("key", ["zz", "9" * 30, "1\0", "-1"])
def test_a_key_that_cannot_be_one_is_said_on_the_form(acme: NewTenant, key: str) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    row = furnish(acme).conversation
    answer = form_of(browser, row, assigned_agent=key)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["assigned_agent"]


@pytest.mark.parametrize(
    "metadata",
    [
        '"text"', "5", "[]", '{"a": "\\ud800"}', '{"a": "\\u0000"}', "[" * 3000, '{"a": [[[[[1]]]]]}',
        '{"a": "%s"}' % ("x" * 17_000),
    ],
)  # fmt: skip
def test_metadata_is_an_object_of_bounded_size(acme: NewTenant, metadata: str) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    contact = acme.contacts[0]
    answer = form_of(browser, contact, metadata=metadata)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["metadata"]
    contact.refresh_from_db()
    assert contact.metadata == {}


def test_a_button_that_finds_nothing_to_do_leaves_no_history(acme: NewTenant) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))
    row = furnish(acme).conversation
    press(browser, row, "close")
    before = LogEntry.objects.count()
    press(browser, row, "close")
    assert (before, LogEntry.objects.count()) == (1, 1)
    assert [button["name"] for button in browser.get(page(Conversation, "change", row.pk)).context["buttons"]] == [
        "mark_read", "archive",
    ]  # fmt: skip


def test_a_place_is_shown_in_one_line(acme: NewTenant) -> None:
    row = furnish(acme).conversation
    place = {"latitude": -6.2, "longitude": 106.8, "name": "Gudang <Utama>"}
    send_message(conversation=row, sender=as_contact(acme.contacts[0]), type="location", content=place)
    shown = browser_of(staff_of(acme, "agent")).get(page(Conversation, "change", row.pk)).content.decode()
    assert "[location] Gudang &lt;Utama&gt;" in shown
    assert "latitude" not in shown


@pytest.mark.contract("behaviour: Settings for all")
def test_a_clients_rate_limits_are_the_superusers(acme: NewTenant) -> None:
    actions.change_settings(acme.client.pk, holidays=["2027-12-25"], rate_limits={"users": 700, "uploads": 5})
    browser = browser_of(superuser())
    assert fields_of(browser, acme.client)["rate_users"] == 700
    shown = browser.get(page(Client, "change", acme.client.pk)).context["adminform"].form
    assert shown.fields["rate_messages"].widget.attrs["placeholder"] == settings.RATE_LIMITS["messages"]

    form_of(browser, acme.client, rate_messages="900", rate_uploads="")
    client = Client.objects.get(pk=acme.client.pk)
    assert client.settings == {"holidays": ["2027-12-25"], "rate_limits": {"users": 700, "messages": 900}}
    for wrong in ("0", "-1", "x", "1.5", "10000000000"):
        answer = form_of(browser, client, rate_messages=wrong)
        assert list(answer.context["adminform"].form.errors) == ["rate_messages"]
    form_of(browser, client, name="Acme Ltd")
    unchanged = Client.objects.get(pk=acme.client.pk)
    assert (unchanged.settings, unchanged.name) == (client.settings, "Acme Ltd")
    assert unchanged.rules_version == client.rules_version
    form_of(browser, client, name="Acme Ltd", rate_messages="", rate_users="")
    assert Client.objects.get(pk=acme.client.pk).settings == {"holidays": ["2027-12-25"]}
