"""Apart from `base.py`, because DRF imports this when its own views are being imported."""

from typing import Any

from rest_framework.permissions import BasePermission


class DenyByDefault(BasePermission):
    """What no dialect has opened is closed."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class HasCaller(BasePermission):
    """Somebody that the dialect's own authentication has named."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.user is not None


class Anyone(BasePermission):
    """For the calls that need no credential, said aloud."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return True
