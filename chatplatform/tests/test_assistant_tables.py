"""contracts/assistant.md, "Documented tables": a field of each documented name exists or maps; attachments."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.utils import timezone

from chatplatform.tests.admin_world import browser_of, furnish, page
from chatplatform.tests.store import everything, new_conversation, say
from conversations.models import Conversation, SessionHistory
from messaging.models import Attachment, Message, Upload

#: documented name → (our field, its default, whether it may be null); … stands for "has none".
TABLES = {
    Conversation: {
        "id": ("id", ..., False), "title": ("title", "", False), "user_id": ("owner_id", ..., True),
        "agent_id": ("assigned_agent_id", ..., True), "conversation_type": ("kind", "chat", False),
        "status": ("status", "active", False), "is_archived": ("is_archived", False, False),
        "is_pinned": ("is_pinned", False, False), "total_messages": ("message_count", 0, False),
        "unread_count": ("owner_unread", 0, False), "last_message_at": ("last_message_at", ..., True),
        "created_at": ("created_at", timezone.now, False), "updated_at": ("updated_at", timezone.now, False),
    },
    Message: {
        "id": ("id", ..., False), "conversation_id": ("conversation_id", ..., False), "content": ("text", "", False),
        "content_type": ("type", "text", False), "sender": ("sender_agent_id", ..., True),
        "message_type": ("type", "text", False), "status": ("status", "sent", False),
        "tokens_used": ("tokens_used", ..., True), "processing_time": ("processing_time", ..., True),
        "created_at": ("created_at", timezone.now, False), "updated_at": ("updated_at", timezone.now, False),
    },
    Attachment: {
        "id": ("id", ..., False), "message_id": ("message_id", ..., False), "file_name": ("file_name", ..., False),
        "file_type": ("file_type", "", False), "file_size": ("file_size", ..., True),
        "file_path": ("upload_id", ..., True), "created_at": ("created_at", timezone.now, False),
    },
    SessionHistory: {
        "id": ("id", ..., False), "conversation_id": ("conversation_id", ..., False),
        "session_start": ("session_start", ..., False), "session_end": ("session_end", ..., False),
        "messages_count": ("messages_count", 0, False), "duration_minutes": ("duration_minutes", 0, False),
        "created_at": ("created_at", timezone.now, False),
    },
}  # fmt: skip
DOCUMENTED = "assistant: message_attachments: id"


@pytest.mark.contract(DOCUMENTED)
@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_documented_columns_exist_or_map(model):
    fields = {field.attname: field for field in model._meta.concrete_fields}
    for name, (ours, default, null) in TABLES[model].items():
        field = fields[ours]
        assert (field.default if field.has_default() else ...) == default, name
        assert field.null == null, name
    assert Conversation._meta.get_field("title").max_length == 255


@pytest.mark.contract(DOCUMENTED)
@pytest.mark.usefixtures("plain_static_files")
def test_the_admin_shows_all_four(acme):
    world = furnish(acme)
    browser = browser_of(acme.staff.user)
    for model in TABLES:
        row = world.rows[model._meta.label]
        listing = browser.get(page(model, "changelist"))
        assert (listing.status_code, listing.context["cl"].result_count >= 1) == (200, True)
        shown = browser.get(page(model, "change", row.pk))
        assert shown.status_code == 200
        assert admin.site._registry[model].has_view_permission(shown.wsgi_request, row)


@pytest.fixture
def received(acme):
    """A file that is there already, of an id that no RFC knows."""

    def make(conversation_id, uuid):
        now = timezone.now()
        return Upload.objects.create(
            uuid=uuid, client=acme.client, conversation_id=conversation_id, file_name="Rechnung März.pdf",
            content_type="application/pdf", size=2048, state="ready", storage_key=uuid, created_at=now,
            received_at=now, expires_at=now + timedelta(hours=1),
        )  # fmt: skip

    return make


@pytest.mark.contract("behaviour: An attachment is {", "behaviour: A UUID is any 8-4-4-4-12")
@pytest.mark.parametrize("uuid", ["ffffffff-0000-ffff-0000-ffffffffffff", "01234567-89ab-cdef-0123-456789abcdef"])
def test_an_attachment(maya, received, uuid):
    """{"uuid", "file_name", "file_type", "file_size", "url"}; a uuid is any 8-4-4-4-12 hexadecimal string"""
    number = new_conversation(maya)
    received(number, uuid)
    say(maya, number, "The bill", attachments=[uuid.upper()])
    [message] = maya.get(f"/chat/conversations/{number}/messages").json()["data"]["messages"]
    [attachment] = message["attachments"]
    assert list(attachment) == ["uuid", "file_name", "file_type", "file_size", "url"]
    stored = Attachment.objects.get()
    assert attachment == {
        "uuid": str(stored.uuid), "file_name": "Rechnung März.pdf", "file_type": "application/pdf",
        "file_size": 2048, "url": attachment["url"],
    }  # fmt: skip
    assert attachment["url"].startswith(f"http://testserver/files/{uuid.replace('-', '')}?expires=")
    before = everything()
    again = maya.post(f"/chat/conversations/{number}/messages", {"content": "Again", "attachments": [uuid]})
    assert (again.status_code, list(again.json()["errors"])) == (400, ["attachments"])
    assert everything() == before
