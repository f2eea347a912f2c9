import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import override_settings

from chatplatform.tests.workspace import robot_of
from clients.actions import NewTenant
from clients.credentials import client_of_platform_key
from clients.models import Agent, RateWindow, User
from messaging.tests.llm import Endpoint, agent_at, serving

from .browser import CHROMIUM

NOON = datetime(2027, 3, 1, 12, 0, 0, 987654, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Any]:
    """A Monday's noon; time stands still until a test moves it. For `usefixtures`, so that tokens are
    made in it."""
    with time_machine.travel(NOON, tick=False) as traveller, connection.execute_wrapper(_at_that_time):
        yield traveller


def _at_that_time(execute: Any, sql: str, *given: Any) -> Any:
    """Calls are counted by the database's clock, which stands still too."""
    if RateWindow._meta.db_table in sql:
        sql = sql.replace("statement_timestamp()", f"to_timestamp({time.time()!r})")
    return execute(sql, *given)


@pytest.fixture
def maya(acme: NewTenant, api: Any) -> Any:
    """An end user of Acme."""
    return api(acme.users[0].user)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The store of one test's files."""
    with override_settings(MEDIA_ROOT=tmp_path / "files"):
        yield tmp_path / "files"


@pytest.fixture
def endpoint() -> Iterator[Any]:
    """An AI provider that answers from a script."""
    with serving() as one:
        yield one


@pytest.fixture
def bot(acme: NewTenant, endpoint: Endpoint) -> Agent:
    """Acme's default AI agent, who asks it."""
    return agent_at(acme.client, endpoint.url)


@pytest.fixture
def omar(acme: NewTenant, api: Any) -> Any:
    """Another end user of Acme."""
    return api(acme.users[1].user)


@pytest.fixture
def desk(acme: NewTenant, api: Any) -> Any:
    """Acme's Client admin, who is the agent `agent_1`."""
    return api(acme.staff.user)


@pytest.fixture
def platform(acme: NewTenant, api: Any) -> Callable[[User], Any]:
    """`platform(user)` calls the dialect `platform`: with Acme's public key and that user's JWT."""

    def make(user: User) -> Any:
        client_of_platform_key(acme.public_key.key)  # its use is remembered now, not within a test
        caller = api(user)
        caller.headers["X-PUBLIC-KEY"] = acme.public_key.key
        return caller

    return make


@pytest.fixture
def john(acme: NewTenant, platform: Any) -> Any:
    """The first end user of Acme, calling `platform`."""
    return platform(acme.users[0].user)


@pytest.fixture
def mary(acme: NewTenant, platform: Any) -> Any:
    """The second one."""
    return platform(acme.users[1].user)


@pytest.fixture
def robot(acme: NewTenant) -> Any:
    """Acme's own server, calling `workspace` with a token of every scope."""
    return robot_of(acme)


@pytest.fixture
def foreign_robot(rival: NewTenant) -> Any:
    """Rival's."""
    return robot_of(rival)


@pytest.fixture
def chromium() -> Path:
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is absent"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return CHROMIUM
