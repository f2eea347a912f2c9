"""A request of ASGI in the terms of WSGI, with the very values that Granian's own WSGI gives."""

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_ALWAYS: dict[str, Any] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
_names: dict[bytes, str] = {}


def environ_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Without `wsgi.input`."""
    path: bytes = scope["raw_path"]
    host, port = scope["server"]
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
    }
    for name, value in scope["headers"]:
        key = _names.get(name) or _name(name)
        text = value.decode("ascii") if value.isascii() else ""
        if key in environ:
            environ[key] += (";" if key == "HTTP_COOKIE" else ",") + text
        else:
            environ[key] = text
    return environ


def _name(name: bytes) -> str:
    key = _PLAIN.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
    if len(_names) < 500:  # callers choose names
        _names[name] = key
    return key
