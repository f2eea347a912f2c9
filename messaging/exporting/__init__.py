"""Everything that is held about a contact, as a ZIP of JSON and files (docs/retention.md)."""

from .archive import VERSION, Exported, export_contact

__all__ = ["VERSION", "Exported", "export_contact"]
