"""Articles: how well they are found (the figures of docs/knowledge.md), and that their words are counted right."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatplatform.db import textindex
from chatplatform.errors import Invalid
from clients.models import Client
from conftest import ROOT
from messaging.actions import articles as actions
from messaging.actions import create_article, delete_article, update_article
from messaging.demo.articles import import_articles
from messaging.knowledge import retrieving
from messaging.knowledge.indexing import words_of
from messaging.knowledge.likeness import alike, distance
from messaging.knowledge.passages import LENGTH
from messaging.knowledge.retrieving import retrieve
from messaging.models import Article, ArticleTerm
from messaging.tests.knowledge.measuring import lines, measure
from messaging.tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db


def write(acme: Any, title: str, body: str = "Some text.", **columns: Any) -> Article:
    return create_article(client=acme.client, title=title, body=body, **columns)


def titles(acme: Any, question: str) -> list[str]:
    return [hit.article.title for hit in retrieve(acme.client.pk, question) or []]


def test_questions_in_other_words_find_their_article_and_unrelated_ones_none(acme: Any) -> None:
    """the same figures on both databases, as the docs have them"""
    assert import_articles(acme.client) == 31
    assert (len(lines("questions")), len(lines("unrelated"))) == (100, 100)
    assert not set(lines("questions")) & set(lines("tuning_questions"))
    found = measure(acme.client.pk, "questions", "unrelated")
    assert found.first >= 80
    assert 100 - len(found.taken) >= 95
    figures = (found.first, found.answered, len(found.wrongly), 100 - len(found.taken))
    assert figures == (85, 69, 7, 98)
    docs = Path(ROOT, "docs", "knowledge.md").read_text("utf-8")
    assert "| held out | 85 of 100 | 69 | 7 | 98 of 100 |" in docs


def test_what_is_quoted_stands_in_the_article(acme: Any) -> None:
    import_articles(acme.client)
    for line in lines("questions"):
        for hit in retrieve(acme.client.pk, line.split("\t")[1]) or []:
            body = Article.objects.get(pk=hit.article.pk).body
            assert all(part in body for part in hit.passage.split("\n\n"))
            assert 0 < len(hit.passage) <= LENGTH


def test_a_long_text_is_quoted_from_where_it_answers(acme: Any) -> None:
    much = " ".join(f"Sentence {n} of no interest." for n in range(200))
    write(acme, "Everything", f"{much} The umbrella is in the hall. {much}")
    [hit] = retrieve(acme.client.pk, "where is the umbrella") or []
    assert hit.passage.startswith("The umbrella is in the hall. Sentence 0")
    assert len(hit.passage) <= LENGTH
    write(acme, "No end", "zebra" + "x" * 3000)
    write(acme, "Spaces", "yak " * 3000)
    assert len((retrieve(acme.client.pk, "no end") or [])[0].passage) <= LENGTH + 2
    assert titles(acme, "yak") == ["Spaces"]


def test_titles_and_keywords_count_more_than_the_text(acme: Any) -> None:
    write(acme, "Other", "A parcel is named here.")
    write(acme, "Third", keywords="Parcel")
    write(acme, "Parcels")
    for title in ("One", "Two", "Three"):
        write(acme, title)
    assert titles(acme, "my PÁRCEL?") == ["Parcels", "Third", "Other"]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("recieve", ["Receiving goods"]), ("reciving", ["Receiving goods"]), ("subscribe", ["Your subscription"]),
        ("e-mail", ["E-mail"]), ("email", ["E-mail"]), ("devolucion", ["Devoluciones"]), ("xyzzy", []), ("", []),
        ("the of and", []), ("🙂", []),
    ],
)  # fmt: skip
def test_misspelt_words_and_other_forms(acme: Any, question: str, found: list[str]) -> None:
    for title, language in [
        ("Receiving goods", "en"), ("Your subscription", "en"), ("E-mail", "en"), ("Devoluciones", "es"),
    ]:  # fmt: skip
        write(acme, title, "…", language=language)
    assert titles(acme, question) == found


def test_a_greeting_is_found_where_somebody_wrote_an_answer_to_it(acme: Any) -> None:
    write(acme, "Greeting", "Welcome!", kind="reply", shortcut="hi", keywords="hello, hi")
    assert titles(acme, "Hello!") == ["Greeting"]
    assert titles(acme, "Hello, what about giraffes?") == []


def test_a_number_fits_nothing(acme: Any) -> None:
    write(acme, "Costs", "From 7.50 on. Order 7 things.")
    write(acme, "Orders")
    assert titles(acme, "7") == titles(acme, "7 50?") == []
    assert titles(acme, "where is order 7") == ["Orders", "Costs"]


def test_distances() -> None:
    cases = [("abcd", "abcd", 0), ("abcd", "abdc", 1), ("abcd", "abc", 1), ("abcd", "xbcd", 1), ("abcd", "wxyz", 4)]
    assert [distance(one, other, 9) for one, other, _ in cases] == [steps for *_, steps in cases]
    assert distance("abcd", "dcba", 1) > 1
    assert alike("delvery", [("delivery", 3), ("driver", 9), ("d", 1), ("1234567", 1)]) == ["delivery"]


def counted(client: Client) -> dict[tuple[str, str], int]:
    """From the articles themselves."""
    found: Counter[tuple[str, str]] = Counter()
    for row in Article.objects.for_client(client.pk):
        found.update((row.language, word) for word in set(words_of(row)))
    return dict(found)


def kept(client: Client) -> dict[tuple[str, str], int]:
    return {(row.language, row.term): row.articles for row in ArticleTerm.objects.for_client(client.pk)}


def test_words_are_counted_through_every_change(acme: Any, rival: Any) -> None:
    one = write(acme, "Red apples", "Apples and pears")
    two = write(acme, "Pears", "Pears, red pears")
    create_article(client=rival.client, title="Apples", body="Red")
    assert kept(acme.client) == {("en", "red"): 2, ("en", "appl"): 1, ("en", "pear"): 2, ("en", "and"): 1}
    steps = [
        lambda: update_article(article=one, body="Plums"), lambda: update_article(article=two, is_published=False),
        lambda: update_article(article=one, language="es"), lambda: update_article(article=two, is_published=True),
        lambda: update_article(article=two, title="Pears"), lambda: delete_article(one), lambda: delete_article(two),
    ]  # fmt: skip
    for step in steps:
        step()
        assert kept(acme.client) == counted(acme.client)
        assert textindex.is_sound(Article, "search")
    assert (kept(acme.client), kept(rival.client)) == ({}, {("en", "appl"): 1, ("en", "red"): 1})


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_count_right(acme: Any) -> None:
    shared = write(acme, "Shared", "apples")

    def work(number: int) -> None:
        try:
            for n in range(3):
                row = write(acme, f"Title {number} {n}", "Apples and pears")
                update_article(article=shared, body=f"apples {number} {n}")
                if n:
                    delete_article(row)
        finally:
            connection.close()

    at_once(work, 4)
    assert Article.objects.count() == 5
    assert kept(acme.client) == counted(acme.client)
    assert kept(acme.client)["en", "appl"] == 5
    assert textindex.is_sound(Article, "search")


def test_the_index_is_made_anew(acme: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write(acme, "Red apples", "Apples and pears")
    write(acme, "Plums", is_published=False)
    right = kept(acme.client)
    ArticleTerm.objects.filter(term="red").delete()
    ArticleTerm.objects.create(client=acme.client, language="en", term="zebra", head="ze", articles=3)
    Article.objects.update(search=[])
    assert titles(acme, "apples") == []
    call_command("reindex_knowledge")
    assert capsys.readouterr().out.startswith("2 articles indexed anew")
    assert kept(acme.client) == right
    assert titles(acme, "red apples and plums") == ["Red apples"]
    assert textindex.is_sound(Article, "search")


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"title": " "}, "title"), ({"title": "x" * 256}, "title"), ({"body": "\n"}, "body"),
        ({"body": "x" * 50_001}, "body"), ({"body": "\0"}, "body"), ({"language": "xx"}, "language"),
        ({"keywords": "x" * 1001}, "keywords"), ({"shortcut": "x"}, "shortcut"),
        ({"kind": "reply"}, "shortcut"), ({"kind": "reply", "shortcut": "a b"}, "shortcut"),
        ({"kind": "reply", "shortcut": "TAKEN"}, "shortcut"), ({"kind": "x"}, "kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_article(acme: Any, columns: dict[str, str], field: str) -> None:
    write(acme, "Taken", kind="reply", shortcut="taken")
    before = kept(acme.client)
    with pytest.raises(Invalid) as refused:
        create_article(client=acme.client, **{"title": "A", "body": "B", **columns})
    assert list(refused.value.fields) == [field]
    assert (Article.objects.count(), kept(acme.client)) == (1, before)


def test_a_client_has_so_many_articles(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ARTICLES", 1)
    write(acme, "One")
    with pytest.raises(Invalid):
        write(acme, "Two")


def test_an_article_is_in_its_clients_language(acme: Any) -> None:
    Client.objects.filter(pk=acme.client.pk).update(search_language="es")
    acme.client.refresh_from_db()
    assert write(acme, "Devoluciones").language == "es"


def test_few_statements_and_few_articles_whatever_there_is(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """the rarest words find what is looked at; of words that all articles have, all together do"""
    monkeypatch.setattr(retrieving, "CANDIDATES", 10)
    for n in range(30):
        write(acme, f"Order {n}", f"Every order has a number, and this is about walrus{n:02d} things.")
    looked_at: list[int] = []
    real = retrieving.score
    monkeypatch.setattr(retrieving, "score", lambda *a, **k: looked_at.append(1) or real(*a, **k))
    with CaptureQueriesContext(connection) as queries:
        assert titles(acme, "my order of walrus07, whatever ordr") == ["Order 7"]
    assert len(queries) == 5
    assert len(looked_at) == 1
    assert len(titles(acme, "every order")) == 3
    assert len(looked_at) == 11
