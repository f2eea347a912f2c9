"""Telling clients' programs of events, signed, in order, until they have taken them (docs/webhooks.md)."""
