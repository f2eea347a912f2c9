"""What the worker does by itself (chatplatform/worker/jobs.py says when). Each may be killed and run again."""

from collections import Counter
from contextlib import closing

from django_tasks import task

from chatplatform.db.alone import Busy
from chatplatform.worker.stopping import go_on

from . import retention, sweep
from .bots import asking as bots


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


@task(attempts=10, delay=5)
def answer(message_id: int) -> str:
    """What became of it. At most one answer is stored, however often it is begun."""
    return bots.answer_by_itself(message_id)
