"""Steps of migrations that lock no table for long."""

from typing import Any

from django.db.migrations import AddIndex
from django.db.migrations.operations.base import Operation

from .textindex import index_name


class AddTextIndex(Operation):
    """The index of a column `IndexedText`. On PostgreSQL it is made while others write: `atomic = False`.

    On SQLite triggers keep it up; whoever remakes the table (see the backend's schema editor) keeps them.
    """

    reversible = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name, self.field_name = model_name, field_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing that a model knows of."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table, column, name = self._names(app_label, to_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{name}" ON "{table}" USING gin ("{column}")'
            )
            return
        for statement in fts5(table, column, name):
            schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _table, _column, name = self._names(app_label, from_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
            return
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f'DROP TRIGGER IF EXISTS "{name}_{event}"')
        schema_editor.execute(f'DROP TABLE IF EXISTS "{name}"')

    def describe(self) -> str:
        return f"Index the words of {self.model_name}.{self.field_name}"

    def _names(self, app_label: str, state: Any) -> tuple[str, str, str]:
        model = state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.field_name)
        return model._meta.db_table, field.column, index_name(model, field)


def fts5(table: str, column: str, name: str) -> list[str]:
    """The index and what keeps it up. `ascii` leaves characters beyond ASCII as they are: our words are folded."""
    add = f'INSERT INTO "{name}" (rowid, "{column}")'
    remove = f'INSERT INTO "{name}" ("{name}", rowid, "{column}")'  # FTS5 must be told what it had
    old, new = f'old.id, old."{column}"', f'new.id, new."{column}"'
    had, has = f'old."{column}" IS NOT NULL', f'new."{column}" IS NOT NULL'
    options = f"content='{table}', content_rowid='id', tokenize='ascii'"
    return [
        f'CREATE VIRTUAL TABLE "{name}" USING fts5("{column}", {options})',
        f'CREATE TRIGGER "{name}_insert" AFTER INSERT ON "{table}" WHEN {has} BEGIN {add} SELECT {new}; END',
        f'CREATE TRIGGER "{name}_delete" AFTER DELETE ON "{table}" WHEN {had} '
        f"BEGIN {remove} SELECT 'delete', {old}; END",
        f'CREATE TRIGGER "{name}_update" AFTER UPDATE OF "{column}" ON "{table}" BEGIN '
        f"{remove} SELECT 'delete', {old} WHERE {had}; {add} SELECT {new} WHERE {has}; END",
    ]


class AddIndexOnline(AddIndex):
    """On PostgreSQL without holding up whoever writes: `atomic = False`."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        sql = str(self.index.create_sql(model, schema_editor, concurrently=True))
        schema_editor.execute(sql.replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS", 1))
