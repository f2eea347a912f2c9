"""What goes when its time is over, in small transactions that may be killed and run again (docs/retention.md).

What another kind of row needs to go by itself is one more entry in `policies.POLICIES`.
"""

from .files import delete_doomed, doom
from .policies import POLICIES, Policy
from .run import BATCH, FilesLeft, Step, apply, due

__all__ = ["BATCH", "POLICIES", "FilesLeft", "Policy", "Step", "apply", "delete_doomed", "doom", "due"]
