"""What each call of a dialect takes and answers, declared once: input is read by the declaration, and
the OpenAPI schema and the check of every test's answers are derived from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from .fields import Input, Query

if TYPE_CHECKING:
    from .base import DialectView


@dataclass(frozen=True, slots=True)
class Form:
    """What a string looks like, in the words of JSON Schema."""

    format: str = ""
    pattern: str = ""


Time = Annotated[str, Form(format="date-time")]
#: Any 8-4-4-4-12 hexadecimal string: the documented ones are not RFC variants.
Uuid = Annotated[str, Form(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Url = Annotated[str, Form(format="uri")]


@dataclass(frozen=True, slots=True)
class Operation:
    summary: str
    #: The TypedDict of the whole answer, its envelope included; None where there is no content.
    answer: Any
    body: type[Input] | None = None
    query: type[Query] | None = None
    status: int = 200
    #: Error statuses of this call beyond those that its dialect's view names for every call.
    problems: Sequence[int] = ()
    #: {path parameter: JSON pointer into the answer}: what was made here and is addressed elsewhere.
    gives: Mapping[str, str] = field(default_factory=dict)
    #: The answer shows a secret this once: it is not kept for an Idempotency-Key.
    secret: bool = False
    #: The answer is a stream of events (text/event-stream).
    streams: bool = False
    #: The answer is such a stream where `Accept` asks for one.
    also_streams: bool = False
    #: What it does is several transactions, and some of it stays where it fails: its Idempotency-Key has its own.
    apart: bool = False


def operation(summary: str, **declared: Any) -> Callable[[Callable[..., Any]], Callable[..., HttpResponseBase]]:
    """Declares a view's method, by the fields of `Operation`, as the documented call that it serves."""
    declaration = Operation(summary, **declared)

    def declare(method: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
        @wraps(method)
        def perform(view: "DialectView", request: Request, **path: str) -> HttpResponseBase:
            return view.perform(declaration, partial(method, view, request, **path))

        perform.operation = declaration  # type: ignore[attr-defined]
        return perform

    return declare


def operation_of(view: Any, action: str) -> Operation | None:
    """What a view's method was declared as."""
    found: Operation | None = getattr(getattr(view, action, None), "operation", None)
    return found
