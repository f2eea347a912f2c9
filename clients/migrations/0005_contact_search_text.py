"""Contacts that are there already can be searched too."""

from django.db import migrations

from clients.search import search_text

BATCH = 1000


def fill(apps, schema_editor):
    contact = apps.get_model("clients", "Contact")
    last = 0
    while rows := list(contact.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for row in rows:
            row.search_text = search_text([row.name, row.contact_id, row.phone, row.email])
        contact.objects.bulk_update(rows, ["search_text"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("clients", "0004_people_own_ids")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
