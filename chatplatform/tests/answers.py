"""Every answer that any test gets from a dialect is checked against the schema that we publish of it."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import requests
from django.test import Client
from django.urls import Resolver404, resolve

from chatplatform.dialects import discover
from chatplatform.dialects.base import DialectView
from chatplatform.openapi.schema import dialect_of, schema_of_dialect, whole_schema
from chatplatform.openapi.types import schema_of_type


class WrongAnswer(AssertionError):
    """An answer that is not what the schema says: an undocumented status, a key too many, another type."""


@pytest.fixture(scope="session", autouse=True)
def answers_fit_the_schema() -> Iterator[None]:
    for dialect in discover():  # before a test replaces a view's method by another
        schema_of_dialect(dialect.name)
    whole_schema()
    with pytest.MonkeyPatch.context() as patch:
        of_client, of_requests = Client.request, requests.Session.send

        def ask(self: Client, **environ: Any) -> Any:
            answer = of_client(self, **environ)
            if not answer.streaming:  # else the test could not read it any more
                check(environ["REQUEST_METHOD"], environ["PATH_INFO"], answer.status_code, answer.content)
            return answer

        def send(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            answer = of_requests(self, request, **options)
            url = urlsplit(request.url or "")
            if url.hostname == "127.0.0.1" and not options.get("stream"):
                check(str(request.method), requests.utils.unquote(url.path), answer.status_code, answer.content)
            return answer

        patch.setattr(Client, "request", ask)
        patch.setattr(requests.Session, "send", send)
        yield


def check(method: str, path: str, status: int, body: bytes) -> None:
    """Raises WrongAnswer. Paths of no dialect, HEAD and preflights have no schema."""
    try:
        match = resolve(path)
    except Resolver404:
        return
    view = getattr(match.func, "cls", None)
    if method in ("HEAD", "OPTIONS") or not isinstance(view, type) or not issubclass(view, DialectView):
        return
    template = "/" + match.route.replace("<str:", "{").replace(">", "}").rstrip("/")
    validator = _validator(dialect_of(view), view, template, method.lower(), status)
    what = f"{method} {path} answered {status} {body[:500]!r}"
    if validator is None:
        if body:
            raise WrongAnswer(f"{what}, documented as without content")
        return
    try:
        found = json.loads(body)
    except ValueError as error:
        raise WrongAnswer(f"{what}, which is not JSON") from error
    if (problem := next(validator.iter_errors(found), None)) is not None:
        raise WrongAnswer(f"{what}: {problem.message} at /{'/'.join(map(str, problem.instance_path))}")


@cache
def _validator(dialect: str, view: type[DialectView], template: str, method: str, status: int) -> Any:
    document = schema_of_dialect(dialect) or {}
    operation = document.get("paths", {}).get(template, {}).get(method)
    if operation is None:  # an unknown path, or a method that is refused: the dialect's envelope for errors
        parts: dict[str, Any] = {}

        def register(kind: type, make: Any) -> dict[str, str]:
            if kind.__name__ not in parts:
                parts[kind.__name__] = None
                parts[kind.__name__] = make()
            return {"$ref": f"#/$defs/{kind.__name__}"}

        return jsonschema_rs.validator_for({**schema_of_type(view.errors, register), "$defs": parts})
    documented = operation["responses"].get(str(status))
    if documented is None:
        raise WrongAnswer(f"{method.upper()} {template} answered {status}: documented are {[*operation['responses']]}")
    if "content" not in documented:
        return None
    if "application/json" not in documented["content"]:
        return None  # a stream, which has no end to be read to
    schema = {**documented["content"]["application/json"]["schema"], "components": document["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True)
