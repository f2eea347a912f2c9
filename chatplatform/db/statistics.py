"""What the planner knows of tables that were just filled."""

from django.db import connection


def refresh_statistics() -> None:
    """After many rows came at once: until the database looks by itself, it would plan for empty tables."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("PRAGMA optimize")
            return
        # Ours by name: the server's own catalog is one for all its databases, and somebody else may be at it.
        tables = map(connection.ops.quote_name, sorted(connection.introspection.django_table_names(only_existing=True)))
        cursor.execute(f"ANALYZE {', '.join(tables)}")
