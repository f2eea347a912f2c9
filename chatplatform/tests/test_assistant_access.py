"""behaviour.md, "Who sees and does what": the one visibility rule, and who may change and write."""

import pytest

from chatplatform.tests.admin_world import browser_of, page
from chatplatform.tests.store import (
    everything,
    listed,
    new_conversation,
    say,
    staff,
    superuser,
    take_part,
    whatsapp_chat,
)
from clients.callers import system_caller
from clients.models import Agent
from conversations.actions import assign_agent, remove_participant
from conversations.models import Conversation, Participant

FORBIDDEN = "Only the owner and staff may do this"


@pytest.fixture
def number(maya):
    return new_conversation(maya)


@pytest.fixture
def url(number):
    return f"/chat/conversations/{number}"


CALLS = [
    ("GET", "", None), ("PUT", "", {"title": "Mine now"}), ("PATCH", "", {"is_archived": True}),
    ("PUT", "", {"status": "closed"}), ("GET", "/messages", None), ("GET", "/messages?order=desc&limit=0", None),
    ("POST", "/messages", {"content": "x"}), ("POST", "/messages", {"content": "x", "sender_type": "agent"}),
    ("POST", "/messages", {}), ("POST", "/read", None), ("DELETE", "", None), ("POST", "", {}),
    ("GET", "/unknown", None),
]  # fmt: skip


def assert_unseen(api, number):
    """Not listed, and each call answers byte for byte what an absent id answers; nothing is written."""
    before = everything()
    assert number not in listed(api)
    for method, suffix, body in CALLS:
        answer = api(method, f"/chat/conversations/{number}{suffix}", body)
        absent = api(method, f"/chat/conversations/999999999{suffix}", body)
        assert (answer.status_code, answer.content) == (absent.status_code, absent.content), (method, suffix)
        assert answer.status_code >= 400
    assert everything() == before


def assert_sees(api, number):
    assert number in listed(api)
    for suffix in ("", "/messages"):
        assert api.get(f"/chat/conversations/{number}{suffix}").status_code == 200


@pytest.mark.contract(
    "behaviour: An end user: conversations that they own",
    "assistant: A user sees the conversations that they own",
    "README: Unknown, foreign and deleted ids",
)
def test_the_owner_and_whoever_takes_part(maya, omar, acme, number):
    """An end user: conversations that they own or take part in."""
    assert_sees(maya, number)
    assert_unseen(omar, number)
    user = acme.users[1].user
    take_part(number, user)
    assert_sees(omar, number)
    person = Participant.objects.get(user=user)
    remove_participant(conversation=Conversation.objects.get(), participant_id=person.pk, by=system_caller(acme.client))
    assert_unseen(omar, number)
    take_part(number, user)
    assert listed(omar) == [number]


@pytest.mark.contract(
    "behaviour: Staff by role",
    "assistant: A user sees the conversations that they own",
    "README: Unknown, foreign and deleted ids",
)
@pytest.mark.parametrize("role", ["agent", "supervisor", "client_admin"])
def test_staff_without_queues_see_their_whole_client(acme, rival, api, role, number):
    """Client admin and Supervisor the whole client; Agent, when they have no queue, the whole client"""
    chat = whatsapp_chat(api)
    foreign = whatsapp_chat(api, "ses_rival")
    someone = api(staff(acme, role))
    assert sorted(listed(someone)) == [number, chat.pk]
    assert_sees(someone, number)
    assert_unseen(someone, foreign.pk)


@pytest.mark.contract("behaviour: Staff by role")
@pytest.mark.parametrize("role", ["supervisor", "client_admin"])
def test_queues_narrow_no_admin(acme, api, role, number):
    assert listed(api(staff(acme, role, queues=("billing",)))) == [number]


@pytest.mark.contract("behaviour: Staff by role")
def test_an_agent_with_queues(acme, api, maya, number):
    """Agent: what is assigned to them, what is in their queues (and what they take part in)"""
    user = staff(acme, queues=("billing", "returns"))
    ana = api(user)
    assert_unseen(ana, number)
    Conversation.objects.filter(pk=number).update(queue="delivery")
    assert_unseen(ana, number)
    Conversation.objects.filter(pk=number).update(queue="returns")
    assert_sees(ana, number)
    assert ana.put(f"/chat/conversations/{number}", {"title": "Return of order 7"}).status_code == 200
    Conversation.objects.filter(pk=number).update(queue="")
    assert_unseen(ana, number)
    assign_agent(
        conversation=Conversation.objects.get(), agent=Agent.objects.get(user=user), by=system_caller(acme.client)
    )
    assert_sees(ana, number)
    own = new_conversation(ana, "Her own")
    assert sorted(listed(ana, "?status=active")) == [number, own]
    assert ana.get("/chat/conversations").json()["data"]["total"] == 2


def test_queues_of_two_clients_with_one_name(acme, rival, api, number):
    ana = api(staff(rival, queues=("billing",)))
    Conversation.objects.filter(pk=number).update(queue="billing")
    assert_unseen(ana, number)


@pytest.mark.contract("README: Unknown, foreign and deleted ids")
def test_another_client_sees_nothing(number, rival, api):
    for user in (rival.users[0].user, rival.staff.user):
        assert_unseen(api(user), number)


def test_a_superuser_sees_all(number, api, rival):
    foreign = whatsapp_chat(api, "ses_rival")
    root = api(superuser())
    assert sorted(listed(root)) == [number, foreign.pk]
    assert_sees(root, number)
    assert (
        root.post(f"/chat/conversations/{foreign.pk}/messages", {"content": "x", "sender_type": "agent"}).status_code
        == 200
    )


@pytest.mark.contract("assistant: <user's JWT> on all 11 calls", "assistant: Errors: 400 validation")
def test_the_service_account_and_tokens_are_no_users_here(acme, api, number):
    answer = api().get("/chat/conversations", Authorization=f"Bearer {acme.api_token.secret}")
    assert (answer.status_code, answer.json()) == (401, {"success": False, "message": "Token is invalid or expired"})


@pytest.mark.contract("assistant: <user's JWT> on all 11 calls", "README: assistant.md | assistant")
def test_every_call_needs_a_users_token(acme, api, number):
    """`Authorization: Bearer <user's JWT>` on all calls, whatever else is wrong with them"""
    before = everything()
    for path in (f"/chat/conversations/{number}", "/chat/conversations/999999999", "/chat/conversations/x"):
        for method, suffix, body in [*CALLS[:11], ("POST", "/messages", "{")]:
            for headers, said in (
                ({}, "Authentication credentials were not provided."),
                ({"Authorization": "Basic bWF5YTpzZWNyZXQ="}, "Authentication credentials were not provided."),
                ({"Authorization": "Bearer nonsense"}, "Token is invalid or expired"),
            ):
                answer = api()(method, f"{path}{suffix}", body, **headers)
                assert (answer.status_code, answer.json()) == (401, {"success": False, "message": said})
                assert answer["WWW-Authenticate"] == "Bearer"
    assert everything() == before


@pytest.mark.contract("behaviour: One visibility rule serves")
@pytest.mark.usefixtures("plain_static_files")
def test_the_admin_shows_what_this_dialect_shows(acme, rival, api, maya, number):
    """One visibility rule serves the dialects and the admin"""
    for queue in ("billing", "returns", ""):
        Conversation.objects.filter(pk=new_conversation(maya, f"In {queue}")).update(queue=queue)
    whatsapp_chat(api)
    whatsapp_chat(api, "ses_rival")
    gone = new_conversation(maya, "Deleted")
    assert maya.delete(f"/chat/conversations/{gone}").status_code == 200
    people = [superuser(), acme.staff.user, rival.staff.user, staff(acme, "supervisor", queues=("billing",))]
    people += [staff(acme), staff(acme, queues=("billing",)), staff(acme, queues=("billing", "returns"))]
    seen = []
    for user in people:
        listing = browser_of(user).get(page(Conversation, "changelist"))
        shown = {row.pk for row in listing.context["cl"].queryset}
        assert shown == set(listed(api(user)))
        seen.append(len(shown))
    assert seen == [6, 5, 1, 5, 5, 1, 2]


@pytest.mark.contract(
    "README: An id of the wrong shape", "assistant: Ids are integers", "assistant: Errors: 400 validation"
)
@pytest.mark.parametrize(
    "identifier", ["0", "-1", "01", "1.0", "x", "%00", "１", "1%0A", "9" * 18, "9" * 19, "9" * 40, "null"]
)
def test_an_id_of_the_wrong_shape_is_an_unknown_id(maya, number, identifier):
    absent = maya.get("/chat/conversations/999999999")
    for method, suffix, body in CALLS[:11]:
        answer = maya(method, f"/chat/conversations/{identifier}{suffix}", body)
        same = maya(method, f"/chat/conversations/999999999{suffix}", body)
        assert (answer.status_code, answer.content) == (same.status_code, same.content)
    assert (absent.status_code, absent.content) == (404, b'{"success":false,"message":"Conversation not found"}')


CHANGES = [{"title": "x"}, {"status": "closed"}, {"agent_id": None}, {"is_pinned": True}, {"conversation_type": "x"},
           {"is_archived": True, "title": "x"}]  # fmt: skip


@pytest.mark.contract("behaviour: The owner and staff may rename", "assistant: Errors: 400 validation")
def test_another_participant(acme, omar, url, number):
    """another participant may read, write, mark read and archive for all, else 403"""
    take_part(number, acme.users[1].user)
    before = everything()
    for change in CHANGES:
        answer = omar.put(url, change)
        assert (answer.status_code, answer.json()) == (403, {"success": False, "message": FORBIDDEN})
    answer = omar.delete(url)
    assert (answer.status_code, answer.json()["message"]) == (403, FORBIDDEN)
    assert everything() == before
    say(omar, number, "I am here too")
    assert omar.post(f"{url}/read").status_code == 200
    assert omar.patch(url, {"is_archived": True}).status_code == 200
    assert Conversation.objects.get().is_archived is True


@pytest.mark.contract("behaviour: The owner and staff may rename")
@pytest.mark.parametrize("role", ["owner", "agent", "supervisor", "client_admin"])
def test_the_owner_and_staff_may_do_all(acme, maya, api, url, role):
    """The owner and staff may rename, close, reassign and delete"""
    someone = maya if role == "owner" else api(staff(acme, role))
    for change in (*CHANGES[:1], *CHANGES[2:], CHANGES[1]):
        assert someone.put(url, change).status_code == 200
    assert someone.delete(url).status_code == 200


@pytest.mark.contract("assistant: Errors: 400 validation")
def test_without_the_right_to_write(acme, omar, url, number):
    """403, or what is not allowed; reading goes on"""
    take_part(number, acme.users[1].user, can_write=False)
    before = everything()
    answer = omar.post(f"{url}/messages", {"content": "x"})
    assert (answer.status_code, answer.json()) == (403, {"success": False, "message": "You may not write here"})
    assert everything() == before
    assert_sees(omar, number)
    assert omar.post(f"{url}/read").status_code == 200


def agent_says(api, url):
    return api.post(f"{url}/messages", {"content": "How can I help?", "sender_type": "agent"})


@pytest.mark.contract("assistant: A non-admin may post as")
def test_who_may_post_as_agent(acme, maya, omar, url, number, api):
    """A non-admin may post as `agent` only when they are a human agent who takes part in it; else 403"""
    take_part(number, acme.users[1].user)
    user = staff(acme)
    ana = api(user)
    before = everything()
    for api_ in (maya, omar, ana):
        answer = agent_says(api_, url)
        assert (answer.status_code, answer.json()["success"]) == (403, False)
    assert everything() == before
    agent = Agent.objects.get(user=user)
    assert maya.put(url, {"agent_id": agent.pk}).status_code == 200
    assert agent_says(ana, url).json()["data"]["sender"] == "agent"
    maya.put(url, {"agent_id": None})  # they still take part
    assert agent_says(ana, url).status_code == 200
    Agent.objects.filter(pk=agent.pk).update(is_active=False)  # put out of service
    assert agent_says(ana, url).status_code == 403


@pytest.mark.contract("assistant: A non-admin may post as")
@pytest.mark.parametrize("role", ["supervisor", "client_admin"])
def test_admins_post_as_their_agent(acme, url, api, role):
    user = staff(acme, role)
    own = Agent.objects.get(user=user)
    assert agent_says(api(user), url).status_code == 200
    assert Conversation.objects.get().messages.get().sender_agent_id == own.pk


def test_an_admin_without_an_agent_becomes_one(acme, url, api):
    user = staff(acme, "supervisor")
    Agent.objects.filter(user=user).delete()
    someone = api(user)
    assert [agent_says(someone, url).status_code for _ in range(2)] == [200, 200]
    made = Agent.objects.get(user=user)
    assert (made.client_id, made.kind, made.name) == (acme.client.pk, "human", user.name)
