"""What the demonstration's bot answers from: the files of `knowledge/`, by the same import as anybody's."""

from pathlib import Path

from clients.importing import numbered_lines
from clients.models import Client

from ..knowledge.documents import of_markdown, of_table
from ..knowledge.importing import Import

_FOLDER = Path(__file__).with_name("knowledge")
_MARKDOWN = {"english": "en", "spanish": "es"}


def import_articles(client: Client) -> int:
    """How many articles and canned replies there are now. Raises ValueError for one that cannot go in."""
    run = Import(client, _refuse)
    for name, language in _MARKDOWN.items():
        path = str(_FOLDER / f"{name}.md")
        run.read(path, of_markdown(numbered_lines(path), name, language))
    path = str(_FOLDER / "replies.csv")
    run.read(path, of_table(numbered_lines(path), "en"))
    return run.counts.made


def _refuse(path: str, number: int, reason: str) -> None:
    raise ValueError(f"{path}:{number}: {reason}")
