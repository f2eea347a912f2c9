"""Is the process alive, is it of use; and the answers for paths that nobody owns."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found


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
    if request.path.startswith("/admin"):
        return page_not_found(request, exception)
    return JsonResponse({"detail": "Not found"}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"detail": "Bad request"}, status=400)
