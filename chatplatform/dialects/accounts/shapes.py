from typing import Any

from clients.credentials import TokenPair
from clients.models import User


def token_pair(pair: TokenPair, user: User) -> dict[str, Any]:
    return {**refreshed(pair), "user": {"uuid": str(user.uuid), "name": user.name, "email": user.email}}


def refreshed(pair: TokenPair) -> dict[str, Any]:
    return {"access": pair.access, "refresh": pair.refresh}


def me(user: User) -> dict[str, Any]:
    client = user.client and {"id": str(user.client.uuid), "name": user.client.name}
    return {
        "uuid": str(user.uuid),
        "id": user.pk,
        "name": user.name,
        "email": user.email,
        "client": client,
        "is_staff": user.is_staff,
    }
