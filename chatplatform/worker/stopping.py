"""A task that takes long asks now and then whether its worker ends."""

import threading

stop = threading.Event()


class Stopped(Exception):
    """The task ended early, whole by itself; it is begun again soon, by whichever worker there is."""


def go_on() -> None:
    """Raises Stopped where the worker ends."""
    if stop.is_set():
        raise Stopped
