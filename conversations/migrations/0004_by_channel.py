from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_newest_first")]
    operations = [
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                fields=["client", "channel", "-activity_at", "-id"],
                name="conversation_by_channel",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
    ]
