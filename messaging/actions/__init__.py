"""Writes of messages, and of what acts on them. Each is atomic and takes the conversation's lock first (see
conversations.actions)."""

from .articles import create_article, delete_article, update_article
from .changes import delete_message, update_message
from .holding import clear_flag, release_message
from .rules import create_auto_tag, create_rule, delete_auto_tag, delete_rule, update_auto_tag, update_rule
from .sending import add_note, send_message
from .uploads import announce_upload, receive_upload, store_upload, usable_uploads

__all__ = [
    "add_note",
    "announce_upload",
    "clear_flag",
    "create_article",
    "create_auto_tag",
    "create_rule",
    "delete_article",
    "delete_auto_tag",
    "delete_message",
    "delete_rule",
    "receive_upload",
    "release_message",
    "send_message",
    "store_upload",
    "update_article",
    "update_auto_tag",
    "update_message",
    "update_rule",
    "usable_uploads",
]
