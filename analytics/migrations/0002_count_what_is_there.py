from django.db import migrations


def order_rebuild(apps, schema_editor):
    """Of what was there before the rollups, the event log tells only the last weeks: all is counted."""
    Client = apps.get_model("clients", "Client")
    Rollup = apps.get_model("analytics", "Rollup")
    clients = Client.objects.filter(conversations__isnull=False).distinct().values_list("pk", "time_zone")
    Rollup.objects.bulk_create(Rollup(client_id=pk, time_zone=zone, rebuilt_to=0) for pk, zone in clients)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_rollups"), ("conversations", "0007_participants_who_left")]

    operations = [migrations.RunPython(order_rebuild, migrations.RunPython.noop)]
