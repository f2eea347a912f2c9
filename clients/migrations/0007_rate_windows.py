from django.db import migrations, models


def unlogged(apps, schema_editor):
    """No commit of a count waits for the disk; a page has room for a row's next versions."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE clients_ratewindow SET (fillfactor = 50)")
        schema_editor.execute("ALTER TABLE clients_ratewindow SET UNLOGGED")


class Migration(migrations.Migration):
    dependencies = [("clients", "0006_rules_version")]
    operations = [
        migrations.CreateModel(
            name="RateWindow",
            fields=[
                ("key", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("ends_at", models.DateTimeField()),
                ("spent", models.PositiveIntegerField()),
            ],
        ),
        migrations.RunPython(unlogged, migrations.RunPython.noop),
    ]
