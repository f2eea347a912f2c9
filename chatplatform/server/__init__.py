"""The processes that `manage.py serve` runs, and how they take and give HTTP."""
