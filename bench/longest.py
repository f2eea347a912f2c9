"""What the longest texts cost anti-spam and auto-tags, in milliseconds of processor time: `bench/longest.py`.

Fails where one takes longer than 50 ms in the quickest of several attempts.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST = 50.0  # milliseconds


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
    import django

    django.setup()
    figures = sorted(((spent(work), name) for name, work in cases()), reverse=True)
    for took, name in figures:
        print(f"{took:5.1f} ms  {name}")
    return int(figures[0][0] > MOST)


def cases() -> Iterator[tuple[str, Callable[[], object]]]:
    from messaging.tests import long_texts

    judge = long_texts.judge()
    for name, text in long_texts.SUSPECT.items():
        yield f"anti-spam: {name}", lambda text=text: judge.read(text)
    for name, (keywords, text) in long_texts.KEYWORDS.items():
        of_keywords = long_texts.judge_of(keywords)
        yield f"anti-spam, 500 keywords: {name}", lambda judge=of_keywords, text=text: judge.read(text)
    for kind in long_texts.TAGGERS:
        tagger = long_texts.tagger(kind)
        for name, text in long_texts.WORDY.items():
            yield f"1,000 auto-tags {kind}: {name}", lambda tagger=tagger, text=text: tagger.tags(text)


def spent(work: Callable[[], object], attempts: int = 5) -> float:
    work()  # what is learnt once
    times = []
    for _ in range(attempts):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) * 1000)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
