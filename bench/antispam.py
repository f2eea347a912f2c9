"""How good anti-spam is, and what it costs: `bench/antispam.py FILE.csv` (columns `label`, `text`).

The sends, off and on, run in the database of DATABASE_URL and are rolled back.
"""

import argparse
import csv
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/antispam.py", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sends", type=int, default=0, help="how many messages to send, off and on")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
    import django

    django.setup()
    with options.file.open(newline="", encoding="utf-8") as file:
        rows = [(row["text"], row["label"] == "spam") for row in csv.DictReader(file)]
    quality(rows)
    speed([text for text, _ in rows])
    if options.sends:
        sends(sorted((text for text, _ in rows), key=len)[len(rows) // 2], options.sends)
    return 0


def quality(rows: Sequence[tuple[str, bool]]) -> None:
    from messaging import spam
    from messaging.spam.points import THRESHOLDS

    judge = spam.Judge(spam.AntiSpam(enabled=True))
    scored = [(spam.score(judge.read(text)), is_spam) for text, is_spam in rows]
    unwanted = sum(is_spam for _, is_spam in rows)
    print(f"{len(rows):,} messages, {unwanted:,} of them spam")
    for sensitivity, threshold in THRESHOLDS.items():
        passed = [is_spam for score, is_spam in scored if score >= threshold]
        right = sum(passed)
        print(
            f"{sensitivity:7} precision {right / max(len(passed), 1):.3f}  recall {right / max(unwanted, 1):.3f}  "
            f"false alarms {len(passed) - right} of {len(rows) - unwanted:,}"
        )


def speed(texts: Sequence[str], rounds: int = 20) -> None:
    """Processor time, so that other programs do not count."""
    from messaging import spam

    judge = spam.Judge(spam.AntiSpam(enabled=True, blacklist_keywords=["casino", "free money"]))
    times = []
    for text in texts:
        began = time.process_time()
        for _ in range(rounds):
            judge.read(text)
        times.append((time.process_time() - began) / rounds * 1000)
    median = sorted(texts, key=len)[len(texts) // 2]
    of_median = [taken for text, taken in zip(texts, times, strict=True) if len(text) == len(median)]
    print(
        f"a message: median {statistics.median(times):.3f} ms, mean {statistics.mean(times):.3f} ms, "
        f"of median length ({len(median)} characters) {statistics.mean(of_median):.3f} ms"
    )


def sends(text: str, count: int) -> None:
    from django.db import transaction

    with transaction.atomic():
        for name, actions in (("off", None), ("on", ["flag"]), ("off again", None), ("on again", ["flag"])):
            print(f"a send, {name}: {send_time(text, count, actions):.3f} ms")
        transaction.set_rollback(True)


def send_time(text: str, count: int, actions: list[str] | None) -> float:
    """The median of sends by as many people as there are messages: nobody repeats themselves."""
    from clients import actions as people
    from clients.callers import system_caller
    from conversations.actions import create_conversation
    from messaging import spam
    from messaging.actions import send_message
    from messaging.senders import as_contact

    tenant = people.create_tenant(name=f"bench {os.getpid()} {time.monotonic_ns()}")
    if actions is not None:
        wanted = spam.checked({"enabled": True, "actions": actions, "blacklist_keywords": ["casino"]})
        people.change_settings(tenant.client.pk, antispam=wanted)
    conversation = create_conversation(client_id=tenant.client.pk, by=system_caller(tenant.client), channel="bench")
    senders: list[Any] = [as_contact(people.create_contact(client=tenant.client, name=f"c{n}")) for n in range(count)]
    times = []
    for sender in senders:
        began = time.process_time()
        send_message(conversation=conversation, sender=sender, text=text)
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
