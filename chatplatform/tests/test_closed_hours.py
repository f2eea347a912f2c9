"""contracts/behaviour.md, "Rules, anti-spam, auto-replies": what happens to a customer's message, through every
door that takes one. It is Monday noon in UTC."""

from datetime import date, timedelta
from typing import Any

import pytest

from chatplatform.tests.store import events_of, new_conversation, say, staff, statements, take_part, whatsapp_chat
from chatplatform.tests.workspace import AGENT, CUSTOMER, begin, ok, path_of, row_of
from chatplatform.tests.workspace import say as write
from clients import actions as people
from clients.models import Agent, Client
from conversations.models import Conversation
from messaging.actions import create_rule, delete_rule, update_rule
from messaging.integrity import verify
from messaging.models import AutoTag, Message, RuleReply
from messaging.rules.holidays import set_holidays

pytestmark = pytest.mark.usefixtures("clock")
HOURS = {"type": "allow", "start": "13:00", "end": "18:00", "auto_reply": "We open at one."}


@pytest.fixture
def rule(acme: Any) -> Any:
    def make(**fields: Any) -> Any:
        return create_rule(client=acme.client, **{"name": "Hours", **HOURS, **fields})

    AutoTag.objects.filter(client=acme.client).delete()
    return make


def said(row: Conversation | int) -> list[str]:
    pk = row if isinstance(row, int) else row.pk
    return list(Message.objects.of(pk).order_by("seq").values_list("text", flat=True))


def assert_exact() -> None:
    assert [difference for _, differences in verify() for difference in differences] == []


# --- doors ---


@pytest.mark.contract(
    "behaviour: Auto-replies go to customer messages", "behaviour: They come from the agent system",
    "README: Auto-replies come from the client's", "workspace: when a customer writes outside",
)  # fmt: skip
def test_an_auto_reply_in_workspace(acme: Any, robot: Any, rule: Any) -> None:
    rule(route_to="night")
    conversation = begin(robot)
    write(robot, conversation, "Anybody?")
    row = row_of(conversation)
    assert said(row) == ["Anybody?", "We open at one."]
    reply = Message.objects.of(row.pk).get(seq=2)
    agent = Agent.objects.system_of(acme.client.pk)
    assert (reply.sender_agent_id, reply.sender_name, reply.is_customer) == (agent.pk, "Acme", False)
    assert agent.agent_id == agent.kind == "system"
    # No participant, no answer, nobody's figure.
    assert {participant.person for participant in row.participants.all()} == {acme.contacts[0], acme.agents[0]}
    assert row.waiting_since is not None
    assert (row.message_count, row.staff_unread, row.owner_unread) == (2, 1, 0)
    assert row.queue == "night"
    assert events_of(row.pk)[-3:] == [
        ("conversation.message.created", None),
        ("conversation.updated", {"queue": ["", "night"]}),
        ("conversation.message.created", None),
    ]
    [listed] = ok(robot.get("/v1/conversations"))["conversations"]
    assert listed["queue"] == ok(robot.get(path_of(conversation)))["queue"] == "night"
    shown = ok(robot.get(path_of(conversation, "messages") + "?order=asc"))["messages"]
    assert shown[1]["sender"] == {"agent_id": "system", "name": "Acme"}
    figures = ok(robot.get(path_of(conversation, "metrics")))
    assert (figures["message_count"], figures["first_response_time"]) == (2, None)
    assert_exact()
    write(robot, conversation, "An agent's own message", AGENT)
    assert len(said(row)) == 3


@pytest.mark.contract("behaviour: Auto-replies go to customer messages", "behaviour: They come from the agent system")
def test_an_auto_reply_in_assistant(acme: Any, maya: Any, rule: Any, api: Any) -> None:
    """one who talks to the client alone, and one with a person in charge"""
    rule(route_to="night")
    alone, served = new_conversation(maya), new_conversation(maya, agent_id=acme.agents[0].pk)
    for number in (alone, served):
        say(maya, number, "Anybody?")
        assert said(number) == ["Anybody?", "We open at one."]
        row = Conversation.objects.get(pk=number)
        assert (row.queue, row.message_count) == ("night", 2)
        assert row.waiting_since is not None
        listed = maya.get(f"/chat/conversations/{number}/messages").json()["data"]["messages"]
        assert [message["content"] for message in listed] == ["Anybody?", "We open at one."]
        assert maya.get(f"/chat/conversations/{number}").json()["data"]["unread_count"] == 0
    say(api(acme.staff.user), alone, "Staff write")
    assert said(alone) == ["Anybody?", "We open at one.", "Staff write"]
    assert_exact()


@pytest.mark.contract("behaviour: Auto-replies go to customer messages")
def test_end_users_among_themselves_get_none(acme: Any, john: Any, mary: Any, rule: Any, api: Any) -> None:
    """in `platform`, and no queue shows their talk to its agents; once somebody of the client's side takes part both"""
    rule(route_to="night")
    answer = john.post("/api/v1/chat/conversations", {"participant_uuid": str(acme.users[1].user.uuid)})
    uuid = answer.json()["data"]["uuid"]
    row = Conversation.objects.get(uuid=uuid)
    for caller in (john, mary):
        answer = caller.post(f"/api/v1/chat/conversations/{uuid}/messages", {"text": "Hi"})
        assert answer.status_code == 201, answer.content
    assert said(row) == ["Hi", "Hi"]
    assert not RuleReply.objects.exists()
    assert Conversation.objects.get(pk=row.pk).queue == ""

    take_part(row.pk, staff(acme))
    john.post(f"/api/v1/chat/conversations/{uuid}/messages", {"text": "Hello?"})
    assert said(row) == ["Hi", "Hi", "Hello?", "We open at one."]
    assert Conversation.objects.get(pk=row.pk).queue == "night"
    shown = john.get(f"/api/v1/chat/conversations/{uuid}/messages").json()["data"]
    assert [message["sender"]["uuid"] for message in shown if message["text"] == "We open at one."] == [None]
    # By what others wrote: Mary has not read John's two, staff one; the auto-reply is unread by nobody.
    assert list(row.participants.order_by("id").values_list("unread_count", flat=True)) == [1, 2, 1]
    assert_exact()


@pytest.mark.parametrize("kind", ["contact", "agent", "a user who is an agent", "staff", "end user"])
@pytest.mark.contract("behaviour: Auto-replies go to customer messages")
def test_who_makes_it_more_than_end_users(acme: Any, maya: Any, rule: Any, robot: Any, kind: str) -> None:
    rule()
    number = new_conversation(maya)
    uuid = Conversation.objects.get(pk=number).uuid.hex
    user = acme.users[1].user
    match kind:
        case "contact" | "agent":
            body = CUSTOMER if kind == "contact" else AGENT
            ok(robot.post(f"/v1/conversations/conv_{uuid}/participants", body), 201)
        case "staff":
            take_part(number, staff(acme))
        case _:
            if kind == "a user who is an agent":
                people.create_agent(client=acme.client, name="Omar", user=user)
            take_part(number, user)
    say(maya, number, "Anybody?")
    assert said(number) == ["Anybody?"] + ([] if kind == "end user" else ["We open at one."])


def test_opening_a_whatsapp_chat_is_no_message(acme: Any, api: Any, rule: Any) -> None:
    rule(route_to="night")
    row = whatsapp_chat(api, number_client=12025550123)
    assert (said(row), row.queue) == ([], "")


# --- once ---


@pytest.mark.contract("workspace: when a customer writes outside")
def test_once_in_a_conversation_and_closed_period(acme: Any, robot: Any, rule: Any, clock: Any) -> None:
    rule(days=["monday", "tuesday", "wednesday", "thursday", "friday"], route_to="night")
    conversation, another = begin(robot), begin(robot)
    row = row_of(conversation)

    def replies(text: str) -> int:
        write(robot, conversation, text)
        return said(row).count("We open at one.")

    assert replies("Monday noon") == 1
    clock.shift(timedelta(minutes=59))
    assert replies("Still before one") == 1
    write(robot, another, "Another conversation")
    assert said(row_of(another))[-1] == "We open at one."
    clock.shift(timedelta(minutes=2))
    assert replies("Open") == 1
    clock.shift(timedelta(hours=5))
    assert replies("Monday evening") == 2
    clock.shift(timedelta(hours=18))
    assert replies("Tuesday noon: the same night") == 2
    clock.shift(timedelta(days=3, hours=7))
    assert replies("Friday evening: nobody wrote while it was open") == 3
    clock.shift(timedelta(days=2))
    assert replies("Sunday") == 3
    clock.shift(timedelta(hours=23))
    assert replies("The next week's evening") == 4
    moves = [changes for kind, changes in events_of(row.pk) if kind == "conversation.updated"]
    assert moves == [{"queue": ["", "night"]}]
    assert RuleReply.objects.count() == 2
    assert_exact()


@pytest.mark.contract("behaviour: A range's end is exclusive")
def test_holidays_are_closed_days(acme: Any, robot: Any, rule: Any, clock: Any) -> None:
    """a holiday joins two nights into one closed period"""
    rule(start="08:00")
    conversation = begin(robot)
    write(robot, conversation, "Open at noon")
    assert said(row_of(conversation)) == ["Open at noon"]
    set_holidays(acme.client.pk, [date(2027, 3, 1), date(2027, 3, 2)])
    write(robot, conversation, "A holiday")
    clock.shift(timedelta(days=1))
    write(robot, conversation, "Another")
    assert said(row_of(conversation))[1:] == ["A holiday", "We open at one.", "Another"]
    set_holidays(acme.client.pk, [])
    write(robot, conversation, "None any more")
    assert said(row_of(conversation))[-1] == "None any more"


@pytest.mark.contract("behaviour: When not open, the actions", "behaviour: Open = (no allow rule")
def test_whose_actions_run(acme: Any, robot: Any, rule: Any, clock: Any) -> None:
    """a deny rule's before the oldest allow rule's; each rule's reply once"""
    rule(name="Younger than none", auto_reply="We open at one.", route_to="first")
    rule(name="Second", start="14:00", auto_reply="Never sent", route_to="never")
    lunch = rule(name="Lunch", type="deny", start="12:30", end="13:30", auto_reply="At table.", route_to="")
    conversation = begin(robot)
    write(robot, conversation, "12:00")
    clock.shift(timedelta(minutes=30))
    write(robot, conversation, "12:30, closed by another rule")
    clock.shift(timedelta(minutes=45))
    write(robot, conversation, "13:15, lunch still")
    clock.shift(timedelta(minutes=15))
    write(robot, conversation, "13:30")
    row = row_of(conversation)
    assert said(row) == [
        "12:00", "We open at one.", "12:30, closed by another rule", "At table.", "13:15, lunch still", "13:30",
    ]  # fmt: skip
    assert row.queue == "first"
    delete_rule(lunch)
    assert RuleReply.objects.count() == 1


@pytest.mark.contract("behaviour: Open = (no allow rule", "workspace: when a customer writes outside")
def test_rules_of_a_channel_and_of_a_tag(acme: Any, robot: Any, rule: Any) -> None:
    rule(channel="telegram", auto_reply="Telegram is closed.")
    rule(tag="VIP", type="deny", start=None, end=None, auto_reply="Your own number is on the card.")
    plain, telegram, vip = begin(robot), begin(robot, channel="telegram"), begin(robot, tags=["vip"])
    for conversation in (plain, telegram, vip):
        write(robot, conversation, "Hello")
    assert said(row_of(plain)) == ["Hello"]
    assert said(row_of(telegram)) == ["Hello", "Telegram is closed."]
    assert said(row_of(vip)) == ["Hello", "Your own number is on the card."]


def test_a_tag_that_the_message_itself_brings_counts(acme: Any, robot: Any, rule: Any) -> None:
    """one event tells of the tag and of the queue"""
    AutoTag.objects.create(client=acme.client, words=["precio"], tag="sales")
    rule(tag="sales", type="deny", start=None, end=None, auto_reply="", route_to="sales team")
    conversation = begin(robot)
    write(robot, conversation, "¿Qué PRECIOS hay?")
    row = row_of(conversation)
    assert row.queue == "sales team"
    assert [changes for kind, changes in events_of(row.pk) if kind == "conversation.updated"] == [
        {"tags": [[], ["sales"]], "queue": ["", "sales team"]}
    ]


@pytest.mark.contract("behaviour: A range's end is exclusive", "workspace: time_range and days are each optional")
def test_without_a_time_zone_the_clients_counts(acme: Any, robot: Any, rule: Any) -> None:
    rule(start="12:00", end="13:00")
    own = rule(start="12:00", end="13:00", time_zone="Asia/Tokyo", channel="tokyo")
    conversation, tokyo = begin(robot), begin(robot, channel="tokyo")
    write(robot, conversation, "Noon in UTC")
    write(robot, tokyo, "Noon in UTC")
    assert (len(said(row_of(conversation))), len(said(row_of(tokyo)))) == (1, 1)
    people.update_client(acme.client, time_zone="Europe/Berlin")
    write(robot, conversation, "One in Berlin")
    assert said(row_of(conversation))[-1] == "We open at one."
    update_rule(rule=own, start="21:00", end="22:00")
    people.update_client(acme.client, time_zone="UTC")
    write(robot, tokyo, "Nine in Tokyo")
    assert said(row_of(tokyo))[-1] == "Nine in Tokyo"


def test_a_changed_rule_is_held_to_at_once(acme: Any, robot: Any, rule: Any) -> None:
    one = rule()
    conversation = begin(robot)
    update_rule(rule=one, start="11:00")
    write(robot, conversation, "Open now")
    update_rule(rule=one, start="13:00", auto_reply="Closed after all")
    write(robot, conversation, "Closed")
    delete_rule(one)
    clock_row = row_of(conversation)
    write(robot, conversation, "Gone")
    assert said(clock_row) == ["Open now", "Closed", "Closed after all", "Gone"]
    assert not RuleReply.objects.exists()


def test_rules_of_another_client_are_nobodys(acme: Any, rival: Any, robot: Any, foreign_robot: Any, rule: Any) -> None:
    rule()
    conversation = begin(foreign_robot)
    write(foreign_robot, conversation, "Hello")
    assert said(row_of(conversation)) == ["Hello"]


def test_the_reply_of_a_write_with_a_key_comes_once(acme: Any, robot: Any, rule: Any) -> None:
    rule()
    conversation = begin(robot)
    body = {"type": "text", "text": {"body": "Hello"}, "sender": CUSTOMER}
    answers = [robot.post(path_of(conversation, "messages"), body, Idempotency_Key="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["text"] == {"body": "Hello"}
    assert said(row_of(conversation)) == ["Hello", "We open at one."]


def test_a_reply_reopens_nothing_and_a_message_does(acme: Any, robot: Any, rule: Any) -> None:
    rule()
    conversation = begin(robot)
    ok(robot.patch(path_of(conversation), {"status": "resolved"}))
    write(robot, conversation, "It came back")
    row = row_of(conversation)
    assert (row.status, said(row)) == ("active", ["It came back", "We open at one."])


def test_the_new_name_of_a_client_is_its_voices_too(acme: Any, robot: Any, rule: Any) -> None:
    rule()
    people.update_client(acme.client, name="Acme & Sons")
    conversation = begin(robot)
    write(robot, conversation, "Hello")
    assert Message.objects.of(row_of(conversation).pk).get(seq=2).sender_name == "Acme & Sons"
    assert Client.objects.get(pk=acme.client.pk).name == "Acme & Sons"


# --- statements ---


def test_what_rules_cost(acme: Any, maya: Any, rule: Any) -> None:
    """without rules, and while it is open: none; a reply: those of a message, and three"""
    number, another = new_conversation(maya), new_conversation(maya)

    def count() -> int:
        say(maya, another, "The rules are read")
        return len(statements(lambda: say(maya, number, "Anybody there?")))

    say(maya, number, "The session has begun")
    plain = count()
    hours = rule(start="12:00")
    assert count() == plain
    update_rule(rule=hours, start="13:00")
    assert count() == plain + 3 + (plain - 1)  # was it sent, it is, by whom; the message without its lock
    assert count() == plain + 1  # was it sent
