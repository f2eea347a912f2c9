"""The dialects are the packages in this folder: whatever stands here with a PREFIX is mounted."""

import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.urls import URLPattern, URLResolver, path, re_path

if TYPE_CHECKING:
    from .problems import Problem

#: What the closing view of a dialect answers to, so that an unknown path is a 404 for every method.
_METHODS = ("get", "post", "put", "patch", "delete", "options", "trace")


@dataclass(frozen=True)
class Dialect:
    name: str
    prefix: str  # without slashes at the ends
    package: ModuleType

    @property
    def urls(self) -> list[URLPattern]:
        return list(import_module(f"{self.package.__name__}.urls").urlpatterns)

    @property
    def view(self) -> Any:
        return import_module(f"{self.package.__name__}.view").View


def discover() -> list[Dialect]:
    """Every dialect, longest prefix first, so that none swallows another's paths."""
    found = []
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        if module.ispkg:
            package = import_module(module.name)
            found.append(Dialect(module.name.rpartition(".")[2], package.PREFIX.strip("/"), package))
    found.sort(key=lambda dialect: (-len(dialect.prefix), dialect.name))
    for one, other in zip(found, found[1:], strict=False):
        if one.prefix == other.prefix:
            raise ValueError(f"dialects {one.name} and {other.name} have the same prefix /{one.prefix}")
    return found


def error_body(path: str, problem: "Problem") -> dict[str, Any] | None:
    """What the dialect of this path says of a problem that never reached, or never left, its views."""
    for dialect in discover():
        if f"{path}/".startswith(f"/{dialect.prefix}/"):
            return dict(dialect.view().error_body(problem))
    return None


def routes(dialect: Dialect) -> Iterator[URLPattern]:
    """The documented paths of one dialect, from the root."""
    for pattern in dialect.urls:
        suffix = str(pattern.pattern)
        slash = "/" if suffix not in ("", "/") else ""
        yield path(f"{dialect.prefix}{slash}{suffix}", pattern.callback)


def urlpatterns() -> Iterator[URLPattern | URLResolver]:
    """All routes of all dialects; each ends in a 404 of its own shape."""
    dialects = discover()
    for dialect in dialects:
        yield from routes(dialect)
    for dialect in dialects:
        yield re_path(rf"^{re.escape(dialect.prefix)}(?:/[\s\S]*)?\Z", _unknown(dialect))


def _unknown(dialect: Dialect) -> Any:
    from rest_framework.exceptions import APIException

    from chatplatform.errors import DomainError, NotFound

    view = dialect.view

    class UnknownPath(view):  # type: ignore[misc, valid-type]
        permission_classes: list[Any] = []

        def perform_authentication(self, request: Any) -> None:
            """Nobody needs a credential to be told that nothing is here; whose is known is counted."""
            try:
                _ = request.user
            except (APIException, DomainError):
                return
            self.count_call(request)

        def answer(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            raise NotFound("Path")

        options = answer

    return UnknownPath.as_view(dict.fromkeys(_METHODS, "answer"))
