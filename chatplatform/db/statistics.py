"""What the planner knows of tables that were just filled."""

from django.db import connection


def refresh_statistics() -> None:
    """After many rows came at once: until the database looks by itself, it would plan for empty tables."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "postgresql" else "PRAGMA optimize")
