"""A user's chats with AI and human agents (contract `assistant.md`)."""

PREFIX = "/chat"
