"""The part of the worker that delivers webhooks (docs/webhooks.md): an event loop in a thread."""

import asyncio

from chatplatform.dialects.workspace.notifications import render
from messaging.webhooks.delivering import Deliverer

from .stopping import stop

_LOOK = 0.1  # seconds between two looks at whether the worker ends


def deliver() -> None:
    """Until the worker ends, and then until what was begun is over."""
    asyncio.run(_deliver())


async def _deliver() -> None:
    ended = asyncio.Event()
    work = asyncio.create_task(Deliverer(render).run(ended))
    while not stop.is_set() and not work.done():
        await asyncio.wait([work], timeout=_LOOK)
    ended.set()
    await work
