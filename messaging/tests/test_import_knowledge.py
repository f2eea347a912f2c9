"""`manage.py import_knowledge`: CSV, Markdown and folders of both, again and again."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chatplatform.tests.store import everything
from clients.models import Client
from messaging.knowledge import documents
from messaging.knowledge.retrieving import retrieve
from messaging.models import Article

pytestmark = pytest.mark.django_db

TABLE = """\
key,kind,language,title,body,keywords,shortcut,published
k1,article,en,Returns,"Within 30 days.

With the label.","send back, label",,
k2,,es,Saludo,¡Hola!,,hola,yes
k3,,,Draft,Not yet,,,no
"""
PAGES = """\
# Delivery
Keywords: shipping, arrive

Two days.
## Abroad
```
# no heading
```
Five days.

# Empty

# Payment
By card.
"""


def imported(*arguments: str, client: str = "Acme") -> tuple[str, str, int]:
    told, complained, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("import_knowledge", *arguments, "--client", client, stdout=told, stderr=complained)
    except CommandError as error:
        code = error.returncode
    return told.getvalue().rsplit(";", 1)[0], complained.getvalue(), code


def test_a_table(acme: Any, tmp_path: Path) -> None:
    path = tmp_path / "help.csv"
    path.write_text(TABLE, "utf-8")
    before = everything()
    assert imported(str(path), "--dry-run") == ("Acme: 3 to make, 0 to update, 0 unchanged; 0 bad lines", "", 0)
    assert everything() == before
    assert imported(str(path)) == ("Acme: 3 made, 0 updated, 0 unchanged; 0 bad lines", "", 0)
    rows = Article.objects.order_by("id").values_list(
        "kind", "language", "title", "body", "keywords", "shortcut", "is_published"
    )
    assert list(rows) == [
        ("article", "en", "Returns", "Within 30 days.\n\nWith the label.", "send back, label", "", True),
        ("reply", "es", "Saludo", "¡Hola!", "", "hola", True),
        ("article", "en", "Draft", "Not yet", "", "", False),
    ]
    version = Client.objects.get(pk=acme.client.pk).rules_version
    assert imported(str(path)) == ("Acme: 0 made, 0 updated, 3 unchanged; 0 bad lines", "", 0)
    assert Client.objects.get(pk=acme.client.pk).rules_version == version
    path.write_text(TABLE.replace("30 days", "14 days"), "utf-8")
    assert imported(str(path), "--language", "es")[0] == "Acme: 0 made, 2 updated, 1 unchanged; 0 bad lines"
    assert Client.objects.get(pk=acme.client.pk).rules_version == version + 1
    [hit] = retrieve(acme.client.pk, "how many days for returns") or []
    assert hit.passage.startswith("Within 14 days.")
    assert Article.objects.get(key="k3").language == "es"


def test_markdown_files_and_folders(acme: Any, tmp_path: Path) -> None:
    folder = tmp_path / "help" / "more"
    folder.mkdir(parents=True)
    (tmp_path / "help" / "shop.md").write_text(PAGES, "utf-8")
    (folder / "Opening hours.md").write_text("\ufeffFrom nine to five.\r\n", "utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    told, complained, code = imported(str(tmp_path / "help"))
    assert (told, code) == ("Acme: 3 made, 0 updated, 0 unchanged; 1 bad lines", 1)
    assert complained == f'{tmp_path}/help/shop.md:11: "Empty" has no text\n'
    assert list(Article.objects.order_by("key").values_list("key", "title", "body", "keywords")) == [
        ("more/Opening hours", "more/Opening hours", "From nine to five.", ""),
        ("shop#Delivery", "Delivery", "Two days.\n## Abroad\n```\n# no heading\n```\nFive days.", "shipping, arrive"),
        ("shop#Payment", "Payment", "By card.", ""),
    ]
    assert imported(str(tmp_path / "help"))[0] == "Acme: 0 made, 0 updated, 3 unchanged; 1 bad lines"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("k9,article,en,,b,,,", "title: is required"), (",article,en,t,b,,,", "key: is required"),
        ("k9,article,xx,t,b,,,", "language: must be among en, es, id, none, pt"),
        ("k9,thing,en,t,b,,,", "kind: Value 'thing' is not a valid choice."),
        ("k9,article,en,t,b,,,maybe", "published: must be true or false"),
        ("k9,reply,en,t,b,,,", "shortcut: A canned reply has one: letters, digits, dashes, without spaces."),
        ("k9,reply,en,t,b,,taken,", "shortcut: Another canned reply has it."),
        ("k1,article,en,t,b,,,", "key: line 2 has it too"), ("k9,a", "2 columns, the first line has 8"),
        ("k9,article,en,t,b\udcff,,,", "not UTF-8"), ("k9,article,en,t,b\0,,,", "NUL characters are not allowed"),
        (f"{'k' * 256},article,en,t,b,,,", "key: longer than 255 characters"),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_and_the_rest_goes_in(acme: Any, tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "help.csv"
    rest = "\nk2,reply,en,Two,b,,taken,\n"
    order = "k1,article,en,One,b,,,\n" + (
        "k2,reply,en,Two,b,,taken,\n" + line + "\n" if "taken" in line else line + rest
    )
    text = TABLE.splitlines()[0] + "\n" + order
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    told, complained, code = imported(str(path))
    assert (told, code) == ("Acme: 2 made, 0 updated, 0 unchanged; 1 bad lines", 1)
    number = 4 if "taken" in line else 3
    assert complained.startswith(f"{path}:{number}: ")
    assert reason in complained


def test_what_is_too_long_or_cannot_be_read(acme: Any, rival: Any, tmp_path: Path) -> None:
    path = tmp_path / "help.md"
    path.write_bytes(b"# Good\nyes\n# Long\n" + b"word \n" * 30_000 + b"# Odd\n\xff\xfe\n# Last\nyes\n")
    told, complained, code = imported(str(path))
    assert (told, code) == ("Acme: 2 made, 0 updated, 0 unchanged; 2 bad lines", 1)
    assert f"{path}:3: longer than {documents.BODY_LENGTH} characters" in complained
    assert f"{path}:30004: line 30005 is not UTF-8 text" in complained
    assert not Article.objects.for_client(rival.client.pk).exists()
    for arguments, client in [((str(tmp_path / "none.md"),), "Acme"), ((str(path),), "Nobody")]:
        assert imported(*arguments, client=client)[2] == 2
    odd = tmp_path / "help.txt"
    odd.write_text("Some text", "utf-8")
    assert imported(str(odd))[2] == 2
    assert imported(str(odd), "--format", "markdown")[0].startswith("Acme: 1 made")
