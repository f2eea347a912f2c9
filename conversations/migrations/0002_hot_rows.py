from django.db import migrations

HOT = ("conversations_conversation", "conversations_participant", "conversations_sessionhistory")


def tune(apps, schema_editor):
    """PostgreSQL: rows that every message updates get room on their page and are vacuumed early."""
    if schema_editor.connection.vendor == "postgresql":
        for table in HOT:
            schema_editor.execute(
                f"ALTER TABLE {table} SET (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02)"
            )


def reset(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in HOT:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor)")


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]
    operations = [migrations.RunPython(tune, reset)]
