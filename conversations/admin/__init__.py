"""Conversations in the admin."""

from . import conversations, parts  # noqa: F401
