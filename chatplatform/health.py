"""Is the process alive, is it of use; and the answers for paths that nobody owns."""

import logging
import uuid
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found, server_error

from .dialects import error_body
from .dialects.problems import Problem
from .middleware import ADMIN_PREFIX

logger = logging.getLogger("chatplatform")


def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and queue are usable, else 503 naming what is not."""
    checks = {"database": _database(), "migrations": _migrations()}
    # The queue of background work is a table of the same database.
    checks["queue"] = checks["database"]
    wrong = [name for name, problem in checks.items() if problem]
    body: dict[str, Any] = {"status": "unavailable" if wrong else "ok"}
    if wrong:
        body["failing"] = wrong
    return JsonResponse(body, status=503 if wrong else 200)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return type(error).__name__
    return ""


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return type(error).__name__
    return f"{len(pending)} pending on {DEFAULT_DB_ALIAS}" if pending else ""


def unknown_path(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(ADMIN_PREFIX):
        return page_not_found(request, exception)
    return _say(request, Problem(404, "not_found", "Not found"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _say(request, Problem(400, "malformed", "Bad request"))


def crashed(request: HttpRequest) -> HttpResponse:
    """What broke outside of a dialect's views: in the admin, a middleware, or while an answer was written."""
    reference = uuid.uuid4().hex
    logger.error("unforeseen error %s", reference, exc_info=True)
    if request.path.startswith(ADMIN_PREFIX):
        return server_error(request)
    return _say(request, Problem(500, "internal", "Internal error", reference=reference))


def _say(request: HttpRequest, problem: Problem) -> JsonResponse:
    reference = f" ({problem.reference})" if problem.reference else ""
    nobodys = {"detail": f"{problem.message}{reference}"}
    told = getattr(request, "rate_headers", None)  # the call was counted before it broke
    return JsonResponse(error_body(request.path, problem) or nobodys, status=problem.status, headers=told)
