"""Messages can be found by their words. On PostgreSQL nothing is locked for long: the indexes are made while
others write, so that a run that was cut off is begun again."""

from django.db import migrations, models

import chatplatform.db.textindex
from chatplatform.db.textoperations import AddIndexOnline, AddTextIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0008_webhook_holds"), ("clients", "0010_search_language")]
    operations = [
        migrations.AddField("message", "search", chatplatform.db.textindex.IndexedText(editable=False, null=True)),
        AddTextIndex("message", "search"),
        AddIndexOnline(
            "message", models.Index(fields=["client", "-created_at", "-id"], name="message_newest")
        ),
    ]
