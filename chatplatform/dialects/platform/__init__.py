"""Conversations between two users of a partner's platform (contract `platform.md`)."""

PREFIX = "/api/v1/chat"
