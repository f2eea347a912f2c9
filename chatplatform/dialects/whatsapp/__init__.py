"""One call: a bot runner opens a WhatsApp chat for its client's session (contract `whatsapp.md`)."""

PREFIX = "/api/chat/create"
