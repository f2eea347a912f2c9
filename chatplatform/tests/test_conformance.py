"""Every row of the contracts is held by a test, or is named as a later issue's."""

import re

import pytest

from .conformance import contracts, page
from .conformance.contracts import NoSuchRow, Row, find, read, rows
from .conformance.later import LATER, NOTHING_TO_TEST, excused
from .conformance.plugin import HELD

#: The contracts whose every row must have its test.
COMPLETE = ["README", "accounts", "assistant", "behaviour", "mapping", "platform", "rooms", "whatsapp", "workspace"]

SAMPLE = """# A title

Base `/x. y`. Ids (strings. Always) are e.g. `a`. Two
lines.

| field | meaning |
|---|---|
| `a` | one \\| two |

## Errors (exact)
- **Bold.** One sentence. `b`: another (with 1.5).
```json
{"c": 1}
```
"""


@pytest.fixture
def held(request, shared) -> dict[str, list[str]]:
    """Position of a row → its tests; only where the whole suite was collected."""
    config = request.config
    if sorted(config.args) != sorted(config.getini("testpaths")):
        pytest.skip("only a part of the suite was collected")
    return config.stash[HELD]


def test_rows_are_table_rows_and_sentences():
    assert list(read("x", SAMPLE)) == [
        Row("x", "intro", 1, "Base `/x. y`."),
        Row("x", "intro", 2, "Ids (strings. Always) are e.g. `a`."),
        Row("x", "intro", 3, "Two lines."),
        Row("x", "intro", 4, "`a` | one | two"),
        Row("x", "errors", 1, "**Bold.** One sentence."),
        Row("x", "errors", 2, '`b`: another (with 1.5).\n{"c": 1}'),
    ]


def test_a_fragment_stands_in_exactly_one_row(monkeypatch):
    monkeypatch.setattr(contracts, "rows", lambda: tuple(read("x", SAMPLE)))
    assert find("x: ONE  | two").position == "x · intro · 4"
    assert find('x: "c": 1').position == "x · errors · 2"
    for mark in ("x: one", "x: nowhere", "y: Two lines.", "x:", "Two lines."):
        with pytest.raises(NoSuchRow):
            find(mark)


def test_no_line_of_the_lists_is_stale(held):
    positions = [find(mark).position for mark in [*(later.mark for later in LATER), *NOTHING_TO_TEST]]
    assert sorted(positions) == sorted(set(positions)), "a row is named twice"
    assert [later.mark for later in LATER if not later.partly and find(later.mark).position in held] == []
    partly = [find(later.mark) for later in LATER if later.partly]
    assert [row.position for row in partly if row.file in COMPLETE and row.position not in held] == []
    assert [mark for mark in NOTHING_TO_TEST if find(mark).position in held] == []


def test_every_row_has_a_test(held):
    missing = [row for row in rows() if row.file in COMPLETE and row.position not in held.keys() | excused()]
    assert [f"{row.position}: {row.label}" for row in missing] == []


def test_the_page_shows_the_contracts_as_they_are(shared):
    shown = re.findall(r"^\| (\w+ · .+? · \d+) \| `(.+?)` \|", page.PAGE.read_text(), re.MULTILINE)
    assert shown == [(row.position, row.label.replace("|", r"\|")) for row in rows()]
