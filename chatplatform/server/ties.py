"""A process that ends when the one that began it does, however that went. Standard library only."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def tie_to(parent: int) -> Callable[[], None]:
    """To be called in the child: it is sent SIGTERM when `parent` is gone, and ends where that has happened already.

    Linux only; elsewhere a parent that is killed with -9 leaves its children running.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # not between fork and exec

    def tie() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return tie
