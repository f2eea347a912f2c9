"""Articles and canned replies: what is changed is answered from by the very next question. Each write holds the
client's row, so that the words of its articles are counted by one at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatplatform.db import textindex
from chatplatform.errors import Invalid, NotFound
from clients.actions import rules_changed
from clients.checks import check_columns
from clients.models import Client

from ..knowledge import indexing
from ..knowledge_models import BODY_LENGTH
from ..models import Article, ArticleTerm

_AT_ONCE = 500
ARTICLES = 20_000  # of a client, canned replies among them
_COLUMNS = ("kind", "language", "title", "body", "keywords", "shortcut", "key")
_SHORTCUT = re.compile(r"[\w-]{1,50}")


@transaction.atomic
def create_article(*, client: Client, **columns: Any) -> Article:
    """An article, or with `kind` "reply" a canned reply. Without a language, in the client's. Raises Invalid."""
    row = Article(client=client, **{"language": client.search_language, **columns})
    check_article(row)
    _lock(client.pk)
    _ensure_room(client.pk, 1)
    _ensure_shortcut_is_free(row)
    _save([row], [])
    return row


@transaction.atomic
def update_article(*, article: Article, **changes: Any) -> Article:
    """What is so already is no change. Raises Invalid, NotFound."""
    row = _locked(article)
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    check_article(row)
    if any(getattr(row, name) != value for name, value in before.items()):
        if getattr(row, "shortcut", "") != before.get("shortcut", row.shortcut):
            _ensure_shortcut_is_free(row)
        _save([], [row])
    return row


@transaction.atomic
def delete_article(article: Article) -> None:
    """Answers that quoted it keep what they said. Raises NotFound."""
    row = _locked(article)
    indexing.forget(row.client_id, list(indexing.stored_terms([row])))
    Article.objects.filter(pk=row.pk).delete()
    rules_changed(row.client_id)


@dataclass
class Stored:
    """What became of an import's part: numbers of articles, and which of them could not go in."""

    made: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


@transaction.atomic
def store_articles(*, client: Client, given: Sequence[dict[str, Any]], dry_run: bool = False) -> Stored:
    """Each under its `key`: made where the client has none of it, else brought up to date. `refused` has the place
    of each that cannot go in, and why."""
    _lock(client.pk)
    done = Stored()
    known = {row.key: row for row in _of(client.pk).filter(key__in=[one["key"] for one in given])}
    shortcuts = [one["shortcut"] for one in given if one.get("shortcut")]
    taken = dict(_of(client.pk).filter(shortcut__in=shortcuts).values_list("shortcut", "key"))
    new: list[Article] = []
    changed: list[Article] = []
    room = ARTICLES - _of(client.pk).count()
    for place, columns in enumerate(given):
        row = known.get(columns["key"])
        before = {name: getattr(row, name) for name in columns} if row else None
        one = row or Article(client=client)
        for name, value in columns.items():
            setattr(one, name, value)
        try:
            check_article(one)
            if taken.setdefault(one.shortcut, one.key) != one.key and one.shortcut:
                raise _invalid(shortcut="Another canned reply has it.")
            if row is None and len(new) >= room:
                raise _invalid(articles=f"At most {ARTICLES} in a workspace.")
        except Invalid as error:
            done.refused.append((place, "; ".join(f"{name}: {said[0]}" for name, said in error.fields.items())))
            continue
        if before is None:
            new.append(one)
        elif any(getattr(one, name) != value for name, value in before.items()):
            changed.append(one)
        else:
            done.unchanged += 1
    done.made, done.updated = len(new), len(changed)
    if (new or changed) and not dry_run:
        _save(new, changed)
    return done


@transaction.atomic
def reindex_articles(client: Client) -> int:
    """All of a client's, and the count of their words, from what they say: after an update that stems otherwise.
    Nobody else writes an article of the client meanwhile. How many there are."""
    _lock(client.pk)
    ArticleTerm.objects.for_client(client.pk).delete()
    done, last = 0, 0
    while rows := list(_of(client.pk).filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        indexing.index(rows, ())
        textindex.store(Article, "search", {row.pk: row.search for row in rows})
        done, last = done + len(rows), rows[-1].pk
    return done


def check_article(row: Article) -> None:
    """Raises Invalid; what may be written in several ways is put right."""
    row.title = " ".join(row.title.split())
    row.body = row.body.replace("\r\n", "\n").strip()
    row.keywords = ", ".join(dict.fromkeys(" ".join(part.split()) for part in row.keywords.split(",") if part.strip()))
    row.shortcut = row.shortcut.strip().lower()
    check_columns(row, _COLUMNS)
    if len(row.body) > BODY_LENGTH:
        raise _invalid(body=f"Ensure this field has no more than {BODY_LENGTH} characters.")
    is_reply = row.kind == Article.Kind.REPLY
    if is_reply and not _SHORTCUT.fullmatch(row.shortcut):
        raise _invalid(shortcut="A canned reply has one: letters, digits, dashes, without spaces.")
    if not is_reply and row.shortcut:
        raise _invalid(shortcut="Only a canned reply has one.")


def _save(new: list[Article], changed: list[Article]) -> None:
    """With their words, in the same transaction."""
    now = timezone.now()
    before = list(indexing.stored_terms(changed))
    indexing.index([*new, *changed], before)
    Article.objects.bulk_create(new)
    for row in changed:
        row.updated_at = now
        row.save(update_fields=[*_COLUMNS, "is_published", "search", "updated_at"])
    rules_changed([*new, *changed][0].client_id)


def _of(client_id: int) -> Any:
    return Article.objects.for_client(client_id)


def _lock(client_id: int) -> None:
    Client.objects.select_for_update(no_key=True).only("pk").get(pk=client_id)


def _locked(article: Article) -> Article:
    """As it stands now, with its client locked before it."""
    _lock(article.client_id)
    row: Article | None = Article.objects.filter(pk=article.pk).first()
    if row is None:
        raise NotFound("Article")
    return row


def _ensure_room(client_id: int, more: int) -> None:
    if _of(client_id).count() + more > ARTICLES:
        raise _invalid(articles=f"At most {ARTICLES} in a workspace.")


def _ensure_shortcut_is_free(row: Article) -> None:
    if row.shortcut and _of(row.client_id).filter(shortcut=row.shortcut).exclude(pk=row.pk).exists():
        raise _invalid(shortcut="Another canned reply has it.")


def _invalid(**fields: str) -> Invalid:
    return Invalid("Validation error", fields={name: [said] for name, said in fields.items()})
