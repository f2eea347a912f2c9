"""The order "newest first" on SQLite: its lists walk the index that has the order (PostgreSQL: test_plans)."""

import pytest
from django.db import connection

from clients.callers import caller_of_user, system_caller
from conversations.models import Conversation

pytestmark = pytest.mark.django_db


def plan(rows):
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return [row[3] for row in cursor.fetchall()]


LISTS = {
    "the whole client": ("conversation_newest", lambda acme, rows: rows.visible_to(system_caller(acme.client))),
    "a bot's": (
        "conversation_by_bot",
        lambda acme, rows: rows.visible_to(system_caller(acme.client)).filter(bot_id="bot 5"),
    ),
    "a user's": (
        "participant_user_newest",
        lambda acme, rows: rows.visible_to(caller_of_user(acme.users[0].user, None)),
    ),
    "an owner's": (
        "conversation_newest_of_owner",
        lambda acme, rows: rows.visible_to(system_caller(acme.client)).filter(owner=acme.users[0].user),
    ),
}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plans of SQLite")
@pytest.mark.parametrize("name", LISTS)
def test_lists_walk_their_index(acme, name):
    index, build = LISTS[name]
    rows = build(acme, Conversation.objects.all()).newest_first().values("uuid", "owner__uuid")[40:60]
    steps = plan(rows)
    assert [step for step in steps if f"INDEX {index} (" in step], steps
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps
