from django.db import migrations

DEFAULTS = {
    "comercial": ["precio", "costo", "pago"],
    "soporte_tecnico": ["problema", "error", "falla"],
    "alta_prioridad": ["urgente", "emergencia", "inmediato"],
}


def create(apps, schema_editor):
    """The contract's auto-tags, for clients that were made before there were any."""
    AutoTag = apps.get_model("messaging", "AutoTag")
    clients = apps.get_model("clients", "Client").objects.filter(auto_tags=None).values_list("pk", flat=True)
    for client in clients.order_by("pk").iterator():
        AutoTag.objects.bulk_create(
            AutoTag(client_id=client, words=words, tag=tag) for tag, words in DEFAULTS.items()
        )


def remove(apps, schema_editor):
    """Those that are as they were made."""
    AutoTag = apps.get_model("messaging", "AutoTag")
    for tag, words in DEFAULTS.items():
        for row in AutoTag.objects.filter(tag=tag).iterator():
            if row.words == words:
                row.delete()


class Migration(migrations.Migration):
    dependencies = [("messaging", "0004_communication_rules")]
    operations = [migrations.RunPython(create, remove)]
