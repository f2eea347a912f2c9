"""A tag that is renamed changes every conversation that has it."""

import pytest

from chatplatform.errors import Conflict
from chatplatform.tests.store import events_of, everything
from clients.callers import system_caller
from conversations import actions
from conversations.models import Tag


def tagged(acme, *names: str) -> int:
    by = system_caller(acme.client)
    row = actions.create_conversation(client_id=acme.client.pk, by=by, channel="website", tags=names)
    return row.pk


@pytest.mark.contract("behaviour: conversation.updated tells state, tags")
def test_a_new_name_is_told_of_each_conversation(acme):
    first, second, other = tagged(acme, "returns", "vip"), tagged(acme, "returns"), tagged(acme, "vip")
    told = [len(events_of(pk)) for pk in (first, second, other)]
    tag = Tag.objects.get(name="returns")
    tag.name = " Sent  back "
    actions.save_tag(tag)
    assert [events_of(pk)[count:] for pk, count in zip((first, second, other), told, strict=True)] == [
        [("conversation.updated", {"tags": [["returns", "vip"], ["Sent back", "vip"]]})],
        [("conversation.updated", {"tags": [["returns"], ["Sent back"]]})],
        [],
    ]
    actions.save_tag(tag)
    assert len(events_of(second)) == told[1] + 1


def test_too_many_to_be_told_of_are_left_as_they_are(acme, monkeypatch):
    monkeypatch.setattr("conversations.actions.tagging.RENAMED", 1)
    tagged(acme, "returns"), tagged(acme, "returns")
    before = everything()
    tag = Tag.objects.get(name="returns")
    tag.name = "sent back"
    with pytest.raises(Conflict):
        actions.save_tag(tag)
    assert everything() == before
