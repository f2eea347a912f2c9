"""Calls 9 and 10 of `assistant`: exact figures, whoever asks, and what else they must not do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from analytics.folding import catch_up
from analytics.models import Figure
from chatplatform.tests.store import everything, new_conversation, say, staff, statements, superuser, whatsapp_chat
from clients.actions import update_client
from clients.callers import system_caller
from clients.models import Agent
from conversations.actions import change_status, create_conversation, delete_conversation
from conversations.models import Conversation
from messaging.actions import add_note, delete_message, send_message
from messaging.models import Message
from messaging.senders import as_agent, as_user

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
OWN, GLOBAL = "/chat/analytics/dashboard", "/chat/analytics/global"


@pytest.fixture
def noon() -> Any:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def data(api: Any, path: str = OWN) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    said = "Analytics retrieved" if path.startswith(OWN) else "Global analytics retrieved"
    assert (body["success"], body["message"], list(body)) == (True, said, ["success", "message", "data"])
    return dict(body["data"])


class Desk:
    """Histories of Acme, at times of one's own."""

    def __init__(self, tenant: Any) -> None:
        from conftest import caller_of

        self.tenant, self.by = tenant, system_caller(tenant.client)
        self.maya, self.omar = (as_user(caller_of(person.user)) for person in tenant.users)
        self.human, self.bot = tenant.agents
        self.voice = Agent.objects.get(client=tenant.client, kind="system")

    def begin(self, at: datetime, owner: int = 0, agent: Agent | None = None, **columns: Any) -> Conversation:
        user = self.tenant.users[owner].user
        return create_conversation(
            client_id=self.tenant.client.pk, by=self.by, channel="website", at=at, owner=user, assigned_agent=agent,
            **columns,
        )  # fmt: skip

    def say(self, row: Conversation, at: datetime, who: Any) -> Message:
        sender = as_agent(who) if isinstance(who, Agent) else who
        return send_message(conversation=row, sender=sender, by=self.by, text="…", created_at=at)


@pytest.fixture
def desk_of(acme: Any) -> Desk:
    return Desk(acme)


@pytest.fixture(params=["not folded", "folded", "half folded"])
def settle(request: pytest.FixtureRequest) -> Any:
    """A dashboard says the same whether the rollups have it already, or not yet, or some of it."""

    def at(moment: str) -> None:
        if request.param == "folded" or (request.param == "half folded" and moment == "half"):
            assert catch_up()

    return at


@pytest.mark.contract(
    "assistant: /chat/analytics/dashboard",
    "assistant: average_response_time: mean",
    "assistant: daily_stats: one row",
    "behaviour: days bounds every figure",
    "behaviour: Figures of system",
)
def test_ones_own_by_hand(noon: Any, desk_of: Desk, maya: Any, omar: Any, settle: Any) -> None:
    desk, day = desk_of, timedelta(days=1)
    old = desk.begin(NOON - 40 * day, agent=desk.human)  # before the window
    desk.say(old, NOON - 40 * day, desk.maya)
    desk.say(old, NOON - 39 * day, desk.human)
    desk.say(old, NOON - day, desk.maya)  # a late message of it counts on its day
    desk.say(old, NOON - day + timedelta(seconds=30), desk.human)  # 30 s
    settle("half")
    row = desk.begin(NOON - 2 * day)
    desk.say(row, NOON - 2 * day, desk.bot)  # answers nobody
    desk.say(row, NOON - 2 * day, desk.maya)
    desk.say(row, NOON - 2 * day + timedelta(seconds=5), desk.maya)
    desk.say(row, NOON - 2 * day + timedelta(seconds=8), desk.voice)  # nobody's figure
    desk.say(row, NOON - 2 * day + timedelta(seconds=60), desk.bot)  # 60 s
    add_note(conversation=row, sender=as_agent(desk.human), text="A note", at=NOON)
    gone = desk.say(row, NOON, desk.human)
    delete_message(conversation=row, message_id=gone.pk, by=desk.by)
    lost = desk.begin(NOON)
    desk.say(lost, NOON, desk.maya)
    delete_conversation(conversation=lost, by=desk.by)
    desk.begin(NOON, owner=1)  # another's
    settle("end")

    found = data(maya)
    stats = found.pop("daily_stats")
    assert found == {
        "total_conversations": 1, "total_messages": 6, "average_response_time": 45.0,
        "most_active_agent": {"agent_id": desk.bot.pk, "name": desk.bot.name, "message_count": 2},
    }  # fmt: skip
    days = [(NOON - number * day).date().isoformat() for number in reversed(range(30))]
    counts = {days[-3]: (1, 4), days[-2]: (0, 2)}
    assert stats == [
        {"date": one, "conversations": counts.get(one, (0, 0))[0], "messages": counts.get(one, (0, 0))[1]}
        for one in days
    ]
    assert [len(data(maya, f"{OWN}?days={n}")["daily_stats"]) for n in (1, 2, 365)] == [1, 2, 365]
    short = data(maya, f"{OWN}?days=2")
    assert (short["total_conversations"], short["total_messages"], short["average_response_time"]) == (0, 2, 30.0)
    assert short["most_active_agent"]["agent_id"] == desk.human.pk
    whole = data(maya, f"{OWN}?days=365")
    assert (whole["total_conversations"], whole["total_messages"]) == (2, 8)
    assert whole["average_response_time"] == (86_400 + 30 + 60) / 3
    other = data(omar)
    assert (other["total_conversations"], other["total_messages"], other["average_response_time"]) == (1, 0, 0)
    assert other["most_active_agent"] is None


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", [("2026-03-29", 2), ("2026-03-30", 1)]),
        # The night in which clocks go from 2 to 3: that day has 23 hours.
        ("Europe/Berlin", [("2026-03-29", 1), ("2026-03-30", 2)]),
        ("America/Los_Angeles", [("2026-03-28", 1), ("2026-03-29", 1), ("2026-03-30", 1)]),
        ("Pacific/Kiritimati", [("2026-03-29", 1), ("2026-03-30", 2)]),
    ],
)
@pytest.mark.contract("assistant: daily_stats: one row")
def test_days_are_the_clients(desk_of: Desk, api: Any, zone: str, days: Any, settle: Any) -> None:
    update_client(desk_of.tenant.client, time_zone=zone)
    settle("half")
    with time_machine.travel(datetime(2026, 3, 30, 12, tzinfo=UTC), tick=False):
        row = desk_of.begin(datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
        for at in ((29, 0, 30), (29, 22, 30), (30, 9, 0)):
            desk_of.say(row, datetime(2026, 3, *at, tzinfo=UTC), desk_of.maya)
        settle("end")
        stats = data(api(desk_of.tenant.users[0].user), f"{OWN}?days=7")["daily_stats"]
    assert [(day["date"], day["messages"]) for day in stats if day["messages"]] == days


def test_another_time_zone_moves_the_days_that_were(noon: Any, desk_of: Desk, maya: Any, settle: Any) -> None:
    row = desk_of.begin(NOON - timedelta(hours=1))
    desk_of.say(row, NOON - timedelta(hours=1), desk_of.maya)
    settle("half")
    assert data(maya)["daily_stats"][-1] == {"date": "2026-03-18", "conversations": 1, "messages": 1}
    update_client(desk_of.tenant.client, time_zone="Pacific/Kiritimati")  # 14 hours ahead: it is the 19th there
    settle("end")
    assert data(maya)["daily_stats"][-2:] == [
        {"date": "2026-03-18", "conversations": 0, "messages": 0},
        {"date": "2026-03-19", "conversations": 1, "messages": 1},
    ]


@pytest.mark.contract("assistant: days 1 to 365", "assistant: Errors: 400 validation")
@pytest.mark.parametrize("days", ["0", "-1", "366", "x", "1.0", "٣", "9" * 19, "1e2"])
def test_days_out_of_range(maya: Any, days: str) -> None:
    answer = maya.get(f"{OWN}?days={days}")
    body = answer.json()
    assert (answer.status_code, body["success"], body["message"]) == (400, False, "Validation error")
    assert list(body["errors"]) == ["days"]


def test_days_may_be_empty(maya: Any) -> None:
    assert len(data(maya, f"{OWN}?days=")["daily_stats"]) == 30


@pytest.mark.contract(
    "assistant: /chat/analytics/global",
    "assistant: success_rate: resolved",
    "assistant: admins of their own client",
    "behaviour: Call 10 of assistant",
    "behaviour: A user in call 10",
)
def test_all_of_a_client_by_hand(noon: Any, desk_of: Desk, rival: Any, desk: Any, api: Any, settle: Any) -> None:
    ours = desk_of
    rows = [ours.begin(NOON, owner=n, agent=agent) for n, agent in ((0, ours.human), (0, ours.human), (1, ours.bot))]
    ours.say(rows[0], NOON, ours.maya)
    ours.say(rows[0], NOON, ours.voice)
    settle("half")
    third = ours.begin(NOON, agent=ours.human)
    for row, status in ((rows[0], "resolved"), (rows[1], "closed"), (rows[2], "escalated")):
        change_status(conversation=row, status=status, by=ours.by, at=NOON)
    create_conversation(client_id=ours.tenant.client.pk, by=ours.by, channel="website", owner=ours.tenant.staff.user)
    whatsapp_chat(api)
    whatsapp_chat(api, "ses_rival")
    settle("end")
    expected = {
        "total_conversations_all_users": 6, "total_messages_all_users": 1, "average_conversations_per_user": 2.0,
        "top_performing_agents": [
            {"agent_id": ours.human.pk, "name": ours.human.name, "total_conversations": 3, "success_rate": 66.7},
            {"agent_id": ours.bot.pk, "name": ours.bot.name, "total_conversations": 1, "success_rate": 0.0},
        ],
    }  # fmt: skip
    assert data(desk, GLOBAL) == data(api(staff(ours.tenant, "supervisor")), GLOBAL) == expected
    assert data(api(superuser()), GLOBAL) == {**expected, "total_conversations_all_users": 7}
    assert data(api(rival.staff.user), GLOBAL) == {
        "total_conversations_all_users": 1, "total_messages_all_users": 0, "average_conversations_per_user": 0.0,
        "top_performing_agents": [],
    }  # fmt: skip
    change_status(conversation=rows[0], status="active", by=ours.by)  # reopened
    delete_conversation(conversation=third, by=ours.by)
    settle("end")
    assert data(desk, GLOBAL)["top_performing_agents"][0] == {
        "agent_id": ours.human.pk, "name": ours.human.name, "total_conversations": 2, "success_rate": 50.0,
    }  # fmt: skip


@pytest.mark.contract("behaviour: at most 10, most conversations first")
def test_the_ten_with_most_conversations(desk_of: Desk, desk: Any, settle: Any) -> None:
    people = [staff(desk_of.tenant, name=f"Agent {n}") for n in range(12)]
    agents = list(Agent.objects.filter(user__in=people).order_by("pk"))
    for number, agent in enumerate(agents):
        for _ in range(number // 2 + 1):
            desk_of.begin(NOON, agent=agent)
        if number == 6:
            settle("half")
    settle("end")
    top = data(desk, GLOBAL)["top_performing_agents"]
    order = [10, 11, 8, 9, 6, 7, 4, 5, 2, 3]
    assert [(one["agent_id"], one["total_conversations"]) for one in top] == [(agents[n].pk, n // 2 + 1) for n in order]


@pytest.mark.contract("assistant: Errors: 400 validation", "behaviour: Call 10 of assistant")
def test_the_global_one_is_for_admins(acme: Any, maya: Any, api: Any) -> None:
    new_conversation(maya)
    people = [maya, api(staff(acme)), api(staff(acme, queues=("billing",)))]
    before = everything()
    for someone in people:
        answer = someone.get(GLOBAL)
        assert answer.status_code == 403
        assert answer.json() == {"success": False, "message": "Admin access required"}
    assert everything() == before


@pytest.mark.contract("assistant: <user's JWT> on all 11 calls")
def test_nobody_asks_without_a_token(acme: Any, api: Any) -> None:
    for path in (OWN, GLOBAL):
        answer = api().get(path)
        said = {"success": False, "message": "Authentication credentials were not provided."}
        assert (answer.status_code, answer.json()) == (401, said)


def test_reading_writes_nothing(maya: Any, desk: Any) -> None:
    say(maya, new_conversation(maya), "Hello?")
    before = everything()
    assert data(maya)["total_messages"] == data(desk, GLOBAL)["total_messages_all_users"] == 1
    assert everything() == before
    assert Figure.objects.count() == 0


@pytest.mark.parametrize("path", [OWN, f"{OWN}?days=365", GLOBAL])
@pytest.mark.parametrize("folded", [True, False])
def test_queries_do_not_grow(maya: Any, desk: Any, path: str, folded: bool) -> None:
    """What is folded in is read by as many statements however much it is; so is what is not yet."""

    def fill(times: int) -> int:
        for _ in range(times):
            number = new_conversation(maya)
            say(maya, number, "Hello?")
            say(desk, number, "Good day", sender_type="agent")
        if folded:
            assert catch_up()
        data(desk, path)
        return len(statements(lambda: data(desk, path)))

    few = fill(1)
    assert few == fill(6) <= 12
