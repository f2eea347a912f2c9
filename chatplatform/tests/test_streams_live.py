"""Streams of events over HTTP, from the server that people run: cut off again and again, and in a browser."""

import http.client
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connection
from playwright.sync_api import BrowserContext, expect

from chatplatform.management.commands.serve import server_options
from chatplatform.tests import world as cast
from chatplatform.tests.following import Frame, Frames
from chatplatform.tests.world import World
from clients.actions import NewTenant
from conftest import LiveServer
from conversations import actions
from conversations.actions import Person
from conversations.feed import latest
from conversations.models import Conversation, Event
from messaging.actions import send_message
from messaging.models import Message
from messaging.senders import as_contact

from .pages import Program, browsing, serving_pages

WRITERS, EACH, CUTS = 20, 500, 50
CONVERSATIONS = 8
ALL = WRITERS * EACH

#: What a page does with a message: it adds a line. Every dialect says what was written in one of two fields.
SHOW = """() => {
    window.show = (told) => {
        const line = document.createElement("li");
        line.textContent = told.message.text ?? told.message.content;
        document.body.append(line);
    };
    window.ready = () => { document.body.dataset.live = 1; };
}"""
WITH_COOKIES = """(url) => {
    const source = new EventSource(url, {withCredentials: true});
    source.addEventListener("ready", window.ready);
    source.addEventListener("conversation.message.created", (event) => window.show(JSON.parse(event.data)));
}"""


class Connection:
    """A subscriber's connection, of which it takes as many bytes as it likes."""

    def __init__(self, port: int, headers: dict[str, str], last_id: str) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._http.request("GET", "/v1/events/stream", headers={**headers, "Last-Event-ID": last_id})
        self._answer = self._http.getresponse()
        assert self._answer.status == 200
        self._frames = Frames()

    def read(self, most: int) -> tuple[int, list[Frame]]:
        """How many bytes came, and the frames that are whole with them."""
        chunk = self._answer.read1(most)
        assert chunk, "the stream ended by itself"
        return len(chunk), list(self._frames.feed(chunk))

    def next(self) -> Frame:
        """The first of those that come next that is no mere comment."""
        while True:
            for frame in self.read(65536)[1]:
                if frame.event:
                    return frame

    def cut(self) -> bool:
        """Whether it was in the middle of a frame."""
        self._answer.close()
        self._http.close()
        return self._frames.rest != b""


class Subscriber:
    """Whoever comes back by the last id that it has seen whole, as a browser does."""

    def __init__(self, port: int, headers: dict[str, str], last_id: str) -> None:
        self._port, self._headers = port, headers
        self.last_id = last_id
        self.ids: list[int] = []
        self.messages: list[Frame] = []
        self.names: Counter[str] = Counter()

    def follow(self, enough: Callable[[], bool], most: int | None = None) -> bool:
        """Reads until it has enough, or is cut off after `most` bytes: whether that was within a frame."""
        line = Connection(self._port, self._headers, self.last_id)
        left = most if most is not None else 1 << 40
        deadline = time.monotonic() + 300  # signs of life come for ever
        while left and not enough():
            assert time.monotonic() < deadline, f"{len(self.messages)} messages, the last event {self.last_id}"
            count, frames = line.read(min(left, 65536))
            left -= count
            for frame in frames:
                self._take(frame)
        return line.cut()

    def _take(self, frame: Frame) -> None:
        self.last_id = frame.id or self.last_id
        if frame.event:
            self.names[frame.event] += 1
        if frame.event and frame.event != "ready":  # which has the id of what was told before it
            self.ids.append(int(frame.id))
        if frame.event == "conversation.message.created":
            self.messages.append(frame)


class Writers:
    """Twenty programs that send through three dialects, each to every conversation in turn."""

    def __init__(self, url: str, world: World, conversations: list[Conversation]) -> None:
        self._url, self._world, self._conversations = url, world, conversations
        self._headers = {name: cast.CREDENTIALS[name](world) for name in ("assistant", "platform", "workspace")}
        self.refused: list[str] = []
        self._sent = 0
        self._more = threading.Condition()
        self._threads = [threading.Thread(target=self._write, args=[number]) for number in range(WRITERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for(self, sent: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self._sent >= sent or self.refused, timeout=600)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        dialect = sorted(self._headers)[number % 3]
        with requests.Session() as http:
            http.headers.update(self._headers[dialect])
            for turn in range(EACH):
                row = self._conversations[(number + turn) % CONVERSATIONS]
                path, body = self._call(dialect, row, f"{number}-{turn} ¿dónde está? 📦" + "\n…" * (turn % 40))
                answer = http.post(f"{self._url}{path}", json=body, timeout=60)
                with self._more:
                    self._sent += 1
                    if answer.status_code not in (200, 201):
                        self.refused.append(answer.text)
                    self._more.notify_all()
                if self.refused:
                    return

    def _call(self, dialect: str, row: Conversation, text: str) -> tuple[str, dict[str, Any]]:
        match dialect:
            case "assistant":
                return f"/chat/conversations/{row.pk}/messages", {"content": text}
            case "platform":
                return f"/api/v1/chat/conversations/{row.uuid}/messages", {"text": text}
        sender = {"contact_id": self._world.contact.contact_id}
        body = {"type": "text", "text": {"body": text}, "sender": sender}
        return f"/v1/conversations/conv_{row.uuid.hex}/messages", body


def not_yet_started(workers: int) -> Iterator[LiveServer]:
    server = LiveServer(WEB_WORKERS=str(workers))
    yield server
    server.stop()


@pytest.fixture
def server(transactional_db: None) -> Iterator[LiveServer]:
    """One process."""
    yield from not_yet_started(1)


@pytest.fixture
def servers(transactional_db: None) -> Iterator[LiveServer]:
    """As many as a machine with two cores has by itself."""
    yield from not_yet_started(2 if connection.vendor == "postgresql" else 1)


def conversations_of(world: World) -> list[Conversation]:
    """The owner, the other user and the contact may write in each."""
    people = [Person(user_id=world.owner.pk), Person(user_id=world.other.pk), Person(contact_id=world.contact.pk)]
    return [
        actions.create_conversation(
            client_id=world.client.pk, by=world.system, channel="website", people=people, title=f"Parcel {number}",
            owner=world.owner,
        )
        for number in range(CONVERSATIONS)
    ]  # fmt: skip


@pytest.mark.long
def test_cut_off_fifty_times_during_ten_thousand_messages(acme: NewTenant, servers: LiveServer) -> None:
    """each exactly once and in order, whoever writes meanwhile and wherever the connection breaks"""
    world, chance = World(acme), random.Random(50)
    conversations = conversations_of(world)
    servers.start()
    writers = Writers(servers.url, world, conversations)
    subscriber = Subscriber(servers.port, cast.CREDENTIALS["workspace"](world), str(latest()))
    began = time.monotonic()
    writers.start()
    torn = 0
    for number in range(CUTS):
        seen = len(subscriber.messages)
        if number % 5 == 4:  # away for a while: what it missed are pages of the log
            writers.wait_for(min(seen + 600, ALL))
        # A message has some 500 bytes, its text among them: all cuts come before the last one.
        torn += subscriber.follow(lambda: len(subscriber.messages) == ALL, chance.randint(1, 15 * ALL))
    assert len(subscriber.messages) < ALL
    subscriber.follow(lambda: len(subscriber.messages) == ALL)
    writers.join()
    took = time.monotonic() - began
    os.write(2, f"{ALL} messages in {took:.0f} s, {torn} of {CUTS} cuts within a frame\n".encode())

    assert writers.refused == []
    assert torn > CUTS // 2
    assert subscriber.ids == sorted(set(subscriber.ids))
    told = [(frame.data["conversation"]["id"], frame.data["message"]["id"]) for frame in subscriber.messages]
    ids = [int(frame.id) for frame in subscriber.messages]
    kept = Event.objects.filter(kind="conversation.message.created", pk__gte=ids[0]).order_by("pk")
    assert ids == list(kept.values_list("pk", flat=True))
    for row in conversations:
        rows = Message.objects.filter(conversation=row).order_by("seq").values_list("uuid", flat=True)
        name = f"conv_{row.uuid.hex}"
        assert [message for of, message in told if of == name] == [f"msg_{uuid.hex}" for uuid in rows]
    assert len(told) == len(set(told)) == ALL


def test_typing_reaches_whoever_is_connected(acme: NewTenant, servers: LiveServer) -> None:
    """in whatever process of the server: on SQLite there is one"""
    options = server_options("127.0.0.1", 0)
    usual = "1" if connection.vendor == "sqlite" else str(os.cpu_count())
    assert options[options.index("--workers") + 1] == usual
    world = World(acme)
    servers.start()
    lines = [Connection(servers.port, cast.CREDENTIALS["workspace"](world), "") for _ in range(4)]
    for line in lines:
        assert line.next().event == "ready"
    path, headers = f"/chat/conversations/{world.conversation.pk}/typing", cast.CREDENTIALS["assistant"](world)
    assert requests.post(f"{servers.url}{path}", headers=headers, timeout=30).status_code == 200
    for line in lines:
        frame = line.next()
        assert (frame.event, frame.data["user"]["name"], frame.data["typing"]) == ("typing", world.owner.name, True)
        line.cut()


@pytest.fixture
def context(chromium: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrowserContext]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs an event loop in the test's thread
    yield from browsing(chromium, tmp_path)


@pytest.fixture
def another_server() -> Iterator[Callable[[], int]]:
    yield from serving_pages()


class Page:
    """Of another origin than the server, which it follows by the name `localhost`."""

    def __init__(self, world: World, server: LiveServer, context: BrowserContext, port: int) -> None:
        origin = f"http://localhost:{port}"
        server.environment["CORS_ALLOWED_ORIGINS"] = origin
        server.start()
        self._world, self._server = world, server
        self.program = Program(context.new_page(), f"http://localhost:{server.port}")
        self.program.page.goto(origin)
        self.program.page.evaluate(SHOW)

    def until_live(self) -> None:
        body = self.program.page.locator("body")
        expect(body).to_have_attribute("data-live", "1", timeout=60_000)

    def shows(self, *texts: str) -> None:
        """These and nothing else, in this order."""
        expect(self.program.page.locator("li")).to_have_text(list(texts), timeout=60_000)

    def restart_while(self, text: str) -> None:
        """Somebody writes while nobody serves; the page comes back by itself."""
        self._server.stop()
        self.program.page.evaluate("delete document.body.dataset.live")
        world = self._world
        sender = as_contact(world.contact)
        send_message(conversation=world.conversation, sender=sender, by=world.system, text=text)
        self._server.start()
        self.until_live()

    def write(self, text: str) -> None:
        """A program writes through `workspace`."""
        path = f"/v1/conversations/conv_{self._world.conversation.uuid.hex}/messages"
        body = {"type": "text", "text": {"body": text}, "sender": {"contact_id": self._world.contact.contact_id}}
        headers = cast.CREDENTIALS["workspace"](self._world)
        answer = requests.post(f"{self._server.url}{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text


@pytest.mark.browser
def test_a_page_with_cookies_shows_what_happens(
    acme: NewTenant, server: LiveServer, context: BrowserContext, another_server: Callable[[], int]
) -> None:
    """what another dialect's program writes, without reloading, also while the server restarts and after it"""
    page = Page(World(acme), server, context, another_server())
    page.program.log_in(acme.users[0])
    page.program.page.evaluate(WITH_COOKIES, f"{page.program.api}/api/conversation/events")
    page.until_live()
    page.write("It is on its way.")
    page.shows("It is on its way.")
    page.restart_while("It is at your door.")
    page.shows("It is on its way.", "It is at your door.")
    page.write("Nobody was there.")
    page.shows("It is on its way.", "It is at your door.", "Nobody was there.")


def documented_program() -> str:
    """As docs/events.md has it."""
    text = (settings.BASE_DIR / "docs" / "events.md").read_text()
    [program] = [part.split("```")[0] for part in text.split("```js\n")[1:]]
    return str(program)


@pytest.mark.browser
@pytest.mark.parametrize(("dialect", "path"), [("assistant", "/chat/events"), ("platform", "/api/v1/chat/events")])
def test_a_page_with_a_ticket_shows_what_happens(
    acme: NewTenant, server: LiveServer, context: BrowserContext, another_server: Callable[[], int],
    dialect: str, path: str,
) -> None:  # fmt: skip
    """by the program of the documentation, which gets another ticket whenever the stream ends"""
    world = World(acme)
    page = Page(world, server, context, another_server())
    values = {"base": page.program.api, "path": path, "headers": cast.CREDENTIALS[dialect](world), "cursor": ""}
    script = f"(values) => {{ Object.assign(window, values); {documented_program()}; return follow(); }}"
    page.program.page.evaluate(script, values)
    page.until_live()
    page.write("It is on its way.")
    page.shows("It is on its way.")
    page.restart_while("It is at your door.")
    page.shows("It is on its way.", "It is at your door.")
    page.write("Nobody was there.")
    page.shows("It is on its way.", "It is at your door.", "Nobody was there.")
