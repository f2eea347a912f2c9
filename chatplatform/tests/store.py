"""What the tests of the dialects ask of the store itself, and short ways to people and conversations."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from clients import actions
from clients.actions import NewTenant
from clients.models import Agent, RateWindow, User
from clients.roles import Role
from conversations.models import Conversation, Event, Participant

#: Written down on the way by whatever asks.
_NO_WRITES = ("last_used_at",)
_OURS = ("clients", "conversations", "messaging", "analytics")
_HOUSEKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours: equal before and after means that nothing was written."""
    models = [model for label in _OURS for model in apps.get_app_config(label).get_models(include_auto_created=True)]
    models.remove(RateWindow)  # every call is counted
    return {model.__name__: _rows(model) for model in models}


def _rows(model: type[Model]) -> list[dict[str, Any]]:
    compiler, sql, names, converters = _compiled(model)
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found = cursor.fetchall()
    plain = [dict(zip(names, row, strict=True)) for row in compiler.apply_converters(found, converters)]
    return [{name: value for name, value in row.items() if name not in _NO_WRITES} for row in plain]


@cache
def _compiled(model: type[Model]) -> tuple[Any, str, list[str], Any]:
    """What the ORM makes of `values()`, which hundreds of tests ask of every table many times."""
    query = model._default_manager.order_by("pk").values().query
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    assert params == ()
    return compiler, sql, list(query.values_select), compiler.get_converters([column for column, *_ in compiler.select])


def statements(call: Callable[[], Any]) -> list[str]:
    """The SQL that a call runs, without transactions' own statements and without the count of calls (which
    PostgreSQL keeps: `test_rates.py` says how many statements that is)."""
    with CaptureQueriesContext(connection) as captured:
        call()
    ran = [query["sql"] for query in captured if not query["sql"].lstrip().upper().startswith(_HOUSEKEEPING)]
    return [sql for sql in ran if RateWindow._meta.db_table not in sql]


def events_of(conversation_id: int) -> list[tuple[str, Any]]:
    """What was told of a conversation, oldest first: (kind, changes)."""
    rows = Event.objects.filter(conversation=conversation_id).order_by("id").values_list("kind", "data")
    return [(kind, data.get("changes")) for kind, data in rows]


def new_conversation(api: Any, title: str = "Where is my parcel?", **fields: Any) -> int:
    """Made through `assistant` by whoever `api` calls as."""
    answer = api.post("/chat/conversations", {"title": title, **fields})
    assert answer.status_code == 200, answer.content
    conversation_id: int = answer.json()["data"]["conversation_id"]
    return conversation_id


def whatsapp_chat(api: Any, session: str = "ses_acme", **fields: Any) -> Conversation:
    answer = api().post("/api/chat/create", {"session_name": session, **fields})
    assert answer.status_code == 200, answer.content
    return Conversation.objects.get(uuid=answer.json()["record"]["id"])


def say(api: Any, conversation_id: int, content: str, **fields: Any) -> Any:
    answer = api.post(f"/chat/conversations/{conversation_id}/messages", {"content": content, **fields})
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def listed(api: Any, query: str = "") -> list[int]:
    """The ids of the caller's list of conversations."""
    answer = api.get(f"/chat/conversations{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]["conversations"]]


def staff(tenant: NewTenant, role: str = Role.AGENT, *, queues: tuple[str, ...] = (), name: str = "Ana Ruiz") -> User:
    """A member of the tenant's staff who is a human agent."""
    count = User.objects.count()
    user = actions.create_user(client=tenant.client, name=name, email=f"staff{count}@example.com", role=role).user
    actions.create_agent(
        client=tenant.client,
        agent_id=f"agent_{count}",
        name=name,
        user=user,
        queues=list(queues),
        kind=Agent.Kind.HUMAN,
    )
    return user


def superuser() -> User:
    return User.objects.create_superuser("root", "root@example.com", "a long password")


def take_part(conversation_id: int, user: User, **rights: Any) -> None:
    """An end user joins, as the platform dialect and the admin let them."""
    from clients.callers import Caller
    from conversations.actions import Person, add_participant

    row = Conversation.objects.get(pk=conversation_id)
    system = Caller(client_id=row.client_id, is_system=True)
    add_participant(conversation=row, person=Person(user_id=user.pk, **rights), by=system)
    assert Participant.objects.filter(conversation=row, user=user).exists()
