"""contracts/README.md: what is a customer message, seen by what it does to the figure of the staff."""

import pytest

from chatplatform.tests.store import new_conversation, say, staff, take_part
from clients import actions
from clients.callers import system_caller
from conversations.models import Conversation
from messaging.actions import send_message
from messaging.models import Message
from messaging.senders import as_agent, as_contact

pytestmark = pytest.mark.contract("README: Customer message, where a contract says so")


def unread(desk, number):
    return desk.get(f"/chat/conversations/{number}").json()["data"]["unread_count"]


def by_user(api, number, user, **fields):
    say(api(user), number, "Hello", **fields)


def by_sender(acme, number, sender):
    send_message(conversation=Conversation.objects.get(pk=number), sender=sender, text="Hello", by=system_caller(acme))


def test_of_contacts_and_users_without_staff_rights(acme, api, maya, desk):
    """one whose sender is a contact, or a user without staff rights …"""
    number = new_conversation(maya)
    take_part(number, acme.users[1].user)
    by_user(api, number, acme.users[0].user)
    by_user(api, number, acme.users[1].user)
    by_sender(acme.client, number, as_contact(acme.contacts[0]))
    assert unread(desk, number) == 3
    assert set(Message.objects.values_list("is_customer", flat=True)) == {True}


def test_not_of_staff_and_agents(acme, api, maya, desk):
    """… who is not an agent of the client"""
    number = new_conversation(maya)
    helper = actions.create_user(client=acme.client, name="Iva Horn", email="iva@example.com").user
    actions.create_agent(client=acme.client, agent_id="iva", name="Iva Horn", user=helper, kind="human")
    take_part(number, helper)
    by_user(api, number, helper)  # without staff rights, but an agent
    by_user(api, number, acme.staff.user)
    by_user(api, number, acme.staff.user, sender_type="agent")
    by_user(api, number, staff(acme, "supervisor"))
    by_sender(acme.client, number, as_agent(acme.agents[1]))
    by_sender(acme.client, number, as_agent(acme.client.agents.get(kind="system")))
    assert unread(desk, number) == 0
    assert Message.objects.count() == 6
    assert set(Message.objects.values_list("is_customer", flat=True)) == {False}
