"""Articles as files have them: a line of CSV, or a heading of Markdown with what stands below it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from clients.fields import json_problem
from clients.importing.lines import BadLine, shown
from clients.importing.tables import records
from clients.search import LANGUAGES

from ..knowledge_models import BODY_LENGTH, KEY_LENGTH

#: What an article in a file is called by: where it begins, and its columns.
Document = tuple[int, dict[str, Any] | BadLine]
Lines = Iterable[tuple[int, bytes | None]]

COLUMNS = ("key", "kind", "language", "title", "body", "keywords", "shortcut", "published")
_LANGUAGES = frozenset(code for code, _ in LANGUAGES)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")


def of_table(lines: Lines, language: str) -> Iterator[Document]:
    for number, data in records(lines):
        try:
            yield number, data if isinstance(data, BadLine) else _of_record(data, language)
        except BadLine as error:
            yield number, error


def _of_record(data: dict[str, Any], language: str) -> dict[str, Any]:
    for name in ("key", "title", "body"):
        if not data.get(name):
            raise BadLine(f"{name}: is required")
    text = {name: data.get(name) or "" for name in COLUMNS}
    published = (text["published"] or "true").strip().lower()
    if published not in _TRUTH:
        raise BadLine("published: must be true or false")
    columns = {name: text[name] for name in ("title", "body", "keywords", "shortcut")}
    kind = text["kind"].strip().lower() or ("reply" if text["shortcut"] else "article")
    chosen = text["language"].strip().lower() or language
    return {
        **columns,
        "key": _key(text["key"]),
        "kind": kind,
        "language": _known(chosen),
        "is_published": _TRUTH[published],
    }


def of_markdown(lines: Lines, name: str, language: str) -> Iterator[Document]:
    """One article for each heading of the first level; a file without one is one article, called like the file."""
    body: list[str] = []
    began, title, problem = 1, "", ""
    size, is_code = 0, False
    for number, line in lines:
        text = "" if line is None else line.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r\n")
        if line is None:
            problem = problem or f"line {number} is longer than 8 MiB"
        elif "\ufffd" in text or json_problem(text):
            problem = problem or f"line {number} is not UTF-8 text"
        if _FENCE.match(text):
            is_code = not is_code
        if text.startswith("# ") and not is_code:
            yield from _article(began, title, body, problem, name, language)
            began, title, body, problem, size = number, text[2:].strip(), [], "", 0
            continue
        size += len(text) + 1
        if size > BODY_LENGTH * 2:
            problem = problem or f"longer than {BODY_LENGTH} characters"
        else:
            body.append(text)
    yield from _article(began, title, body, problem, name, language)


def _article(began: int, title: str, body: list[str], problem: str, name: str, language: str) -> Iterator[Document]:
    keywords = ""
    for place, line in enumerate(body):
        if line.strip():
            if line.lower().startswith("keywords:"):
                keywords, body = line.partition(":")[2].strip(), body[place + 1 :]
            break
    text = "\n".join(body).strip()
    if not title and not text:
        return
    try:
        if problem:
            raise BadLine(problem)
        if not text:
            raise BadLine(f"{shown(title)} has no text")
        columns = {"title": title or name, "body": text, "keywords": keywords, "shortcut": "", "kind": "article"}
        key = _key(f"{name}#{title}" if title else name)
        yield began, {**columns, "key": key, "language": _known(language), "is_published": True}
    except BadLine as error:
        yield began, error


def _key(text: str) -> str:
    if len(text) > KEY_LENGTH:
        raise BadLine(f"key: longer than {KEY_LENGTH} characters")
    return text.strip()


def _known(language: str) -> str:
    if language not in _LANGUAGES:
        raise BadLine(f"language: must be among {', '.join(sorted(_LANGUAGES))}")
    return language
