"""Tenants, people and credentials in the admin."""

from . import credentials, people, tenants  # noqa: F401
