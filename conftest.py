"""The cast of every test: two tenants, a way to call each dialect as anybody, and a real server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import Client as HttpClient
from django.test import TransactionTestCase, override_settings

from clients import actions, rates
from clients.actions import NewTenant
from clients.callers import Caller, caller_of_user
from clients.credentials import issue_tokens, known
from clients.models import Agent, User
from conversations.bell import bell
from messaging import rulebook
from messaging.streams.hub import hub

pytest_plugins = ["chatplatform.tests.conformance.plugin", "chatplatform.tests.answers"]

ROOT = Path(__file__).parent
SHARED = ROOT.parent / "shared"
PLENTY = 1_000_000
FAST_HASHER = "django.contrib.auth.hashers.MD5PasswordHasher"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, one of them would run alone while the other processes have nothing left."""
    items.sort(key=lambda item: item.path.name != "test_fuzzing.py")


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Passwords that cost nothing; static files and uploads that no other test process touches."""
    static = tmp_path_factory.mktemp("data") / "static"
    static.mkdir()
    folders = {"STATIC_ROOT": static, "MEDIA_ROOT": static.parent / "files"}
    with override_settings(PASSWORD_HASHERS=[FAST_HASHER], RATE_LIMITS=_out_of_reach(), **folders):
        yield


def _out_of_reach() -> dict[str, int]:
    """The limits of calls; a test of them sets its own."""
    return {name: most if name == "password_mails" else PLENTY for name, most in django_settings.RATE_LIMITS.items()}


@pytest.fixture(autouse=True)
def _forget_credentials() -> Iterator[None]:
    """What a process keeps, by ids that the next test gives again."""
    known.clear()
    rulebook.forget()
    rates.forget()
    yield
    hub.stop()
    bell.stop()
    known.clear()
    rulebook.forget()
    rates.forget()


#: What migrations made and every test may use.
_KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def _empty_tables(_: Any, *__: Any, **___: Any) -> None:
    """After a transactional test, in place of Django's flush: that truncates tables which are nearly empty
    and makes every permission anew, a quarter of a second to a second and a half each time."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=False):
            if table not in _KEPT:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", _empty_tables):
        yield


@pytest.fixture
def shared() -> Path:
    """The folder of real data beside the project; tests that need it say that they were skipped."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent")
    return SHARED


@pytest.fixture(autouse=True)
def _service_account(request: pytest.FixtureRequest) -> None:
    """A flush at the end of a transactional test takes the migration's row with it."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
        User.objects.get_or_create(
            username="service", defaults={"name": "Internal service account", "role": "service", "password": "!"}
        )


@pytest.fixture
def acme(db: None) -> NewTenant:
    """The tenant under test: staff, two end users, agents, a contact, a token, a key."""
    return actions.create_tenant(name="Acme", session_id="ses_acme")


@pytest.fixture
def rival(db: None) -> NewTenant:
    """The tenant that must never see anything of Acme's."""
    return actions.create_tenant(name="Rival", session_id="ses_rival")


@pytest.fixture
def plain_static_files() -> Iterator[None]:
    """Admin pages name their files without the manifest that only a served installation has."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**django_settings.STORAGES, "staticfiles": plain}):
        yield


def caller_of(user: User) -> Caller:
    return caller_of_user(user, Agent.objects.filter(user=user).first())


class Opened:
    """A stream of events as its head has it; a test that follows one has other means."""

    content = b""

    def __init__(self, answer: Any) -> None:
        self.status_code, self.headers = answer.status_code, answer.headers

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


@dataclass
class Api:
    """Calls as one user (or nobody); `.json()` and `.status_code` as in any HTTP library."""

    headers: dict[str, str]

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content: dict[str, Any] = {}
        if body is not None:
            data = body if isinstance(body, str | bytes) else json.dumps(body)
            content = {"data": data, "content_type": "application/json"}
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        answer = HttpClient(raise_request_exception=False).generic(method, path, headers=sent, **content)
        return Opened(answer) if hasattr(answer, "event_stream") else answer

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)


@pytest.fixture
def api() -> Callable[..., Api]:
    """`api(user)` calls with that user's JWT, `api()` without a credential."""

    def make(user: User | None = None) -> Api:
        return Api({"Authorization": f"Bearer {issue_tokens(user).access}"} if user else {})

    return make


@pytest.fixture
def by_cookie() -> Callable[[User], Api]:
    """`by_cookie(user)` calls with the cookies of that user's log-in."""

    def make(user: User) -> Api:
        pair = issue_tokens(user)
        cookies = {django_settings.ACCESS_COOKIE: pair.access, django_settings.REFRESH_COOKIE: pair.refresh}
        return Api({"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})

    return make


def _plenty() -> dict[str, str]:
    kinds = [name for name in django_settings.RATE_LIMITS if name != "password_mails"]
    return {"RATE_LIMITS": ",".join(f"{name}={PLENTY}" for name in kinds)}


class LiveServer:
    """The production server as its own processes, on the test's database."""

    def __init__(self, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            **database_environment(),
            "PASSWORD_HASHERS": FAST_HASHER,
            **_plenty(),
            "WORKER": "0",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), "serve", "--no-prepare", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return
            except (requests.ConnectionError, requests.Timeout):
                assert self.process.poll() is None, "the server ended before it answered"
                time.sleep(0.05)
        self.process.kill()  # it would run on, beside every test that follows
        raise TimeoutError("the server did not answer within 60 s")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=45)  # whoever does not end within 30 s is killed


def database_environment() -> dict[str, str]:
    """The environment in which another process finds this test's database."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{values['NAME']}"
    else:
        port = f":{values['PORT']}" if values["PORT"] else ""
        password = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
        url = f"postgres://{values['USER']}{password}@{values['HOST']}{port}/{values['NAME']}"
    data = Path(django_settings.STATIC_ROOT).parent
    return {"DATABASE_URL": url, "SECRET_KEY": django_settings.SECRET_KEY, "DATA_DIR": str(data)}


@pytest.fixture
def live_server_url(transactional_db: None) -> Iterator[str]:
    """The address of a real server over this test's (committed) rows."""
    server = LiveServer()
    server.start()
    yield server.url
    server.stop()
