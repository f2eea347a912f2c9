"""A file of articles, brought in on the page of their list: as `import_knowledge` does, for one's own client."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext

from chatplatform.admin import caller_of
from clients.importing import UnreadableFile
from clients.models import Client

from ..knowledge.documents import of_markdown, of_table
from ..knowledge.importing import Import

#: Bytes of a file; and bad lines that are told.
LARGEST, TOLD = 5 * 1024 * 1024, 20


def import_file(request: HttpRequest) -> None:
    """What becomes of it is told on the next page."""
    client = Client.objects.for_client(caller_of(request).client_id).first()
    if client is None:
        raise PermissionDenied
    file: Any = request.FILES.get("file")
    kind = PurePath(file.name).suffix.lower() if file else ""
    if kind not in (".csv", ".tsv", ".md", ".markdown"):
        messages.error(request, gettext("Choose a file of CSV (.csv, .tsv) or Markdown (.md, .markdown)."))
        return
    if file.size > LARGEST:
        messages.error(request, gettext("The file is larger than 5 MiB: use manage.py import_knowledge."))
        return
    bad: list[str] = []
    run = Import(client, lambda name, number, reason: bad.append(f"{name}:{number}: {reason}"))
    language = client.search_language
    try:
        if kind in (".csv", ".tsv"):
            run.read(file.name, of_table(_lines(file), language))
        else:
            run.read(file.name, of_markdown(_lines(file), PurePath(file.name).stem, language))
    except UnreadableFile as error:
        bad.append(gettext("The file cannot be read further: %s") % error)
    counts = {"made": run.counts.made, "updated": run.counts.updated, "unchanged": run.counts.unchanged}
    messages.success(request, gettext("%(made)s made, %(updated)s updated, %(unchanged)s unchanged.") % counts)
    for line in bad[:TOLD]:
        messages.error(request, line)
    if len(bad) > TOLD:
        messages.error(request, gettext("%d more lines were left out.") % (len(bad) - TOLD))


def _lines(file: Any) -> Iterator[tuple[int, bytes | None]]:
    yield from enumerate(file, start=1)
