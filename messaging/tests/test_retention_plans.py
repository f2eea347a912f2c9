"""PostgreSQL's plans of retention: each batch walks an index to what is due, however much is not."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from conversations.models import Conversation
from conversations.tests.test_plans import START, Crowd, assert_walks, crowd, plan
from messaging.models import Message, Upload
from messaging.retention import POLICIES
from messaging.retention.removal import dependents

pytestmark = pytest.mark.django_db
__all__ = ["crowd"]  # the fixture, for this module
BATCH = 50


@pytest.fixture
def aged(crowd: Crowd) -> Crowd:
    """The first thousand seconds of them are over; every fifth conversation has a file."""
    rows = Conversation.objects.filter(status="closed")
    rows.update(status_changed_at=F("created_at"))
    ids = Conversation.objects.order_by("id").values_list("pk", "client_id")
    Upload.objects.bulk_create(
        Upload(
            client_id=client, conversation_id=pk, file_name="a", content_type="image/png", size=1, state="used",
            storage_key=f"k/{pk}", received_at=START + timedelta(seconds=n), created_at=START,
            expires_at=START + timedelta(minutes=15),
        )
        for n, (pk, client) in enumerate(ids)
    )  # fmt: skip
    with connection.cursor() as cursor:
        for model in (Conversation, Upload):
            cursor.execute(f"ANALYZE {model._meta.db_table}")
    return crowd


INDEXES = {
    "closed conversations": "conversation_closed",
    "deleted conversations": "conversation_deleted",
    "files in messages": "upload_kept",
}


@pytest.mark.parametrize("name", INDEXES)
def test_what_is_due_is_found_along_an_index(aged: Crowd, name: str) -> None:
    [policy] = [one for one in POLICIES if one.name == name]
    due = policy.due(aged.client.pk, START + timedelta(seconds=1000))
    assert_walks(due.values("pk")[:BATCH], INDEXES[name], size=BATCH, buffers=4 * BATCH)


def test_what_had_begun_is_found_without_looking_at_the_rest(aged: Crowd) -> None:
    [policy] = [one for one in POLICIES if one.days is None and "begun" in one.name]
    root, nodes = plan(policy.due(aged.client.pk, START).values("pk")[:BATCH])
    assert "conversation_removing" in [node.get("Index Name") for node in nodes]
    assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] <= 5


@pytest.mark.parametrize("model", [model.__name__ for model, _ in dependents()])
def test_what_hangs_off_them_is_found_along_an_index(aged: Crowd, model: str) -> None:
    ids = list(Conversation.objects.filter(client=aged.client, status="closed").values_list("pk", flat=True)[:5])
    for kind, way in dependents():
        if kind.__name__ == model:
            rows: Any = kind._base_manager.filter(**{f"{way}__in": ids}).order_by().values("pk")[:900]
            _, nodes = plan(rows)
            large = {Message._meta.db_table, Upload._meta.db_table, "conversations_participant"}
            read_whole = {node.get("Relation Name") for node in nodes if node["Node Type"] == "Seq Scan"}
            assert not read_whole & large, (model, [node["Node Type"] for node in nodes])
