"""What staff of each role may do in the admin. Which rows they see is decided by the querysets."""

from functools import cache

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    SUPERVISOR = "supervisor", _("Supervisor")
    CLIENT_ADMIN = "client_admin", _("Client admin")
    SERVICE = "service", _("Service account")

    @classmethod
    def staff(cls) -> list[str]:
        return [cls.AGENT, cls.SUPERVISOR, cls.CLIENT_ADMIN]


_ACTIONS = ("view", "add", "change", "delete")
#: role → {model: actions}; each role has all that the one above it has.
_GRANTS: dict[str, dict[str, tuple[str, ...]]] = {
    Role.AGENT: {
        "conversations.conversation": ("view", "change"),
        "conversations.participant": ("view",),
        "conversations.tag": ("view",),
        "conversations.conversationtag": ("view",),
        "conversations.statechange": ("view",),
        "conversations.sessionhistory": ("view",),
        "messaging.message": ("view", "add"),
        "messaging.heldmessage": ("view", "change"),
        "messaging.attachment": ("view",),
        "messaging.article": ("view",),
        "messaging.cannedreply": ("view",),
        "clients.contact": ("view", "change"),
        "clients.agent": ("view",),
    },
    Role.SUPERVISOR: {
        "conversations.conversation": ("view", "change", "delete"),
        "conversations.tag": _ACTIONS,
        "conversations.event": ("view",),
        "messaging.message": ("view", "add", "delete"),
        "messaging.heldmessage": ("view", "change", "delete"),
        "messaging.upload": ("view",),
        "messaging.communicationrule": _ACTIONS,
        "messaging.autotag": _ACTIONS,
        "messaging.article": _ACTIONS,
        "messaging.cannedreply": _ACTIONS,
        # `operate`: test, redeliver, put in and out of service; where it leads is for those who give out tokens.
        "messaging.webhookendpoint": ("view", "operate"),
        "messaging.webhookdelivery": ("view",),
        "messaging.agentusage": ("view",),
        "clients.contact": ("view", "add", "change"),
        "clients.user": ("view",),
    },
    Role.CLIENT_ADMIN: {
        "clients.client": ("view", "change"),
        "clients.contact": ("erase", "export"),
        "clients.user": ("view", "add", "change"),
        "clients.agent": ("view", "add", "change"),
        "clients.apitoken": ("view", "add", "change"),
        "clients.platformkey": ("view", "add", "change"),
        "messaging.webhookendpoint": ("add", "change", "delete"),
        "clients.refreshtoken": ("view", "change"),
    },
    Role.SERVICE: {"conversations.conversation": ("add",)},
}
_LADDER = [Role.AGENT, Role.SUPERVISOR, Role.CLIENT_ADMIN]


@cache
def permissions_of(role: str) -> frozenset[str]:
    """The Django permissions of a role (`app.action_model`); none for end users."""
    if role not in _GRANTS:
        return frozenset()
    ranks = _LADDER[: _LADDER.index(Role(role)) + 1] if role in _LADDER else [role]
    return frozenset(
        f"{model.split('.')[0]}.{action}_{model.split('.')[1]}"
        for rank in ranks
        for model, actions in _GRANTS[rank].items()
        for action in actions
    )
