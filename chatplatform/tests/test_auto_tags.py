"""contracts/workspace.md, Auto-tags: on customer messages, whichever door they come through."""

from typing import Any

import pytest

from chatplatform.tests.store import events_of, new_conversation, say, statements
from chatplatform.tests.workspace import AGENT, begin, ok, path_of, row_of
from chatplatform.tests.workspace import say as write
from clients.actions import create_client
from clients.models import Contact
from conversations.actions import tag_names
from conversations.models import Conversation, Tag
from messaging.actions import add_note, create_auto_tag, delete_auto_tag, update_auto_tag
from messaging.models import AutoTag
from messaging.senders import as_agent


def tags(row: Conversation | int) -> list[str]:
    return tag_names(Conversation.objects.get(pk=row if isinstance(row, int) else row.pk))


@pytest.mark.contract("workspace: Defaults: precio", "workspace: Auto-tags (staff-editable")
def test_the_defaults_of_a_new_client(acme: Any, robot: Any) -> None:
    assert list(AutoTag.objects.for_client(acme.client.pk).order_by("id").values_list("words", "tag")) == [
        (["precio", "costo", "pago"], "comercial"),
        (["problema", "error", "falla"], "soporte_tecnico"),
        (["urgente", "emergencia", "inmediato"], "alta_prioridad"),
    ]
    conversation = begin(robot, tags=["parcels"])
    write(robot, conversation, "¿Me mandan los PRECIOS? Es urgentísimo… urgéntemente", metadata={})
    assert ok(robot.get(path_of(conversation)))["tags"] == ["parcels", "comercial", "alta_prioridad"]
    assert events_of(row_of(conversation).pk)[-2:] == [
        ("conversation.message.created", None),
        ("conversation.updated", {"tags": [["parcels"], ["parcels", "comercial", "alta_prioridad"]]}),
    ]


@pytest.mark.contract("workspace: Auto-tags (staff-editable")
def test_what_is_there_already_is_told_once(acme: Any, robot: Any) -> None:
    conversation = begin(robot, tags=["Cómercial"])
    row = row_of(conversation)
    before = len(events_of(row.pk))
    for text in ("el precio", "un error", "el precio y el error"):
        write(robot, conversation, text)
    assert tags(row) == ["Cómercial", "soporte_tecnico"]
    kinds = [kind for kind, _ in events_of(row.pk)[before:]]
    assert kinds.count("conversation.updated") == 1


@pytest.mark.contract("workspace: Auto-tags (staff-editable")
def test_only_customers_messages(acme: Any, robot: Any, maya: Any, desk: Any, john: Any) -> None:
    """in every dialect; captions too; not what agents, staff and notes say"""
    conversation = begin(robot)
    row = row_of(conversation)
    write(robot, conversation, "un problema", AGENT)
    add_note(conversation=row, sender=as_agent(acme.agents[0]), text="urgente")
    assert tags(row) == []
    image = {"url": "https://files.example.com/x.png", "caption": "el costo"}
    ok(
        robot.post(
            path_of(conversation, "messages"),
            {"type": "image", "image": image, "sender": {"contact_id": "contact_1"}},
        ),
        201,
    )
    assert tags(row) == ["comercial"]
    number = new_conversation(maya)
    say(desk, number, "un problema")
    assert tags(number) == []
    say(maya, number, "un problema")
    assert tags(number) == ["soporte_tecnico"]
    made = john.post("/api/v1/chat/conversations", {"participant_uuid": str(acme.users[1].user.uuid)}).json()["data"]
    john.post(f"/api/v1/chat/conversations/{made['uuid']}/messages", {"text": "¡Emergencia!"})
    assert tags(Conversation.objects.get(uuid=made["uuid"])) == ["alta_prioridad"]


@pytest.mark.contract("workspace: Auto-tags (staff-editable")
def test_what_staff_change_is_held_to_at_once(acme: Any, rival: Any, robot: Any, foreign_robot: Any) -> None:
    """and what they delete stays away, in their client alone"""
    conversation = begin(robot)
    row = row_of(conversation)
    for one in AutoTag.objects.for_client(acme.client.pk):
        delete_auto_tag(one)
    write(robot, conversation, "precio urgente")
    assert tags(row) == []
    made = create_auto_tag(client=acme.client, words=["late", "not here"], tag="delays")
    write(robot, conversation, "precio, not hereabouts")
    assert tags(row) == ["delays"]
    update_auto_tag(auto_tag=made, words=["box"], tag="boxes")
    write(robot, conversation, "later")
    write(robot, conversation, "my boxes")
    assert tags(row) == ["delays", "boxes"]
    theirs = begin(foreign_robot)
    write(foreign_robot, theirs, "box precio")
    assert tags(row_of(theirs)) == ["comercial"]


def test_a_tag_too_many_is_left_out(acme: Any, robot: Any) -> None:
    conversation = begin(robot, tags=[f"tag {n}" for n in range(99)])
    row = row_of(conversation)
    write(robot, conversation, "precio, error, urgente")
    assert tags(row)[99:] == ["comercial"]
    before = len(events_of(row.pk))
    write(robot, conversation, "precio, error, urgente")
    assert len(tags(row)) == 100
    assert [kind for kind, _ in events_of(row.pk)[before:]] == ["conversation.message.created"]


def test_a_tag_of_the_client_keeps_its_spelling(acme: Any, robot: Any) -> None:
    Tag.objects.create(client=acme.client, name="Comercial", folded="comercial")
    conversation = begin(robot)
    write(robot, conversation, "precio")
    assert tags(row_of(conversation)) == ["Comercial"]


def test_statements(acme: Any, maya: Any) -> None:
    number = new_conversation(maya)
    say(maya, number, "Who is known, what the rules are")

    def count(text: str) -> int:
        return len(statements(lambda: say(maya, number, text)))

    plain = count("nothing at all")
    AutoTag.objects.for_client(acme.client.pk).delete()
    assert count("nothing at all") == plain
    assert count("un precio") == plain + 8
    assert count("un precio") == plain + 1
    assert count("nothing at all") == plain


def test_the_migration_gives_them_to_clients_that_were_there_and_takes_them_back(acme: Any) -> None:
    from importlib import import_module

    from django.apps import apps

    step = import_module("messaging.migrations.0005_default_auto_tags")
    own = create_client(name="Own")
    for one in AutoTag.objects.for_client(own.pk):
        delete_auto_tag(one)
    create_auto_tag(client=own, words=["box"], tag="boxes")
    bare = create_client(name="Bare")
    AutoTag.objects.for_client(bare.pk).delete()
    step.create(apps, None)
    assert AutoTag.objects.for_client(bare.pk).count() == AutoTag.objects.for_client(acme.client.pk).count() == 3
    step.create(apps, None)
    assert AutoTag.objects.count() == 7
    step.remove(apps, None)
    assert list(AutoTag.objects.values_list("client", "tag")) == [(own.pk, "boxes")]
    assert Contact.objects.exists()
