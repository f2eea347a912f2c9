"""contracts/behaviour.md, Input: the longest values, in characters, whichever dialect they come through."""

import pytest

from chatplatform.tests.doors import Doors
from chatplatform.tests.store import everything

#: What each value is put into: (who calls, path, the rest of a good body, status of success and of refusal).
CREATES = {
    "whatsapp": ("whatsapp", "/api/chat/create", {"session_name": "ses_acme"}, 200, 400),
    "rooms": ("rooms", "/api/conversation", {"room": "Lobby", "integrationType": "website"}, 200, 400),
    "platform": ("platform", "/api/v1/chat/conversations", {}, 201, 422),
    "workspace": (
        "workspace", "/v1/conversations", {"participants": [{"contact_id": "contact_1"}], "channel": "web"}, 201, 422,
    ),
    "assistant": ("assistant", "/chat/conversations", {"title": "Order 7"}, 200, 400),
    "contacts": ("workspace", "/v1/contacts", {"name": "Ayu"}, 201, 422),
    "agents": ("workspace", "/v1/agents", {"id": "ana", "name": "Ana"}, 201, 422),
    "users": ("workspace", "/v1/users", {"name": "Maya", "email": "maya7@example.com"}, 201, 422),
}  # fmt: skip
LONGEST = [
    ("whatsapp", "name", 255), ("whatsapp", "chat_id", 255), ("whatsapp", "category", 50),
    ("rooms", "room", 255), ("rooms", "integrationType", 50), ("rooms", "botId", 255),
    ("platform", "taggable_type", 255),
    ("workspace", "subject", 255), ("workspace", "channel", 50), ("workspace", "tags", 50),
    ("assistant", "title", 255), ("assistant", "conversation_type", 50),
    ("contacts", "id", 64), ("contacts", "name", 255), ("agents", "id", 64), ("agents", "name", 255),
    ("agents", "queue", 50), ("users", "external_id", 64), ("users", "name", 255),
]  # fmt: skip
CONTRACT = "behaviour: Longest values in characters"


@pytest.fixture
def doors(acme):
    return Doors(acme)


def post(doors, what, **fields):
    who, path, rest, _, _ = CREATES[what]
    if what == "platform":
        rest = {"participant_uuid": str(doors.omar.uuid)}
    return getattr(doors, who)().post(path, {**rest, **fields})


@pytest.mark.contract(CONTRACT)
@pytest.mark.parametrize(("what", "field", "longest"), LONGEST)
def test_longest_values(doors, what, field, longest):
    """characters, not bytes; what is longer is refused and writes nothing"""
    letter = "x" if field in ("id", "external_id") else "é"
    *_, done, refused = CREATES[what]
    before = everything()
    too_long = letter * (longest + 1)
    assert post(doors, what, **{field: [too_long] if field == "tags" else too_long}).status_code == refused
    assert everything() == before
    value = letter * longest
    answer = post(doors, what, **{field: [value] if field == "tags" else value})
    assert answer.status_code == done, answer.content
    assert value in answer.content.decode() or what == "assistant"


@pytest.mark.contract(CONTRACT)
@pytest.mark.parametrize("what", ["workspace", "contacts"])
def test_metadata(doors, what):
    """16 KiB as JSON, 5 levels"""
    room = 16 * 1024 - len('{"x":""}')
    before = everything()
    for metadata in ({"x": "y" * (room + 1)}, {"x": "é" * (room // 2 + 1)}, nested(6), {"x": [[[[[]]]]]}):
        assert post(doors, what, metadata=metadata).status_code == 422
    assert everything() == before
    for metadata in ({"x": "y" * room}, {"x": "é" * (room // 2)}, nested(5), {"x": [[[[]]]]}):
        answer = post(doors, what, metadata=metadata)
        assert answer.status_code == 201, answer.content
        assert answer.json()["metadata"] == metadata


def nested(levels):
    return {} if levels == 1 else {"x": nested(levels - 1)}


@pytest.mark.contract(CONTRACT)
def test_file_names(doors):
    row = doors.make("workspace")
    path = f"/v1/conversations/conv_{row.uuid.hex}/messages"
    for length, status in ((256, 422), (255, 201)):
        media = {"url": "https://files.example.com/bill.pdf", "filename": "é" * length}
        body = {"type": "file", "file": media, "sender": {"contact_id": "contact_1"}}
        assert doors.workspace().post(path, body).status_code == status
