"""Tokens for the other dialects (contract `accounts.md`)."""

PREFIX = "/api/auth"
