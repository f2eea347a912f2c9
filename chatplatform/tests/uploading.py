"""Short ways through uploads, in each dialect that has them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.test import Client as HttpClient

from .samples import PNG


def local(url: str) -> str:
    """Path and query of one of our addresses."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def put(url: str, data: bytes, content_type: str = "", **headers: str) -> Any:
    """As somebody with no credential but the address."""
    given = {"HTTP_" + name.upper(): value for name, value in headers.items()}
    client = HttpClient(raise_request_exception=False)
    return client.generic("PUT", local(url), data, content_type=content_type or "application/octet-stream", **given)


def fetch(url: str, method: str = "GET", **headers: str) -> Any:
    given = {"HTTP_" + name.upper(): value for name, value in headers.items()}
    return HttpClient(raise_request_exception=False).generic(method, local(url), **given)


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def announce(robot: Any, conversation: dict[str, Any], data: bytes = PNG, **fields: Any) -> Any:
    """A file announced through `workspace`."""
    given = {"filename": "parcel.png", "content_type": "image/png", "size": len(data), **fields}
    answer = robot.post(f"/v1/conversations/{conversation['id']}/uploads", given)
    assert answer.status_code == 201, answer.content
    return answer.json()


def bring(robot: Any, conversation: dict[str, Any], data: bytes = PNG, **fields: Any) -> str:
    """A file that is there; answers its id."""
    made = announce(robot, conversation, data, **fields)
    answer = put(made["upload_url"], data)
    assert answer.status_code == 204, answer.content
    file_id: str = made["file_id"]
    return file_id


def stored(folder: Path) -> list[bytes]:
    """The bytes of every file in the store."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def with_mary(john: Any, acme: Any) -> str:
    """A new conversation of `platform`; answers its uuid."""
    body = {"participant_uuid": str(acme.users[1].user.uuid)}
    uuid: str = john.post("/api/v1/chat/conversations", body).json()["data"]["uuid"]
    return uuid
