"""What rules and auto-tags cost a message: `bench/rules.py [FILE.csv]` (a column `text`; else a text of our own).

Processor time, without the database: a client with the default auto-tags and office hours, and one with as
many of both as there may be.
"""

import csv
import os
import random
import statistics
import string
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = "Hello, my order was due on Monday and it has not arrived."
ROUNDS = 20_000


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
    import django

    django.setup()
    text = median_text(Path(sys.argv[1])) if len(sys.argv) > 1 else TEXT
    print(f"a text of {len(text)} characters, milliseconds of processor time a message")
    for name, tags, rules in (("the defaults, one rule", 0, 1), ("1,000 auto-tags, 200 rules", 997, 200)):
        print(f"{name}: auto-tags {spent(partial(tagging(tags), text)):.4f}, rules {spent(judging(rules)):.4f}")
    return 0


def median_text(path: Path) -> str:
    with path.open(newline="", encoding="utf-8") as file:
        texts = sorted((row["text"] for row in csv.DictReader(file)), key=len)
    return texts[len(texts) // 2]


def tagging(more: int) -> Callable[[str], object]:
    from messaging.actions.rules import DEFAULT_AUTO_TAGS
    from messaging.rules.words import Tagger

    chance = random.Random(1)
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(3, 12))) for _ in range(more)]
    defaults = [(list(few), tag) for tag, few in DEFAULT_AUTO_TAGS.items()]
    return Tagger([*defaults, *(([word], word) for word in words)]).tags


def judging(number: int) -> Callable[[], object]:
    from zoneinfo import ZoneInfo

    from messaging.rules.hours import Rule, applying, decide

    zone, clock = ZoneInfo("America/Bogota"), datetime(2027, 1, 1, tzinfo=UTC).time()
    rules = [
        Rule(
            id=n, name="", denies=n % 2 == 1, zone=zone, days=frozenset(range(5)),
            start=clock.replace(hour=9), end=clock.replace(hour=18, minute=n % 60),
        )
        for n in range(number)
    ]  # fmt: skip
    now = datetime(2027, 3, 6, 12, tzinfo=UTC) + timedelta(minutes=1)  # a Saturday: every rule is asked
    return lambda: decide(applying(rules, "website", frozenset()), now)


def spent(call: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(ROUNDS // 5):
            call()
        times.append((time.process_time() - began) / (ROUNDS // 5) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
