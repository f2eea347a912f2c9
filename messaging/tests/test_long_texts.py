"""What the longest texts cost anti-spam and auto-tags. `bench/longest.py` has the milliseconds: 50 at most."""

import pytest

from chatplatform.tests.effort import ending, lines_run

from . import long_texts
from .long_texts import KEYWORDS, LONGEST, SUSPECT, TAGGERS, WORDY


@pytest.mark.parametrize("name", SUSPECT)
def test_no_text_takes_anti_spam_long(name: str) -> None:
    text, judge = SUSPECT[name], long_texts.judge()
    assert len(text.encode()) <= LONGEST
    with ending():
        reasons = judge.read(text)
    assert lines_run(lambda: judge.read(text)) <= 260_000
    assert all(len(one["detail"]) <= 120 for one in reasons)
    assert len(reasons) < 30


@pytest.mark.parametrize("name", KEYWORDS)
def test_no_list_of_keywords_takes_long(name: str) -> None:
    keywords, text = KEYWORDS[name]
    judge = long_texts.judge_of(keywords)
    with ending():
        judge.read(text)
    assert lines_run(lambda: judge.read(text)) <= 600_000


@pytest.mark.parametrize("kind", TAGGERS)
def test_a_thousand_rules_and_the_longest_text(kind: str) -> None:
    tagger = long_texts.tagger(kind)
    for name, text in WORDY.items():
        with ending():
            tagger.tags(text)
        assert lines_run(lambda text=text: tagger.tags(text)) <= 450_000, name
