"""The schemas themselves."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, cast

from django.urls import URLPattern
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from chatplatform import dialects
from chatplatform.dialects.base import DialectView
from chatplatform.dialects.credentials import SAFE_METHODS
from chatplatform.dialects.fields import Query
from chatplatform.dialects.operations import Operation, operation_of

from .types import Schema, schema_of_field, schema_of_input, schema_of_type

_PARAMETER = re.compile(r"\{(\w+)\}")
_REQUEST_ID = {"description": "The caller's own, or one made for this call.", "schema": {"type": "string"}}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
_RATE = {
    "X-RateLimit-Limit": {"description": "Calls in a minute.", "schema": {"type": "integer", "minimum": 1}},
    "X-RateLimit-Remaining": {"description": "Those that are left.", "schema": {"type": "integer", "minimum": 0}},
    "X-RateLimit-Reset": {
        "description": "When the minute is over, in seconds since 1970.", "schema": {"type": "integer"},
    },
}  # fmt: skip
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeated call with the same key and body is answered like the first and does nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
_GIVES = "x-gives"
_WAITS = (408, 429, 503, 507)


class _Calls(EndpointEnumerator):
    """Declared calls only, each once: without the slash that may end its path."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        view = getattr(callback, "cls", None)
        return isinstance(view, type) and issubclass(view, DialectView) and not path.endswith("/")

    def get_allowed_methods(self, callback: Any) -> list[str]:
        declared = {m.upper() for m, action in callback.actions.items() if operation_of(callback.cls, action)}
        return [method for method in _ORDER if method in declared]


class _Generator(SchemaGenerator):
    endpoint_inspector_cls = _Calls

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        view = super().create_view(callback, method, request)
        view.schema = _CallSchema()
        view.schema.view = view
        return view

    def parse(self, input_request: Any, public: bool) -> Any:
        paths = super().parse(input_request, public)
        _link(paths)
        return paths

    def coerce_path(self, path: str, method: str, view: Any) -> str:
        return path


class _CallSchema(AutoSchema):
    """One call, from its declaration."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Schema:
        self.registry, self.path, self.method = registry, path, method
        declared = operation_of(self.view, self._action)
        if declared is None:
            raise LookupError(f"{method} {path} is not declared")
        operation: Schema = {
            "operationId": self.get_operation_id(),
            "summary": declared.summary,
            "tags": [dialect_of(self._class)],
            "parameters": self._parameters(declared),
            "security": self._security(),
            "responses": self._responses(declared),
        }
        if declared.gives:
            operation[_GIVES] = declared.gives
        if declared.body is not None:
            body = schema_of_input(declared.body, self._register)
            shown = {"example": declared.body.example} if declared.body.example else {}
            operation["requestBody"] = {
                "required": not declared.body.may_be_absent,
                "content": {"application/json": {"schema": body, **shown}},
            }
        return operation

    @property
    def _class(self) -> type[DialectView]:
        return cast(type[DialectView], type(self.view))

    @property
    def _action(self) -> str:
        return str(cast(DialectView, self.view).action)

    def get_operation_id(self) -> str:
        view = self._class
        return f"{dialect_of(view)}.{view.__name__}.{self._action}.{self.method.lower()}"

    def _register(self, kind: type, make: Callable[[], Schema]) -> Schema:
        name = f"{dialect_of(kind)}.{kind.__name__}"
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, object=kind)
        if component not in self.registry:
            self.registry.register(component)  # before its parts: they may refer to it
            component.schema = make()
        elif self.registry[component].object is not kind:
            raise ValueError(f"two types are named {name}")
        return component.ref

    def _parameters(self, declared: Operation) -> list[Schema]:
        found: list[Schema] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in _PARAMETER.findall(self.path)
        ]
        for name, field in (declared.query or Query)().fields.items():
            schema = schema_of_field(field, self._register)
            empty = {} if field.required else {"allowEmptyValue": True}  # an absent one
            found.append({"name": name, "in": "query", "required": field.required, **empty, "schema": schema})
        found.extend(map(dict, self._class.header_parameters))
        if self.method not in SAFE_METHODS and self._class.keeps_answers:
            found.append(_IDEMPOTENCY_KEY)
        return found

    def _security(self) -> list[Schema]:
        """What a caller must show: all schemes of one credential, or of another one."""
        found: list[Schema] = []
        for credential in self.view.authentication_classes:
            schemes = getattr(credential, "schemes", {})  # a credential that nobody needs to show has none
            for name, definition in schemes.items():
                scheme = ResolvedComponent(name, ResolvedComponent.SECURITY_SCHEMA, definition, object=name)
                self.registry.register_on_missing(scheme)
            found.append({name: [] for name in schemes})
        return found

    def _responses(self, declared: Operation) -> Schema:
        view = self._class
        if self.method not in SAFE_METHODS:
            own = view.of_writes
        else:
            own = view.of_reads if declared.query else ()
        counted = () if view.rates is None else (429,)
        media = "text/event-stream" if declared.streams else "application/json"
        found = {str(declared.status): self._response(declared.status, declared.answer, media)}
        if declared.also_streams:
            found[str(declared.status)]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
        for status in sorted({*view.always, *own, *declared.problems, *counted}):
            found[str(status)] = self._response(status, view.errors)
        return found

    def _response(self, status: int, body: Any, media: str = "application/json") -> Schema:
        headers = {"X-Request-Id": _REQUEST_ID}
        if status in _WAITS:
            headers["Retry-After"] = _RETRY_AFTER
        if self._class.rates is not None and status != 401:
            headers |= _RATE
        response: Schema = {"description": HTTPStatus(status).phrase, "headers": headers}
        if body is not None:
            response["content"] = {media: {"schema": schema_of_type(body, self._register)}}
        return response


def _link(paths: Schema) -> None:
    """What one call makes, other calls address: links from the declarations of `gives`."""
    calls = [(path, operation) for path, methods in paths.items() for operation in methods.values()]
    for path, operation in calls:
        gives = operation.pop(_GIVES, None)
        if not gives:
            continue
        known = {name: f"$request.path.{name}" for name in _PARAMETER.findall(path)}
        known |= {name: f"$response.body#{pointer}" for name, pointer in gives.items()}
        success = next(response for status, response in operation["responses"].items() if status.startswith("2"))
        success["links"] = {
            other["operationId"]: {"operationId": other["operationId"], "parameters": {n: known[n] for n in names}}
            for other_path, other in calls
            if gives.keys() & (names := set(_PARAMETER.findall(other_path))) and names <= known.keys()
        }


def dialect_of(kind: type) -> str:
    """The package under `dialects/` that a class stands in."""
    package, _, rest = kind.__module__.partition("dialects.")
    return rest.partition(".")[0]


def _schema(patterns: Iterable[URLPattern], **info: str) -> Schema:
    schema: Schema = _Generator(patterns=list(patterns)).get_schema(public=True)
    schema["info"].update(info)
    return schema


@cache
def schema_of_dialect(name: str) -> Schema | None:
    """The OpenAPI document of one dialect, None where there is none of that name."""
    for dialect in dialects.discover():
        if dialect.name == name:
            about, _, _ = (dialect.package.__doc__ or "").partition(" (contract")
            return _schema(dialects.routes(dialect), title=f"Chat Platform: {name}", description=f"{about}.")
    return None


@cache
def whole_schema() -> Schema:
    patterns = [pattern for dialect in dialects.discover() for pattern in dialects.routes(dialect)]
    return _schema(patterns)
