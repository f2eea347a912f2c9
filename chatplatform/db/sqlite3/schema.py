"""Changes of tables: Django makes a table anew for most of them, and knows nothing of triggers."""

from typing import Any

from django.db.backends.sqlite3 import schema


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    def _remake_table(self, model: Any, *args: Any, **options: Any) -> None:
        """With the triggers that the table had; what one of them needs must be there still."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [model._meta.db_table]
            )
            triggers = [sql for (sql,) in cursor.fetchall()]
        super()._remake_table(model, *args, **options)  # type: ignore[misc]
        for sql in triggers:
            self.execute(sql)
