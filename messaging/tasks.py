"""What the worker does by itself (chatplatform/worker/jobs.py says when). Each may be killed and run again."""

from collections import Counter
from contextlib import closing
from datetime import timedelta

from django.utils import timezone
from django_tasks import task

from chatplatform.db.alone import Busy
from chatplatform.worker.stopping import go_on

from . import retention, sweep
from .bots import asking as bots
from .search.indexing import reindex

#: Messages that one task brings over to another language; the next one goes on where it ended.
REINDEXED = 50_000
#: After which no send is still under way that began before.
SETTLED = timedelta(minutes=5)


@task(attempts=3, delay=600)
def apply_retention() -> dict[str, int]:
    """How many of each kind of row went. Another run that is under way does the same."""
    gone: Counter[str] = Counter()
    try:
        with closing(retention.apply()) as steps:
            for step in steps:
                gone += step.gone
                go_on()
    except Busy:
        return {}
    return dict(gone)


@task(attempts=3, delay=600)
def sweep_uploads() -> dict[str, int]:
    gone: Counter[str] = Counter()
    for kind, names in sweep.sweep_uploads():
        gone[kind] += len(names)
        go_on()
    return dict(gone)


@task(attempts=10, delay=15)
def reindex_client(client_id: int, after: int = 0, again: bool = True) -> int:
    """Brings the client's messages over to its language of search, a part at a time. `again`: afterwards all
    are looked at once more, since a send that was under way may have read the language of before."""
    done = 0
    for batch in reindex(client_id, after=after):
        done += batch.looked_at
        if done >= REINDEXED:
            reindex_client.enqueue(client_id, batch.last, again)
            return done
        go_on()
    if again:
        reindex_client.using(run_after=timezone.now() + SETTLED).enqueue(client_id, 0, False)
    return done


@task(attempts=10, delay=5)
def answer(message_id: int) -> str:
    """What became of it. At most one answer is stored, however often it is begun."""
    return bots.answer_by_itself(message_id)
