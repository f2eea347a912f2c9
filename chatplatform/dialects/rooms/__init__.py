"""Conversations of a browser program, by cookie (contract `rooms.md`)."""

PREFIX = "/api/conversation"
