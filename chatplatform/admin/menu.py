"""The menu beside every page: what a member of staff may see, in the groups of their work."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: Group → its pages by `app.model`, each with its icon. What is not named here stands in the last group.
_GROUPS: list[tuple[Any, dict[str, str]]] = [
    (
        _("Desk"),
        {"conversations.conversation": "inbox", "messaging.heldmessage": "shield", "messaging.message": "search"},
    ),
    (_("People"), {"clients.contact": "group", "clients.agent": "headset_mic", "clients.user": "person"}),
    (
        _("Automation"),
        {
            "messaging.communicationrule": "bolt", "messaging.autotag": "sell", "conversations.tag": "label",
            "messaging.article": "menu_book", "messaging.cannedreply": "quickreply",
            "messaging.agentusage": "auto_awesome",
        },
    ),
    (
        _("Integrations"),
        {
            "messaging.webhookendpoint": "webhook", "messaging.webhookdelivery": "send", "clients.apitoken": "key",
            "clients.platformkey": "vpn_key",
        },
    ),
    (_("Settings"), {"clients.client": "settings"}),
    (
        _("Records"),
        {
            "conversations.event": "history", "conversations.statechange": "swap_horiz",
            "conversations.sessionhistory": "schedule", "conversations.participant": "groups",
            "conversations.conversationtag": "label", "messaging.attachment": "attach_file",
            "messaging.upload": "upload_file", "clients.refreshtoken": "lock_clock",
        },
    ),
]  # fmt: skip
#: What staff call a page, where that is not what its rows are called.
_TITLES = {
    "conversations.conversation": _("Inbox"),
    "messaging.heldmessage": _("Quarantine"),
    "messaging.message": _("Search messages"),
    "clients.contact": pgettext_lazy("people", "Customers"),
    "messaging.agentusage": _("AI usage"),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    pages = {model._meta.label_lower: model for model, page in _registry().items() if page.has_view_permission(request)}
    named = {label for _group, labels in _GROUPS for label in labels}
    front = {"title": _("Overview"), "icon": "home", "link": reverse("admin:index")}
    groups = [
        {"title": title, "items": [_item(pages[label], icon) for label, icon in labels.items() if label in pages]}
        for title, labels in _GROUPS
    ]
    groups[0]["items"].insert(0, front)
    groups[-1]["items"] += [_item(model, "table_rows") for label, model in pages.items() if label not in named]
    return [group for group in groups if group["items"]]


def _registry() -> Any:
    return admin.site._registry


def _item(model: type[Model], icon: str) -> dict[str, Any]:
    meta = model._meta
    title = _TITLES.get(meta.label_lower) or capfirst(meta.verbose_name_plural)
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
    }
