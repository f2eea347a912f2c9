"""The two dashboards of `assistant`; docs/analytics.md says in words what each figure is."""

from datetime import date
from typing import TypedDict

from clients.models import Agent, User

from .models import EVER, Figure, Scope
from .reading import View, read, seconds

TOP = 10  # agents


class ActiveAgent(TypedDict):
    agent_id: int
    name: str
    message_count: int


class Day(TypedDict):
    date: str
    conversations: int
    messages: int


class Own(TypedDict):
    total_conversations: int
    total_messages: int
    average_response_time: float
    most_active_agent: ActiveAgent | None
    daily_stats: list[Day]


class PerformingAgent(TypedDict):
    agent_id: int
    name: str
    total_conversations: int
    success_rate: float


class Overall(TypedDict):
    total_conversations_all_users: int
    total_messages_all_users: int
    average_conversations_per_user: float
    top_performing_agents: list[PerformingAgent]


def own(*, user_id: int, client_id: int | None, days: int) -> Own:
    """Of the conversations that a user owns, on the last so many days of their client's time zone, today included."""
    return read(client_id, lambda view: _own(view, user_id, view.first_of(days)))


def _own(view: View, user_id: int, since: date) -> Own:
    measures = ("conversations", "messages", "responses", "response_us")
    by_day = view.sums(Scope.OWNER, measures, ["day"], since=since, subject=user_id)
    total = {measure: sum(sums[measure] for sums in by_day.values()) for measure in measures}
    nothing = dict.fromkeys(measures, 0)
    return {
        "total_conversations": total["conversations"],
        "total_messages": total["messages"],
        "average_response_time": seconds(total["response_us"], total["responses"]) or 0.0,
        "most_active_agent": _most_active(view, user_id, since),
        "daily_stats": [
            {"date": day.isoformat(), "conversations": sums["conversations"], "messages": sums["messages"]}
            for day in view.days(since)
            for sums in [by_day.get((day,), nothing)]
        ],
    }


def _most_active(view: View, user_id: int, since: date) -> ActiveAgent | None:
    """Who wrote most; of several the one who is there the longest."""
    wrote = view.sums(Scope.PAIR, ["messages"], ["other"], since=since, subject=user_id)
    counts = {agent: sums["messages"] for (agent,), sums in wrote.items() if sums["messages"]}
    if not counts:
        return None
    agent = min(counts, key=lambda pk: (-counts[pk], pk))
    return {"agent_id": agent, "name": agent_names([agent])[agent], "message_count": counts[agent]}


def overall(*, client_id: int | None) -> Overall:
    """Of a client, or of all (None), since the beginning."""
    return read(client_id, _overall)


def _overall(view: View) -> Overall:
    total = view.total(Scope.CLIENT, "conversations", "messages", "owned", "owners")
    owned, owners = _owned(view, total)
    return {
        "total_conversations_all_users": total["conversations"],
        "total_messages_all_users": total["messages"],
        "average_conversations_per_user": round(owned / owners, 2) if owners else 0.0,
        "top_performing_agents": _top_agents(view),
    }


def _owned(view: View, total: dict[str, int]) -> tuple[int, int]:
    """How many conversations end users own, and how many such users there are.

    The rollups count owners of every kind; staff, of whom there are few, are taken out.
    """
    staff = set(User.objects.filter(client__in=view.clients, is_staff=True).values_list("pk", flat=True))
    waiting = view.pending_of(Scope.OWNER)
    before = _conversations_of(view, Scope.OWNER, staff | waiting)
    after = {pk: before.get(pk, 0) + view.pending_sum(Scope.OWNER, pk, "conversations") for pk in staff | waiting}
    owners = total["owners"] + sum((after[pk] > 0) - (before.get(pk, 0) > 0) for pk in waiting)
    return total["owned"] - sum(after[pk] for pk in staff), owners - sum(after[pk] > 0 for pk in staff)


def _conversations_of(view: View, scope: Scope, subjects: set[int]) -> dict[int, int]:
    """As far as it is folded in."""
    rows = Figure.objects.filter(client__in=view.clients, scope=scope, day=EVER, subject__in=subjects)
    return dict(rows.values_list("subject", "conversations"))


def agent_names(pks: list[int]) -> dict[int, str]:
    return dict(Agent.objects.filter(pk__in=pks).values_list("pk", "name"))


def _top_agents(view: View) -> list[PerformingAgent]:
    """Most conversations first; of several with as many the one who is there the longest."""
    waiting = view.pending_of(Scope.AGENT)
    rows = Figure.objects.filter(client__in=view.clients, scope=Scope.AGENT, day=EVER)
    first = rows.filter(conversations__gt=0).order_by("-conversations", "subject")[: TOP + len(waiting)]
    counts = {row.subject: (row.conversations, row.finished) for row in [*first, *rows.filter(subject__in=waiting)]}
    for pk in waiting:
        had, finished = counts.get(pk, (0, 0))
        more = view.pending_sum(Scope.AGENT, pk, "conversations")
        counts[pk] = (had + more, finished + view.pending_sum(Scope.AGENT, pk, "finished"))
    top = sorted((pk for pk in counts if counts[pk][0]), key=lambda pk: (-counts[pk][0], pk))[:TOP]
    names = agent_names(top)
    return [
        {
            "agent_id": pk,
            "name": names[pk],
            "total_conversations": counts[pk][0],
            "success_rate": round(100 * counts[pk][1] / counts[pk][0], 1),
        }
        for pk in top
    ]
