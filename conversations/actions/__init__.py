"""Writes of conversations. Each is atomic: it locks the conversation's row, checks the rules, saves,
moves the counters and records the event.

Where an action takes `conversation`, that is the row, or its id as the caller sees it (`Visible`): the
visibility rule is then checked by the statement that locks.
"""

from .chats import contact_of_phone, open_chat
from .lifecycle import (
    apply_status,
    change_status,
    create_conversation,
    delete_conversation,
    ensure_open,
    update_conversation,
    wake,
)
from .locking import Target, lock, save
from .people import (
    PERMISSIONS,
    Person,
    add_participant,
    assign_agent,
    ensure_room,
    remove_participant,
    update_participant,
)
from .reading import mark_read
from .tagging import TAGS, delete_tag, save_tag, tag_conversation, tag_names

__all__ = [
    "PERMISSIONS",
    "TAGS",
    "Person",
    "Target",
    "add_participant",
    "apply_status",
    "assign_agent",
    "change_status",
    "contact_of_phone",
    "create_conversation",
    "delete_conversation",
    "delete_tag",
    "ensure_room",
    "ensure_open",
    "lock",
    "mark_read",
    "open_chat",
    "remove_participant",
    "save",
    "save_tag",
    "tag_conversation",
    "tag_names",
    "update_conversation",
    "update_participant",
    "wake",
]
