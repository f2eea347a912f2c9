"""A call of the table, ready to be sent: what it needs has been made before a test looks at the store."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from conftest import Api

from . import world as cast
from .calls import Call
from .world import World


class Prepared:
    def __init__(self, call: Call, world: World) -> None:
        self.call = call
        self.headers = cast.headers(call, world)
        self.path = cast.path(call, world)
        self.body = cast.example(call).body(world)

    def __call__(self, path: str | None = None, headers: dict[str, str] | None = None) -> Any:
        """As the table has it, but for another path or another caller."""
        caller = Api(self.headers if headers is None else headers)
        return caller(self.call.method, self.path if path is None else path, self.body)

    def with_body(self, body: Any) -> Any:
        return Api(self.headers)(self.call.method, self.path, body)

    def with_query(self, **changed: str | None) -> Any:
        """With other values in its query; None leaves a parameter out."""
        path, _, query = self.path.partition("?")
        given = {**dict(parse_qsl(query)), **changed}
        asked = urlencode({name: value for name, value in given.items() if value is not None})
        return self(f"{path}?{asked}")
