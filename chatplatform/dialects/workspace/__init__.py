"""The full conversations API for server-side integrations (contract `workspace.md`)."""

PREFIX = "/v1"
