"""What a search is made of (docs/search.md)."""

from datetime import date

import pytest

from chatplatform.db.textindex import Wanted
from chatplatform.errors import Invalid
from messaging.search.marking import marked
from messaging.search.query import LONGEST, parse


@pytest.mark.parametrize(
    ("text", "every", "none"),
    [
        ("lost Orders", [("lost",), ("order",)], []),
        ('"lost orders" card', [("lost", "order"), ("card",)], []),
        ('card -"lost orders" -refund', [("card",)], [("lost", "order"), ("refund",)]),
        ("well-known don't", [("well", "known"), ("don", "t")], []),
        ('"unfinished phrase', [("unfinish", "phrase")], []),
        ('a""b -- - -"" "" "', [("a",), ("b",)], []),
        ("reason: x http://a.b", [("reason",), ("x",), ("http", "a", "b")], []),
        ("from: agent", [("from",), ("agent",)], []),
        ("日本 -中", [("日", "本")], [("中",)]),
        ("the OR not NEAR(a b) *", [("the",), ("or",), ("not",), ("near", "a"), ("b",)], []),
        ("'; DROP TABLE x; -- \\", [("drop",), ("tabl",), ("x",)], []),
        ("a:* & !b | (c)", [("a",), ("b",), ("c",)], []),
        ("a:b\\:c <-> \u202e d", [("a", "b", "c"), ("d",)], []),
    ],
)
def test_words(text: str, every: list[tuple[str, ...]], none: list[tuple[str, ...]]) -> None:
    assert parse(text).words("en") == Wanted(every=tuple(every), none=tuple(none))


def test_filters() -> None:
    found = parse('x From:agent -channel:sms from:"Ana María" after:2024-01-31 before:2024-02-29 before:2024-02-20')
    assert found.filters == (("from", "agent", False), ("channel", "sms", True), ("from", "Ana María", False))
    assert (found.after, found.before) == (date(2024, 1, 31), date(2024, 2, 20))
    assert parse("x -before:2024-01-31").after == date(2024, 1, 31)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-refund", '-"a b"', "!!! ???", '""', '"', "-", "from:agent", "before:2024-01-01",
        "x before:yesterday", "x after:2024-02-30", "x before:0001-01-01", "x after:9999-12-31",
        "x before:٢٠٢٤-٠١-٠١", "x" * (LONGEST + 1), "日" * 65,
    ],
)  # fmt: skip
def test_nothing_to_find(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert list(refused.value.fields) == ["query"]


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("My ORDERS, <b>please</b>", "order please", "My <mark>ORDERS</mark>, &lt;b&gt;<mark>please</mark>&lt;/b&gt;"),
        ("the lost order, a lost card", '"lost card"', "the lost order, a <mark>lost</mark> <mark>card</mark>"),
        ("¿Reclamación?", "reclamacion", "¿<mark>Reclamación</mark>?"),
        ("nothing", "other", "nothing"),
        ("日本語", "本", "日<mark>本</mark>語"),
    ],
)
def test_marking(text: str, query: str, shown: str) -> None:
    assert marked(text, parse(query).words("en"), "en") == shown


def test_a_part_of_a_long_text_is_shown() -> None:
    shown = marked("word " * 1000 + "<needle> " + "word " * 1000, parse("needle").words("en"), "en")
    assert shown.startswith("…word ")
    assert shown.endswith("…")
    assert "&lt;<mark>needle</mark>&gt;" in shown
    assert len(shown) < 320
