"""Transcripts of other systems, as dialogues in JSON lines (docs/import.md says what a line holds)."""

from clients.importing.files import UnreadableFile, numbered_lines
from clients.importing.lines import BadLine

from .dialogues import Dialogue, parse
from .run import Import
from .store import import_dialogues

__all__ = ["BadLine", "Dialogue", "Import", "UnreadableFile", "import_dialogues", "numbered_lines", "parse"]
