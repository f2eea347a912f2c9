"""The dashboards' figures in plain Python over every row: knows nothing of rollups, nor of how they are kept."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clients.models import Client
from conversations.models import Conversation
from messaging.models import Message

ENDED = ("resolved", "closed")


class Oracle:
    def __init__(self, client: Client, now: datetime) -> None:
        self.zone = ZoneInfo(Client.objects.get(pk=client.pk).time_zone)
        self.today = now.astimezone(self.zone).date()
        self.rows = list(
            Conversation.objects.filter(client=client, deleted_at=None).select_related("owner", "assigned_agent")
        )
        self.said: dict[int, list[Message]] = defaultdict(list)
        rows = Message.objects.filter(
            client=client, visibility="public", deleted_at=None, conversation__deleted_at=None
        )
        for message in rows.select_related("sender_agent").order_by("seq"):
            if message.sender_agent is None or message.sender_agent.kind != "system":
                self.said[message.conversation_id].append(message)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def answers(self, row: Conversation) -> list[tuple[datetime, float]]:
        found, asked = [], None
        for message in self.said[row.pk]:
            if message.is_customer:
                asked = asked if asked is not None else message.created_at
            elif message.sender_agent_id is not None and asked is not None:
                found.append((message.created_at, max((message.created_at - asked).total_seconds(), 0)))
                asked = None
        return found

    def own(self, user_id: int, days: int) -> dict[str, Any]:
        window = [self.today - timedelta(days=n) for n in reversed(range(days))]
        mine = [row for row in self.rows if row.owner_id == user_id]
        said = [m for row in mine for m in self.said[row.pk] if self.day(m.created_at) in window]
        took = [seconds for row in mine for at, seconds in self.answers(row) if self.day(at) in window]
        begun = Counter(self.day(row.created_at) for row in mine)
        sent = Counter(self.day(message.created_at) for message in said)
        wrote = Counter(m.sender_agent for m in said if m.sender_agent is not None)
        top = min(wrote, key=lambda agent: (-wrote[agent], agent.pk)) if wrote else None
        return {
            "total_conversations": sum(begun[day] for day in window),
            "total_messages": len(said),
            "average_response_time": round(sum(took) / len(took), 3) if took else 0.0,
            "most_active_agent": top and {"agent_id": top.pk, "name": top.name, "message_count": wrote[top]},
            "daily_stats": [
                {"date": day.isoformat(), "conversations": begun[day], "messages": sent[day]} for day in window
            ],
        }

    def overall(self) -> dict[str, Any]:
        owned = [row for row in self.rows if row.owner is not None and not row.owner.is_staff]
        users = {row.owner_id for row in owned}
        charge: dict[Any, list[bool]] = defaultdict(list)
        for row in self.rows:
            if row.assigned_agent is not None:
                charge[row.assigned_agent].append(row.status in ENDED)
        order = sorted(charge, key=lambda agent: (-len(charge[agent]), agent.pk))[:10]
        return {
            "total_conversations_all_users": len(self.rows),
            "total_messages_all_users": sum(map(len, self.said.values())),
            "average_conversations_per_user": round(len(owned) / len(users), 2) if users else 0.0,
            "top_performing_agents": [
                {
                    "agent_id": agent.pk, "name": agent.name, "total_conversations": len(charge[agent]),
                    "success_rate": round(100 * sum(charge[agent]) / len(charge[agent]), 1),
                }
                for agent in order
            ],
        }  # fmt: skip

    def sums(self) -> dict[tuple[str, Any], Counter[str]]:
        """Of all days: what each channel, hour and state has."""
        found: dict[tuple[str, Any], Counter[str]] = defaultdict(Counter)
        for row in self.rows:
            channel = found["channel", row.channel]
            found["status", row.status]["conversations"] += 1
            channel["conversations"] += 1
            for message in self.said[row.pk]:
                found["hour", message.created_at.astimezone(self.zone).hour]["messages"] += 1
                channel["messages"] += 1
                channel["customer_messages"] += message.is_customer
            answers = self.answers(row)
            channel["responses"] += len(answers)
            channel["response_us"] += round(sum(seconds for _, seconds in answers) * 1_000_000)
            if answers:
                channel["first_responses"] += 1
                channel["first_response_us"] += round(answers[0][1] * 1_000_000)
            if row.status in ENDED and row.status_changed_at is not None:
                channel["resolutions"] += 1
                took = row.status_changed_at - row.created_at
                channel["resolution_us"] += round(took.total_seconds() * 1_000_000)
        return {key: Counter({name: value for name, value in sums.items() if value}) for key, sums in found.items()}
