"""Reads of people and credentials; each begins with the tenant."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from . import tokens

if TYPE_CHECKING:
    from .callers import Caller
    from .models import Agent, ApiToken, Client, User


class TenantQuerySet(models.QuerySet[Any]):
    """Rows that belong to one client. Every look-up of a dialect or an admin page begins here."""

    tenant = "client_id"

    def for_client(self, client_id: int | None) -> Self:
        return self.filter(**{self.tenant: client_id}) if client_id is not None else self.none()

    def visible_to(self, caller: "Caller") -> Self:
        """What the caller may see: all for superusers, else their client's, else nothing."""
        return self.all() if caller.is_superuser else self.for_client(caller.client_id)


class ClientQuerySet(TenantQuerySet):
    tenant = "id"

    def by_session_id(self, session_id: str) -> "Client | None":
        return self.filter(session_id=session_id, is_active=True).first()


class UserQuerySet(TenantQuerySet):
    def by_login(self, login: str) -> "User | None":
        """By login name, else by e-mail (any case)."""
        users = self.select_related("client")
        return users.filter(username=login).first() or users.filter(email__iexact=login).exclude(email="").first()


class ContactQuerySet(TenantQuerySet):
    def with_phone(self, digits: str) -> Self:
        return self.filter(phone=digits).exclude(phone="").order_by("id")


class AgentQuerySet(TenantQuerySet):
    def assignable(self) -> Self:
        return self.filter(is_active=True).exclude(kind="system")

    def system_of(self, client_id: int) -> "Agent":
        return self.get(client_id=client_id, kind="system")


class ApiTokenQuerySet(TenantQuerySet):
    def live(self) -> Self:
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, client__is_active=True)

    def by_secret(self, secret: str) -> "ApiToken | None":
        return self.live().filter(digest=tokens.digest(secret)).first()
