"""Tasks whose traces tests read in a file."""

import time
from pathlib import Path

from django_tasks import task

from chatplatform.worker.stopping import Stopped


@task(attempts=3, delay=0)
def note(path: str, line: str) -> str:
    with open(path, "a") as file:
        file.write(f"{line}\n")
    return line


@task(attempts=3, delay=0)
def fail(path: str) -> None:
    note.func(path, "tried")
    raise ValueError("no such parcel")


@task(attempts=3, delay=0)
def unprintable() -> object:
    return object()


@task(attempts=3, delay=0)
def stopped() -> None:
    raise Stopped


@task(attempts=3, delay=0)
def hold(path: str) -> None:
    """Until there is a file `path.go`."""
    note.func(path, "begun")
    while not Path(f"{path}.go").exists():
        time.sleep(0.01)
    note.func(path, "ended")
