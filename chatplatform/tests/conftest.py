from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from clients.actions import NewTenant

NOON = datetime(2027, 3, 1, 12, 0, 0, 987654, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Any]:
    """A Monday's noon; time stands still until a test moves it. For `usefixtures`, so that tokens are
    made in it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def maya(acme: NewTenant, api: Any) -> Any:
    """An end user of Acme."""
    return api(acme.users[0].user)


@pytest.fixture
def omar(acme: NewTenant, api: Any) -> Any:
    """Another end user of Acme."""
    return api(acme.users[1].user)


@pytest.fixture
def desk(acme: NewTenant, api: Any) -> Any:
    """Acme's Client admin, who is the agent `agent_1`."""
    return api(acme.staff.user)
