"""What runs beside the web server: webhooks, background tasks and their schedule (docs/operations.md).

The database is the queue: nothing is lost between a commit and a broker, and any number of workers share
it. A task is done at least once (its worker may be killed just before it says so), so it must bear that.
"""
