"""People of other systems, from CSV or JSON lines (docs/import.md says what a line holds)."""

from .files import UnreadableFile, numbered_lines
from .lines import BadLine, shown
from .people import KINDS
from .run import Import

__all__ = ["KINDS", "BadLine", "Import", "UnreadableFile", "numbered_lines", "shown"]
