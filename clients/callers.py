"""Who is asking: one small value for users, tokens, the service account and our own commands."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .rates import Limits
from .roles import Role

if TYPE_CHECKING:
    from .models import Agent, ApiToken, Client, User


@dataclass(frozen=True, slots=True)
class Caller:
    """What the visibility rule and the actions need to know of whoever acts; no row, no query."""

    client_id: int | None
    user_id: int | None = None
    user_uuid: str = ""
    name: str = ""
    role: str = ""
    is_superuser: bool = False
    #: The human agent that the user is, and the queues that are theirs.
    agent_id: int | None = None
    queues: tuple[str, ...] = field(default=())
    token_id: int | None = None
    scopes: frozenset[str] = frozenset()
    #: What the client lets its callers do in a minute, where that is not what the settings say.
    rate_limits: Limits = ()
    #: The server itself: a command, a rule, a bot.
    is_system: bool = False
    #: Sees nothing but what they take part in, staff too (contract `platform`).
    only_own: bool = False

    #: What DRF and Django ask of whatever stands in `request.user`.
    is_authenticated = True
    is_active = True

    @property
    def pk(self) -> int | None:
        return self.user_id

    @property
    def is_staff(self) -> bool:
        """Someone of the client's side who sees more than their own conversations."""
        return self.is_superuser or self.role in _STAFF

    @property
    def is_admin(self) -> bool:
        """Supervisors and up."""
        return self.is_superuser or self.role in (Role.SUPERVISOR, Role.CLIENT_ADMIN)

    @property
    def sees_whole_client(self) -> bool:
        if self.only_own:
            return False
        return self.is_admin or self.token_id is not None or self.is_system or (self.is_staff and not self.queues)

    @property
    def is_customer(self) -> bool:
        """Whether what this user writes is a customer message (contracts, README)."""
        return self.user_id is not None and not self.is_staff and self.agent_id is None


_STAFF = frozenset(Role.staff())


def caller_of_user(user: "User", agent: "Agent | None") -> Caller:
    return Caller(
        client_id=user.client_id,
        user_id=user.pk,
        user_uuid=str(user.uuid),
        name=user.name,
        role=user.role,
        is_superuser=user.is_superuser,
        agent_id=agent.pk if agent else None,
        queues=tuple(agent.queues) if agent else (),
    )


def caller_of_token(token: "ApiToken") -> Caller:
    return Caller(client_id=token.client_id, token_id=token.pk, name=token.name, scopes=frozenset(token.scopes))


def system_caller(client: "Client") -> Caller:
    """For management commands and the server's own doings in one client."""
    return Caller(client_id=client.pk, name=client.name, is_system=True)
