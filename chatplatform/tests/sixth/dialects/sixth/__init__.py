"""Tickets: conversations by another name, within the prefix of another dialect."""

PREFIX = "/chat/sixth"
