"""Tenants, people and credentials in the admin."""

from . import agents, contacts, credentials, people, tenants  # noqa: F401
