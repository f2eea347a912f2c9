from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from .credentials import may_come_in
from .models import User


def attempted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name whose failures are counted; another spelling of an e-mail address gives no more tries."""
    name = credentials.get("username") if credentials else request.POST.get("username")
    return str(name or "").casefold()


class RoleBackend(ModelBackend):
    """Logs in by login name or e-mail; a user's permissions are those of the role."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.by_login(username)
        if user is None:
            User().set_password(password)  # an unknown name takes as long as a wrong password
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Active, not expired, of a client that is active."""
        return may_come_in(user)

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("client").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return set(user_obj.get_role_permissions())

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return (
            user_obj.is_active and not user_obj.is_anonymous and obj is None and perm in user_obj.get_role_permissions()
        )

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions(user_obj))
