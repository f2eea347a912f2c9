"""Messages that are there already can be found too; a few at a time, so that others write in between. Cut off,
it goes on where it was; `manage.py reindex_search` does the same."""

from django.db import migrations

from chatplatform.db.textindex import store
from messaging.search.text import stems
from messaging.text import said

BATCH = 1000


def fill(apps, schema_editor):
    message = apps.get_model("messaging", "Message")
    languages = dict(apps.get_model("clients", "Client").objects.values_list("pk", "search_language"))
    columns = ("pk", "client_id", "type", "text", "content")
    last = 0
    while rows := list(message.objects.filter(pk__gt=last, search=None).order_by("pk").values_list(*columns)[:BATCH]):
        store(message, "search", {pk: stems(said(*what), languages[client]) for pk, client, *what in rows})
        last = rows[-1][0]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0009_search")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, atomic=False)]
