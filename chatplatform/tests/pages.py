"""A browser program: a page of one origin that calls the platform at another, in a real browser."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.db import connection
from playwright.sync_api import BrowserContext, Page, sync_playwright

from .browser import QUIET

#: As the documentation has it: a fetch with `credentials: "include"`.
CALL = """async ([url, method, body]) => {
    const options = {method, credentials: "include"};
    if (body !== null) {
        options.headers = {"Content-Type": "application/json"};
        options.body = JSON.stringify(body);
    }
    try {
        const answer = await fetch(url, options);
        const text = await answer.text();
        return {status: answer.status, body: text ? JSON.parse(text) : null, id: answer.headers.get("X-Request-Id")};
    } catch (error) {
        return {refused: error.name};
    }
}"""


class Pages(BaseHTTPRequestHandler):
    """An empty page, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page of another origin</title><body></body>")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Program:
    """The browser program at one origin, with the platform at another."""

    page: Page
    api: str

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return self.page.evaluate(CALL, [f"{self.api}{path}", method, body])

    def log_in(self, new: Any) -> Any:
        return self("POST", "/api/auth/login", {"email": new.user.email, "password": new.password})

    def statuses(self, act: Callable[[], Any]) -> list[int]:
        """How the platform answered what `act` made the browser ask, preflights left out."""
        seen: list[int] = []

        def note(response: Any) -> None:
            if response.url.startswith(self.api) and response.request.method != "OPTIONS":
                seen.append(response.status)

        self.page.on("response", note)
        act()
        self.page.remove_listener("response", note)
        return seen


def serving_pages() -> Iterator[Callable[[], int]]:
    """For a fixture: each call starts a server of pages and answers its port."""
    servers = []

    def start() -> int:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        threading.Thread(target=partial(server.serve_forever, poll_interval=0.05), daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def browsing(chromium: Path, profile: Path) -> Iterator[BrowserContext]:
    """For a fixture. Third-party cookies are allowed, as in most people's browsers; here they are not by default."""
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 0}}))
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(profile, executable_path=chromium, args=QUIET)
        yield context
        context.close()
        connection.close()  # that of Playwright's event loop: the next test of a browser would find it as it is then
