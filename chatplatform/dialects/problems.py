"""From any exception to one Problem; the only place that knows which is which HTTP status."""

import errno
import logging
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf

from chatplatform import errors

logger = logging.getLogger("chatplatform.dialects")


@dataclass(frozen=True)
class Problem:
    """What went wrong, for a dialect's `error_body`. `code` tells kinds of one status apart."""

    status: int
    code: str
    message: str
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    error: Exception | None = None


_DOMAIN: dict[type[errors.DomainError], int] = {
    errors.Invalid: 400,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.InvalidParticipant: 422,
    errors.LimitReached: 422,
    errors.MessageTooLarge: 413,
    errors.FileTooLarge: 413,
    errors.TooManyCalls: 429,
    errors.ProviderUnavailable: 502,
    errors.ProviderTimedOut: 504,
}
_DISK_FULL = ("DiskFull", "disk is full")
_RETRY = {"Retry-After": "5"}
_TIMED_OUT = ("QueryCanceled", "LockNotAvailable", "database is locked")


def problem_of(error: Exception) -> Problem:
    """Every exception has one; what nobody foresaw is a 500 with a reference that is also in the log."""
    match error:
        case errors.StoreAway():
            return _store_away(error)
        case errors.DomainError():
            status = next(_DOMAIN[kind] for kind in type(error).__mro__ if kind in _DOMAIN)
            waits = {"Retry-After": str(error.wait)} if isinstance(error, errors.TooManyCalls) else {}
            return Problem(status, error.code, error.message, fields=error.fields, headers=waits, error=error)
        case drf.ValidationError():
            fields = _fields(error.detail)
            return Problem(400, "invalid", "Validation error", fields=fields, error=error)
        case Http404():
            return Problem(404, "not_found", "Not found", error=error)
        case PermissionDenied():
            return Problem(403, "forbidden", "Forbidden", error=error)
        case drf.NotAuthenticated():
            return Problem(401, "not_authenticated", str(error.detail), headers=_headers(error), error=error)
        case drf.ParseError():
            return Problem(400, "malformed", str(error.detail), error=error)
        case drf.APIException():
            return Problem(
                error.status_code, str(error.default_code), str(error.detail), headers=_headers(error), error=error
            )
        case RequestDataTooBig():
            return Problem(413, "body_size", "The body is larger than 1 MiB.", error=error)
        case SuspiciousOperation():  # a Host header that is none
            return Problem(400, "bad_request", "Bad request", error=error)
        case UnreadablePostError():
            return Problem(400, "malformed", "The body could not be read.", error=error)
        case DataError():
            logger.warning("input that validation let through", exc_info=error)
            return Problem(400, "invalid", "Validation error", error=error)
        case OperationalError() | InterfaceError():
            return _database_problem(error)
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _no_space(error)
    reference = uuid.uuid4().hex
    logger.error("unforeseen error %s", reference, exc_info=error)
    return Problem(500, "internal", "Internal error", reference=reference, error=error)


def _database_problem(error: DatabaseError | InterfaceError) -> Problem:
    reference = uuid.uuid4().hex
    what = f"{type(error.__cause__).__name__} {error}"
    logger.error("database trouble %s: %s", reference, what)
    if any(sign in what for sign in _DISK_FULL):
        return _full(reference, error)
    code = "timeout" if any(sign in what for sign in _TIMED_OUT) else "unavailable"
    return Problem(503, code, "Service unavailable", headers=_RETRY, reference=reference, error=error)


def _store_away(error: errors.StoreAway) -> Problem:
    reference = uuid.uuid4().hex
    logger.error("the store of files is away %s: %s", reference, error.__cause__)
    return Problem(503, error.code, error.message, headers=_RETRY, reference=reference, error=error)


def _no_space(error: OSError) -> Problem:
    reference = uuid.uuid4().hex
    logger.error("no space for files %s: %s", reference, error.strerror)
    return _full(reference, error)


def _full(reference: str, error: Exception) -> Problem:
    return Problem(507, "disk_full", "Insufficient storage", headers=_RETRY, reference=reference, error=error)


def _headers(error: drf.APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(error.wait))  # type: ignore[attr-defined]
    return headers


def _fields(detail: Any, name: str = "") -> dict[str, list[str]]:
    """DRF's nested details as {path: [messages]}: `participants.0.role`."""
    if isinstance(detail, dict):
        parts = detail.items()
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        parts = ((str(index), item) for index, item in enumerate(detail))  # type: ignore[assignment]
    else:
        return {name or "non_field_errors": [str(message) for message in detail]} if detail else {}
    found: dict[str, list[str]] = {}
    for key, value in parts:
        found.update(_fields(value, f"{name}.{key}" if name else str(key)))
    return found
