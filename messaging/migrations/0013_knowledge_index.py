"""The index of the articles' words; made while others write."""

from django.db import migrations

from chatplatform.db.textoperations import AddTextIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0012_knowledge")]
    operations = [AddTextIndex("article", "search")]
