"""Every page of the admin opens, for everyone who may enter it, and shows nothing of another client."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client as HttpClient
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chatplatform.admin.menu import navigation
from clients import actions as people
from clients.actions import NewTenant
from clients.callers import system_caller
from clients.models import Agent, Client, User
from conversations import actions
from conversations.models import Conversation, Tag
from messaging.models import Message

from .admin_world import MODELS, STAFF, browser_of, enter, furnish, page, staff_of

pytestmark = pytest.mark.usefixtures("plain_static_files")


def test_every_model_of_ours_has_a_page(acme: NewTenant) -> None:
    assert {model._meta.label for model in MODELS} == set(furnish(acme).rows)


@pytest.mark.contract("behaviour: One visibility rule serves")
@pytest.mark.parametrize("role", ["superuser", *STAFF])
def test_every_page_opens_with_few_queries(role: str, acme: NewTenant, rival: NewTenant) -> None:
    mine, theirs = furnish(acme), furnish(rival)
    browser, user = enter(role, acme)
    assert browser.get(reverse("admin:index")).status_code == 200
    opened = 0
    for model in MODELS:
        row, foreign = mine.rows[model._meta.label], theirs.rows[model._meta.label]
        may = user.has_perm(_view(model))
        names = [("changelist", ()), ("change", (row.pk,)), ("history", (row.pk,))]
        if admin.site._registry[model].has_add_permission(_request(user)):
            names.append(("add", ()))
        if admin.site._registry[model].has_delete_permission(_request(user)):
            names.append(("delete", (row.pk,)))
        for name, args in names:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = browser.get(page(model, name, *args))
            assert answer.status_code == (200 if may else 403), (model, name)
            assert len(queries) <= 15, (model, name, [query["sql"][:120] for query in queries])
            opened += may
            body = answer.content.decode()
            assert "http://" not in body.replace("http://testserver", "").replace("http://www.w3.org", ""), (
                model,
                name,
            )
            assert "https://" not in body
            assert "<b>why</b>" not in body
            if role != "superuser":
                assert "Rival" not in body, (model, name)
        if not may:
            continue
        if role != "superuser":
            for name in ("change", "history", "delete"):
                foreign_answer = browser.get(page(model, name, foreign.pk))
                absent_answer = browser.get(page(model, name, 999_999_999))
                assert foreign_answer.status_code == absent_answer.status_code != 200, (model, name)
                assert foreign_answer.headers.get("Location") == absent_answer.headers.get("Location")
    assert opened > 20


def _request(user: User) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def test_a_full_list_needs_as_few_queries(acme: NewTenant) -> None:
    for n in range(50):
        acme.users.append(people.create_user(client=acme.client, name=f"User {n}", email=f"u{n}@acme.example.com"))
        acme.contacts.insert(0, people.create_contact(client=acme.client, name=f"Contact {n}"))
        people.create_agent(client=acme.client, agent_id=f"bot_{n}", name=f"Bot {n}")
        people.create_api_token(client=acme.client, name=f"Token {n}")
        people.create_platform_key(client=acme.client, name=f"Key {n}")
        actions.save_tag(Tag(client=acme.client, name=f"Tag {n}"))
        furnish(acme, n)
    row = Conversation.objects.latest("id")
    for n in range(50):
        guest = people.create_contact(client=acme.client, name=f"Guest {n}")
        actions.add_participant(
            conversation=row, person=actions.Person(contact_id=guest.pk), by=system_caller(acme.client)
        )
    for role in ("superuser", "client_admin", "agent"):
        browser, user = enter(role, acme)
        for model in MODELS:
            if not user.has_perm(_view(model)):
                continue
            with CaptureQueriesContext(connection) as queries:
                answer = browser.get(page(model, "changelist"))
            assert answer.status_code == 200
            assert answer.context["cl"].result_count >= (1 if model is Client else 50)
            assert len(queries) <= 15, (model, [query["sql"][:150] for query in queries])
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page(Conversation, "change", row.pk)).status_code == 200
        assert len(queries) <= 15


def test_lists_filters_and_searches_show_only_the_own_client(acme: NewTenant, rival: NewTenant) -> None:
    mine, theirs = furnish(acme), furnish(rival)
    browser = browser_of(staff_of(acme, "client_admin"))
    agent = theirs.rows["clients.Agent"]
    listing = page(Conversation, "changelist")
    for query in (
        f"?assigned_agent__id__exact={agent.pk}", "?q=Rival", "?channel=Rival-channel", "?queue=Rival-queue",
        f"?owner={theirs.rows['clients.User'].pk}", f"?q={theirs.conversation.uuid}", "?q=12025550123",
    ):  # fmt: skip
        answer = browser.get(listing + query)
        assert answer.status_code == 200, query
        body = answer.content.decode()
        assert "Rival" not in body.replace(query.split("=", 1)[1], ""), query
        assert f"/conversation/{theirs.conversation.pk}/change/" not in body
    assert "Acme invoice 1" in browser.get(f"{listing}?q=INVOICE").content.decode()
    assert "Acme invoice 1" in browser.get(f"{listing}?q=acme+cust").content.decode()
    for query in (
        "?channel=Acme-channel", "?queue=Acme-queue", "?status__exact=escalated", "?created=7", "?is_archived__exact=0",
        # As the page's own form sends it: every filter, most of them empty.
        "?status__exact=escalated&channel=&assigned_agent__id__exact=&queue=&is_archived__exact=&is_flagged__exact=&created=",
        f"?owner={mine.rows['clients.User'].pk}", f"?q={mine.conversation.uuid}", "?q=12025550123",
    ):  # fmt: skip
        assert "Acme invoice 1" in browser.get(listing + query).content.decode(), query
    assert "Acme invoice 1" not in browser.get(listing + "?channel=fax").content.decode()


@pytest.mark.parametrize(
    ("model", "field", "term"),
    [
        ("conversation", "assigned_agent", ""), ("conversation", "owner", ""), ("participant", "contact", ""),
        ("participant", "conversation", ""), ("conversationtag", "tag", ""),
    ],
)  # fmt: skip
def test_autocomplete_knows_only_the_own_client(
    acme: NewTenant, rival: NewTenant, model: str, field: str, term: str
) -> None:
    mine, theirs = furnish(acme), furnish(rival)
    url = reverse("admin:autocomplete") + f"?app_label=conversations&model_name={model}&field_name={field}&term={term}"

    answer = browser_of(staff_of(acme, "client_admin")).get(url)

    assert answer.status_code == 200
    assert answer.json()["results"]
    ids = {int(row["id"]) for row in answer.json()["results"]}
    target = admin.site._registry[_target(model, field)]
    assert ids <= set(target.model._default_manager.filter(client=acme.client).values_list("pk", flat=True))
    assert mine.conversation.pk != theirs.conversation.pk


def _target(model: str, field: str) -> Any:
    from django.apps import apps

    return apps.get_model("conversations", model)._meta.get_field(field).related_model


@pytest.mark.parametrize(
    "query",
    ["?password__startswith=pbkdf2", "?email__regex=(a+)%2B", "?client__session_id__startswith=s", "?uuid__gt=1"],
)
def test_a_list_cannot_be_asked_about_what_it_does_not_show(acme: NewTenant, query: str) -> None:
    browser = browser_of(staff_of(acme, "client_admin"))

    assert browser.get(page(User, "changelist") + query).status_code == 400


@pytest.mark.parametrize(
    "query", ["?conversation=9" + "9" * 30, "?conversation=abc", "?conversation=-1", "?p=x", "?e=1"]
)
def test_odd_queries_are_no_error_of_ours(acme: NewTenant, query: str) -> None:
    answer = browser_of(staff_of(acme, "client_admin")).get(page(Message, "changelist") + query)

    assert answer.status_code in (200, 400)


#: What belongs to no conversation.
_OF_THE_CLIENT = ("tag", "article", "cannedreply")


@pytest.mark.contract("behaviour: One visibility rule serves", "behaviour: Staff by role")
def test_an_agent_with_queues_sees_only_theirs(acme: NewTenant) -> None:
    hidden, queued = furnish(acme, 1), furnish(acme, 2)
    Conversation.objects.filter(pk=queued.conversation.pk).update(queue="billing", title="Mine to answer")
    user = staff_of(acme, "agent")
    Agent.objects.create(client=acme.client, agent_id="ana", name="Ana", user=user, queues=["billing"])
    browser = browser_of(user)

    for model in MODELS:
        if not model._meta.app_label.startswith(("conv", "mess")) or model._meta.model_name in _OF_THE_CLIENT:
            continue
        name = model._meta.label
        seen, unseen = (browser.get(page(model, "change", world.rows[name].pk)) for world in (queued, hidden))
        absent = browser.get(page(model, "change", 999_999_999))
        assert (unseen.status_code, unseen.get("Location")) == (absent.status_code, absent.get("Location")), name
        assert unseen.status_code != 200
        assert seen.status_code == (200 if user.has_perm(_view(model)) else seen.status_code)
    body = browser.get(page(Conversation, "changelist")).content.decode()
    assert "Mine to answer" in body
    assert "Acme invoice" not in body


def _view(model: Any) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def test_end_users_and_nobody_do_not_enter(acme: NewTenant) -> None:
    for model in MODELS:
        answer = browser_of(acme.users[0].user).get(page(model, "changelist"))
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


@pytest.mark.parametrize("page_number", ["x", "0", "99"])
def test_the_menu_search_refuses_a_page_that_is_none(acme, page_number):
    browser = HttpClient()
    browser.force_login(acme.staff.user, "clients.backends.RoleBackend")
    assert browser.get("/admin/search/", {"s": "conv", "page": page_number}).status_code == 400
    assert browser.get("/admin/search/", {"s": "conv"}).status_code == 200


def test_the_menu_has_what_a_role_may_see(acme: NewTenant) -> None:
    def titles(role: str) -> dict[str, list[str]]:
        request = _request(enter(role, acme)[1])
        return {str(group["title"]): [str(item["title"]) for item in group["items"]] for group in navigation(request)}

    everything = titles("superuser")
    assert list(everything) == ["Desk", "People", "Automation", "Integrations", "Settings", "Records"]
    assert everything["Desk"] == ["Overview", "Inbox", "Quarantine", "Search messages"]
    assert sum(map(len, everything.values())) == len(MODELS) + 1
    agent = titles("agent")
    assert agent["Desk"] == everything["Desk"]
    assert "API tokens" in everything["Integrations"]
    assert "API tokens" not in [title for group in agent.values() for title in group]
