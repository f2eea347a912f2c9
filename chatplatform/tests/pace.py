"""How quick this machine is now: bounds of CPU time are of an ordinary one."""

import time

_ORDINARY = 0.04  # seconds of CPU for the work below


def slowness() -> float:
    """By how much a slow or busy machine stretches CPU time; 1 for an ordinary one or a quicker one."""
    begin = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number
    return max(1.0, (time.process_time() - begin) / _ORDINARY)
