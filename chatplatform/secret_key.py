"""The installation's own key. No import of Django here: the settings use it."""

import os
import secrets
from pathlib import Path


def embedded_key(data: Path) -> str:
    """The key in this folder (mode 0600), made once.

    Servers on several machines must be given one and the same SECRET_KEY.
    """
    path = data / "secret_key"
    data.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key
