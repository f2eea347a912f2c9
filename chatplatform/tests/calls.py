"""Every documented call of every dialect, as discovery finds it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatplatform import dialects
from chatplatform.dialects.operations import Operation, operation_of

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Call:
    dialect: str
    method: str
    path: str  # as it is routed: /chat/conversations/<str:conversation_id>
    view: type[Any]
    operation: Operation | None

    def __str__(self) -> str:
        return f"{self.method} {self.plain}"

    @property
    def plain(self) -> str:
        """/chat/conversations/{conversation_id}"""
        return _PARAMETER.sub(r"{\1}", self.path)

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.path)

    @property
    def writes(self) -> bool:
        return self.method in WRITES

    @property
    def media(self) -> str:
        """The content type of what it answers."""
        return "text/event-stream" if self.operation is not None and self.operation.streams else "application/json"

    def at(self, ids: Mapping[str, str]) -> str:
        """The path with these ids in it."""
        return self.plain.format(**ids)


def discovered() -> list[Call]:
    """One for each dialect, path (without its closing slash) and method."""
    found = {}
    for dialect in dialects.discover():
        for pattern in dialects.routes(dialect):
            path = f"/{pattern.pattern}".rstrip("/")
            for method, action in pattern.callback.actions.items():
                if method != "head":  # which DRF adds to each get
                    view = pattern.callback.cls
                    call = Call(dialect.name, method.upper(), path, view, operation_of(view, action))
                    found[str(call)] = call
    return sorted(found.values(), key=lambda call: (call.path, call.method))


CALLS = discovered()
