"""The connection to a provider: its name, its addresses, the bound of its answer."""

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chatplatform.errors import ProviderTimedOut, ProviderUnavailable
from messaging.bots import names
from messaging.bots.compatible import _given
from messaging.bots.prompt import build
from messaging.bots.providers import Asked
from messaging.tests.llm import serving
from messaging.tests.test_bot_provider import agent, ask, both, whole


def resolves(monkeypatch: pytest.MonkeyPatch, look: Any) -> None:
    """Names, in this module's eyes alone."""
    monkeypatch.setattr(names, "socket", SimpleNamespace(getaddrinfo=look, SOCK_STREAM=socket.SOCK_STREAM))


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server that never answers."""
    ended = threading.Event()

    def look(*_: Any, **__: Any) -> Any:
        ended.wait(60)
        raise socket.gaierror

    resolves(monkeypatch, look)
    yield
    ended.set()


@both
def test_a_name_server_that_hangs_holds_no_call_beyond_its_time(silent: None, stream: bool) -> None:
    with pytest.raises(ProviderTimedOut) as caught:
        ask(agent("http://provider.example.com/v1", timeout=1), stream)
    assert caught.value.why == "no whole answer within 1 s"


def test_beyond_so_many_look_ups_a_call_waits_in_its_own_time(silent: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_places", threading.BoundedSemaphore(1))
    for _ in range(2):  # the first leaves its look-up behind
        with pytest.raises(ProviderTimedOut):
            whole(agent("http://provider.example.com/v1", timeout=1))
    assert sum(thread.name == "provider-name" for thread in threading.enumerate()) >= 1


@pytest.mark.parametrize("error", [socket.gaierror(), UnicodeError()], ids=["unknown", "no name"])
def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    asked = []

    def look(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise error

    resolves(monkeypatch, look)
    with pytest.raises(ProviderUnavailable) as caught:
        whole(agent("http://nowhere.example.com/v1"))
    assert (caught.value.why, caught.value.tokens_in) == ("no connection", 0)
    assert asked == ["nowhere.example.com"] * 2


def test_where_one_address_is_dead_the_next_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(host: str, port: int, **_: Any) -> Any:
        places = ("127.0.0.2", "127.0.0.2", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port)) for place in places]

    with serving() as endpoint:
        resolves(monkeypatch, look)
        url = endpoint.url.replace("127.0.0.1", "provider.example.com")
        assert whole(agent(url)).text == "It left this morning."
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0].headers["host"].startswith("provider.example.com:")


@both
def test_an_answers_length_is_bounded(stream: bool) -> None:
    with serving() as endpoint:
        ask(agent(endpoint.url, answer_tokens=7), stream)
    assert endpoint.asked[0].body["max_tokens"] == 7
    assert "max_completion_tokens" not in endpoint.asked[0].body


def test_openai_itself_has_another_name_for_it() -> None:
    for url, name in {
        "https://api.openai.com/v1": "max_completion_tokens",
        "https://shop.openai.azure.com/openai/v1": "max_completion_tokens",
        "https://api.openai.com.example.com/v1": "max_tokens",
        "http://127.0.0.1:8080/v1": "max_tokens",
    }.items():
        row = agent(url, answer_tokens=7)
        given = _given(row, build(Asked(row, "Hello")))
        assert (url, {key: value for key, value in given.items() if "tokens" in key}) == (url, {name: 7})
