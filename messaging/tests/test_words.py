"""contracts/workspace.md, Auto-tags: which words match, and how fast."""

import random

import pytest

from messaging.actions.rules import DEFAULT_AUTO_TAGS
from messaging.rules.words import Tagger, words_of

DEFAULTS = Tagger((words, tag) for tag, words in DEFAULT_AUTO_TAGS.items())


@pytest.mark.contract("workspace: Auto-tags (staff-editable", "workspace: Defaults: precio")
@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("¿Qué precio tiene?", ["comercial"]),
        ("PRECIOS", ["comercial"]),
        ("Es urgentemente necesario", ["alta_prioridad"]),
        ("el pago, por favor", ["comercial"]),
        ("¡PROBLÉMA!", ["soporte_tecnico"]),
        ("un errorcito", ["soporte_tecnico"]),
        ("falla/costo urgente", ["comercial", "soporte_tecnico", "alta_prioridad"]),
        ("(inmediato)_pago", ["comercial", "alta_prioridad"]),
        ("emergencias y fallas", ["soporte_tecnico", "alta_prioridad"]),
        ("apreciado cliente, despago, terror", []),  # within a word is not at its beginning
        ("preci o", []),
        ("", []),
        ("😀 … 12345", []),
    ],
)
def test_the_defaults(text, tags):
    assert DEFAULTS.tags(text) == tags


@pytest.mark.parametrize(
    ("keyword", "text", "matches"),
    [
        ("no funciona", "Ya NO   funciónan las luces", True),
        ("no funciona", "no\nfunciona", True),
        ("no funciona", "no, funciona", True),
        ("no funciona", "no me funciona", False),
        ("no funciona", "nota funciona", False),
        ("no funciona", "no", False),
        ("no funciona ya hoy", "no no funciona ya hoyo", True),
        ("24/7", "abierto 24-7-365", True),
        ("straße", "STRASSEN", True),
        ("strasse", "Straße", True),
        ("İstanbul", "istanbul", True),
        ("e-mail", "email", False),
        ("发票", "发票在哪里", True),
        ("ﬁn", "final", True),
        ("x" * 50, "x" * 49, False),
        ("x" * 50, "x" * 60, True),
    ],
)
def test_keywords(keyword, text, matches):
    assert Tagger([(["never"], "other"), ([keyword], "found")]).tags(text) == (["found"] if matches else [])


def test_what_a_word_is():
    assert words_of("Él pagó 3,5 € a Peña_Nieto (C++)") == ["el", "pago", "3", "5", "a", "pena", "nieto", "c"]


def test_tags_come_once_and_in_the_order_of_their_making():
    tagger = Tagger([(["b", "a"], "first"), (["c", "a b"], "second"), (["a"], "first")])
    assert tagger.tags("a b c a b c") == ["first", "second"]
    assert Tagger([]).tags("a") == []


def test_it_agrees_with_a_plain_search():
    """every keyword against every place of the text"""
    chance = random.Random(7)
    for _ in range(300):
        rows = [([some_words(chance, 3) for _ in range(3)], str(n)) for n in range(20)]
        text = some_words(chance, 30)
        spaced = f" {text}"
        expected = [tag for tag, words in ((t, w) for w, t in rows) if any(f" {word}" in spaced for word in words)]
        assert Tagger(rows).tags(text) == expected


def some_words(chance, most):
    return " ".join("".join(chance.choices("ab", k=chance.randint(1, 3))) for _ in range(chance.randint(1, most)))
