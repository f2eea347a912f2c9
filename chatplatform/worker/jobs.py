"""What runs by itself, and when (UTC)."""

from messaging import tasks as messaging

from . import tasks
from .beat import Job

JOBS = (
    Job("retention", "30 3 * * *", messaging.apply_retention),
    Job("sweep of uploads", "17 * * * *", messaging.sweep_uploads),
    Job("tidy", "47 2 * * *", tasks.tidy),
)
