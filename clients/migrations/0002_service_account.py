from django.db import migrations


def create(apps, schema_editor):
    """The internal service account, through which `POST /api/chat/create` acts."""
    User = apps.get_model("clients", "User")
    User.objects.get_or_create(
        username="service", defaults={"name": "Internal service account", "role": "service", "password": "!", "email": ""}
    )


def remove(apps, schema_editor):
    apps.get_model("clients", "User").objects.filter(username="service", role="service").delete()


class Migration(migrations.Migration):
    dependencies = [("clients", "0001_initial")]
    operations = [migrations.RunPython(create, remove)]
