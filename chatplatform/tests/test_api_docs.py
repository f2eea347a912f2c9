"""Every call has an example in docs/api, and every example there works: it is run as it stands against a
live server with the demonstration's data, and what it answers looks like what the page shows."""

import io
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import resolve

from chatplatform import dialects
from chatplatform.openapi.schema import schema_of_dialect
from clients.credentials import issue_tokens
from clients.models import PlatformKey, User
from clients.passwords import reset_tokens
from clients.roles import Role

PAGES = settings.BASE_DIR / "docs" / "api"
NAMES = [dialect.name for dialect in dialects.discover()]
SHOWN_SERVER = "http://127.0.0.1:8000"
EXAMPLE = re.compile(
    r"^```(?:bash|sh)?\n((?:\w+=[^\n]*\n)*curl .*?)^```(?:\n```json\n(.*?)^```)?", re.MULTILINE | re.DOTALL
)
PRELUDE = re.compile(r"`(B=http[^`]*)`")
#: Values that are made anew each time: ids, times, tokens.
MADE = re.compile(
    r"(?:[a-z]+_)?[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d+(?:\.\d+)?", re.ASCII
)


def examples(name: str) -> list[tuple[str, Any]]:
    """The page's calls and the answers that it shows, in their order."""
    text = (PAGES / f"{name}.md").read_text()
    prelude = "\n".join(PRELUDE.findall(text))
    return [(f"{prelude}\n{call}", json.loads(answer) if answer else None) for call, answer in EXAMPLE.findall(text)]


def called(name: str) -> Iterator[tuple[str, str]]:
    """The documented paths that the page calls, by method."""
    for call, _ in examples(name):
        words = shlex.split(call[call.index("curl ") :].replace("\\\n", " "))
        [address] = [word for word in words if word.startswith(("http://", "$B/"))]
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if "-d" in words else "GET"
        route = resolve(urlsplit(address.replace("$B", "http://server")).path).route
        yield method, "/" + route.replace("<str:", "{").replace(">", "}").rstrip("/")


@pytest.mark.parametrize("name", NAMES)
def test_every_call_has_an_example(name: str) -> None:
    paths = (schema_of_dialect(name) or {})["paths"]
    assert {(m.upper(), path) for path, methods in paths.items() for m in methods} - set(called(name)) == set()


@dataclass
class Reader:
    """Somebody who follows a page from its top and puts their own ids in place of the shown ones."""

    environment: dict[str, str]
    folder: Path
    own: dict[str, str] = field(default_factory=dict)

    def run(self, call: str) -> Any:
        shown = sorted(self.own, key=len, reverse=True)
        for value in shown:
            call = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", self.own[value], call)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", call],
            env={"PATH": "/usr/bin:/bin", "CURL_HOME": str(self.folder), **self.environment},
            cwd=self.folder, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (call, done.stderr)
        if done.stdout.startswith("HTTP/"):  # `curl -i`, where the status is all there is
            assert re.match(r"HTTP/\S+ 204\b", done.stdout), (call, done.stdout)
            return ""
        if done.stdout.startswith(": "):  # a stream of events, whose beginning it is
            assert "\nevent: ready\ndata: {}\n" in done.stdout, (call, done.stdout)
            return ""
        return json.loads(done.stdout) if done.stdout else ""

    def compare(self, shown: Any, answered: Any, where: str) -> None:
        """`…` stands for what is not shown again."""
        if isinstance(shown, str):
            shown = shown.replace(SHOWN_SERVER, self.own[SHOWN_SERVER])
        if isinstance(shown, dict):
            assert isinstance(answered, dict), (where, shown, answered)
            named = shown.keys() - {"…"}
            assert named <= answered.keys() if "…" in shown else named == answered.keys(), (where, shown, answered)
            for key in named:
                self.compare(shown[key], answered[key], f"{where}/{key}")
        elif isinstance(shown, list):
            assert isinstance(answered, list), (where, shown, answered)
            whole = "…" not in shown
            listed = [item for item in shown if item != "…"]
            assert len(listed) == len(answered) if whole else len(listed) <= len(answered), (where, shown, answered)
            for index, (one, other) in enumerate(zip(listed, answered, strict=False)):
                self.compare(one, other, f"{where}/{index}")
        elif isinstance(shown, str) and shown.endswith("…"):
            assert str(answered).startswith(shown[:-1]), (where, shown, answered)
        elif shown != answered:
            assert type(shown) is type(answered), (where, shown, answered)
            assert MADE.fullmatch(str(shown)), (where, shown, answered)
            assert MADE.fullmatch(str(answered)), (where, shown, answered)
            self.own[str(shown)] = str(answered)


def people(shown: Any) -> Iterator[tuple[str, str]]:
    """The uuids that a page shows of people of the demonstration, by e-mail."""
    if isinstance(shown, dict):
        if "uuid" in shown and "email" in shown:
            yield shown["uuid"], shown["email"]
        for part in shown.values():
            yield from people(part)
    elif isinstance(shown, list):
        for part in shown:
            yield from people(part)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.parametrize("name", NAMES)
def test_the_examples_work_as_they_stand(name: str, live_server_url: str, tmp_path: Path) -> None:
    shown = io.StringIO()
    call_command("create_demo", stdout=shown)

    def printed(label: str) -> str:
        found = re.search(rf"{re.escape(label)}\s+(\S+)$", shown.getvalue(), re.MULTILINE)
        assert found is not None, shown.getvalue()
        return found[1]

    maya = User.objects.get(email="maya.hart@example.com")
    tokens = issue_tokens(maya)
    admin = User.objects.get(client=maya.client, role=Role.CLIENT_ADMIN)
    reader = Reader(
        {
            "ACCESS": tokens.access,
            "REFRESH": tokens.refresh,
            "STAFF": issue_tokens(admin).access,
            "PASSWORD": printed("maya.hart@example.com"),
            "SESSION": printed("Session id"),
            "TOKEN": printed("API token"),
            "KEY": PlatformKey.objects.get().key,
        },
        tmp_path,
        {SHOWN_SERVER: live_server_url},
    )
    for _, answer in examples(name):
        for uuid, email in people(answer):
            user = User.objects.filter(email=email).first()
            if user is not None:
                reader.own[uuid] = str(user.uuid)
    (tmp_path / ".curlrc").write_text("fail\n")  # an example that is refused is none
    for call, answer in examples(name):
        if "TOKEN_OF_LINK" in call:
            maya.refresh_from_db()
            link = {"UID_OF_LINK": str(maya.uuid), "TOKEN_OF_LINK": reset_tokens.make_token(maya)}
            reader.environment.update(link)
        answered = reader.run(call)
        if answer is not None:
            reader.compare(answer, answered, call)
