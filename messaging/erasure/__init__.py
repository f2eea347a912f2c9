"""Erasing a person: what is held about a contact goes, the shape of their conversations stays (docs/retention.md)."""

from .contact import ERASED, erase_contact

__all__ = ["ERASED", "erase_contact"]
