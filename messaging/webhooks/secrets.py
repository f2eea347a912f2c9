"""What deliveries are signed with (Standard Webhooks): kept encrypted, shown once."""

import base64
import binascii
import re
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from chatplatform.errors import Invalid

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes
_MADE = 32  # bytes of those made here
_SHAPE = re.compile(r"whsec_[A-Za-z0-9+/]+={0,2}")


class Unreadable(Exception):
    """It was encrypted with a key that is neither SECRET_KEY nor among SECRET_KEY_FALLBACKS."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_MADE)).decode()


def check_secret(secret: str) -> str:
    """One that a client chose: `whsec_` and base64 of 24 to 64 bytes. Raises Invalid."""
    if not SHORTEST <= len(_bytes_of(secret)) <= LONGEST:
        said = f"Must be {PREFIX} followed by base64 of {SHORTEST} to {LONGEST} bytes."
        raise Invalid("Validation error", fields={"secret": [said]})
    return secret


def _bytes_of(secret: str) -> bytes:
    if not _SHAPE.fullmatch(secret):
        return b""
    text = secret.removeprefix(PREFIX).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""


def seal(secret: str) -> str:
    """As it is stored."""
    return _boxes(settings.SECRET_KEY, ()).encrypt(secret.encode()).decode()


def unseal(stored: str) -> str:
    """The secret that is stored so. Raises Unreadable."""
    try:
        boxes = _boxes(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))
        return boxes.decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


@lru_cache(maxsize=4)
def _boxes(key: str, former: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([_box(one) for one in (key, *former)])


def _box(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chatplatform webhook secrets").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
