"""What the dashboards cost on the benchmark's data: `bench/dashboards.py MESSAGES [ROUNDS]`.

`DATABASE_URL` names an empty database, or one that was filled with as many messages before. Milliseconds a
call without HTTP, all folded in, and those of this process's processor (the steadier figure); and what the same
figures cost counted from rows.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatplatform.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from bench.fill import fill, filled

    messages, rounds = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100
    call_command("migrate", verbosity=0)
    if filled() is None:
        print(fill(messages))
    began = time.monotonic()
    call_command("rebuild_analytics")
    print(f"rebuilt in {time.monotonic() - began:.1f} s")
    for name, call in calls().items():
        times = [spent(call) for _ in range(rounds if name[0] != "(" else 3)]
        whole, ours = (sorted(column) for column in zip(*times, strict=True))
        tail = whole[int(len(whole) * 0.99)]
        print(f"{name}: p50 {statistics.median(whole):.2f} ms, p99 {tail:.2f} ms, CPU {statistics.median(ours):.2f} ms")
    return 0


def calls() -> dict[str, Callable[[], Any]]:
    from django.db.models import Count
    from django.db.models.functions import TruncDate
    from django.utils import timezone

    from analytics.dashboards import overall, own
    from analytics.desk import desk
    from clients.models import Client, User
    from messaging.models import Message

    client = Client.objects.order_by("pk").first()
    assert client is not None
    pk = client.pk
    user = User.objects.filter(client=client, is_staff=False).order_by("pk").first()
    assert user is not None
    since = timezone.now() - timedelta(days=365)
    rows = Message.objects.filter(client=pk, created_at__gte=since, visibility="public", deleted_at=None).order_by()
    by_day = rows.annotate(day=TruncDate("created_at")).values("day", "is_customer").annotate(count=Count("pk"))
    return {
        "own dashboard, 365 days": lambda: own(user_id=user.pk, client_id=pk, days=365),
        "global": lambda: overall(client_id=pk),
        "a client's dashboard, 365 days": lambda: desk(pk, 365),
        "the admin's first page, 30 days": lambda: desk(pk, 30),
        "(messages by day and side, counted from rows)": lambda: list(by_day.all()),
    }


def spent(call: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds: of the clock, and of this process's processor."""
    began, ours = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - began) * 1000, (time.process_time() - ours) * 1000


if __name__ == "__main__":
    sys.exit(main())
