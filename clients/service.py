"""The internal service account, through which calls without a credential act (contract `whatsapp.md`)."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from chatplatform.errors import Forbidden

from .callers import Caller, caller_of_user
from .credentials import known, may_come_in
from .models import Client, User
from .rates import Limits, limits_of

SERVICE_USERNAME = "service"


def service_caller() -> Caller:
    """Raises Forbidden where the account is missing, disabled, expired or may not add conversations."""
    user: User | None = User.objects.filter(username=SERVICE_USERNAME).first()
    if user is None or not may_come_in(user) or "conversations.add_conversation" not in user.get_role_permissions():
        raise Forbidden("The service account may not add conversations")
    return caller_of_user(user, None)


def client_of_session(session_id: str) -> Client | None:
    """The active client whose runners go by this session id."""
    return Client.objects.by_session_id(session_id)


@dataclass(frozen=True, slots=True)
class Session:
    """Whose a session id was a moment ago, and what its client lets it do in a minute."""

    client_id: int
    rate_limits: Limits


def session_of(session_id: str, within: AbstractContextManager[None]) -> Session | None:
    """The session of an active client; believed for as long as a credential. Unknown ones are looked up
    each time, within `within`."""
    found: Session | None = known.get("session", session_id)
    if found is not None:
        return found
    with within:
        client = client_of_session(session_id)
    if client is None:
        return None
    found = Session(client.pk, limits_of(client.settings))
    known.put("session", session_id, found)
    return found
