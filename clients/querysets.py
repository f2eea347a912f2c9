"""Reads of people and credentials; each begins with the tenant."""

from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from chatplatform.text import fold

from . import tokens
from .checks import normal_email

if TYPE_CHECKING:
    from .callers import Caller
    from .models import Agent, ApiToken, Client, PlatformKey, User


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


class EmailQuerySet(TenantQuerySet):
    def with_email(self, *addresses: str) -> Self:
        """Whatever the case, by the index."""
        folded = [normal_email(address).lower() for address in addresses]
        condition = {"folded_email__in": folded} if len(folded) > 1 else {"folded_email": folded[0]}
        return self.alias(folded_email=Lower("email")).filter(**condition).exclude(email="")


class UserQuerySet(EmailQuerySet):
    def active(self) -> Self:
        """Those who may come in: not disabled, not expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), is_active=True)

    def by_login(self, login: str) -> "User | None":
        """By login name, else by e-mail (any case)."""
        users = self.select_related("client")
        return users.filter(username=login).first() or users.with_email(login).first()

    def by_own_id(self, name: str, uuid: str | None) -> "User | None":
        """By `uuid` (None: the name has no such shape), which nobody can take, else by the client's own id
        of them. Those of several clients, which only a superuser sees at once, may be the same: then nobody."""
        found = list(self.filter(Q(external_id=name) | Q(uuid=uuid) if uuid else Q(external_id=name))[:3])
        meant = [user for user in found if str(user.uuid) == uuid] or found
        return meant[0] if len(meant) == 1 else None

    def of_uuid(self, text: str | None) -> Self:
        """Whose uuid this is, in whatever spelling a database takes for one."""
        try:
            return self.filter(uuid=UUID(text))
        except (TypeError, ValueError):
            return self.none()


class ContactQuerySet(EmailQuerySet):
    def present(self) -> Self:
        """Those who are not erased."""
        return self.filter(erased_at=None)

    def with_phone(self, digits: str) -> Self:
        return self.filter(phone=digits).exclude(phone="").order_by("id")

    def matching(self, words: str) -> Self:
        """Whose name, id, number or address has this in it, case and accents apart."""
        return self.filter(search_text__contains=fold(words))


class AgentQuerySet(TenantQuerySet):
    def answering(self) -> Self:
        """People and programs: all but the client's own voice."""
        return self.exclude(kind="system")

    def assignable(self) -> Self:
        return self.answering().filter(is_active=True)

    def system_of(self, client_id: int) -> "Agent":
        return self.get(client_id=client_id, kind="system")


class ApiTokenQuerySet(TenantQuerySet):
    def live(self) -> Self:
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, client__is_active=True)

    def by_secret(self, secret: str) -> "ApiToken | None":
        return self.live().select_related("client").filter(digest=tokens.digest(secret)).first()


class PlatformKeyQuerySet(TenantQuerySet):
    def live(self) -> Self:
        return self.filter(revoked_at=None, client__is_active=True)

    def by_key(self, key: str) -> "PlatformKey | None":
        # What is no key of ours may hold what no database takes.
        return self.live().filter(key=key).first() if key.isascii() and key.isprintable() else None
