"""The internal service account, through which calls without a credential act (contract `whatsapp.md`)."""

from chatplatform.errors import Forbidden

from .callers import Caller, caller_of_user
from .credentials import may_come_in
from .models import Client, User

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
