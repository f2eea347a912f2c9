from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from clients.actions import for_new_clients

        from .actions.rules import give_default_auto_tags

        for_new_clients.append(give_default_auto_tags)
