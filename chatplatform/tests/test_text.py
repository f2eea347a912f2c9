"""Folding: what it makes of a text, and that no text makes it slow."""

import unicodedata

import pytest

from chatplatform.tests.effort import ending
from chatplatform.text import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Reclamación", "reclamacion"),
        ("STRASSE Straße", "strasse strasse"),
        ("ＦＲＥＥ", "free"),
        ("Ёлка", "елка"),
        ("", ""),
    ],
)
def test_folds_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_is_what_the_whole_text_decomposed_would_be() -> None:
    every = "".join(chr(code) for code in range(0x30000) if not 0xD800 <= code <= 0xDFFF)
    decomposed = unicodedata.normalize("NFKD", every.casefold())
    assert fold(every) == "".join(char for char in decomposed if not unicodedata.combining(char))


def test_a_heap_of_accents_takes_no_longer() -> None:
    """Sorting 16,000 pairs of them, as normalizing does, takes a second, and ten times as many take minutes."""
    with ending():
        assert fold("a" + "\u0301\u0323" * 160_000) == "a"
