"""The internal service account, through which calls without a credential act (contract `whatsapp.md`)."""

from django.contrib.auth.models import AnonymousUser

from chatplatform.errors import Forbidden

from .callers import Caller, caller_of_user
from .models import Client, User

SERVICE_USERNAME = "service"


def service_caller() -> Caller:
    """Raises Forbidden where the account is missing, disabled, expired or may not add conversations."""
    from .credentials import may_come_in

    user: User | AnonymousUser = User.objects.filter(username=SERVICE_USERNAME).first() or AnonymousUser()
    if (
        not isinstance(user, User)
        or not may_come_in(user)
        or "conversations.add_conversation" not in user.get_role_permissions()
    ):
        raise Forbidden("The service account may not add conversations")
    return caller_of_user(user, None)


def client_of_session(session_id: str) -> Client | None:
    """The active client whose runners go by this session id."""
    return Client.objects.by_session_id(session_id)
