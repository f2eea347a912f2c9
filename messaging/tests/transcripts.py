"""Small transcript files, and the import as a command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import ROOT, database_environment

_SAID = [
    ("customer", "The parcel with the lamp arrived broken.", "2024-03-04T09:00:00Z"),
    ("system", "order 4471: 1 desk lamp, delivered 2024-03-03", "2024-03-04T09:00:05Z"),
    ("agent", "I am sorry. A new one leaves today.", "2024-03-04T09:02:30Z"),
    ("customer", "Thank you!", "2024-03-04T09:40:00Z"),
]


def dialogue(number: int, **changes: Any) -> dict[str, Any]:
    """A line as it should be, but for `changes`."""
    return {
        "external_id": f"desk-{number}",
        "channel": "webchat",
        "subject": "A broken lamp",
        "customer": {"name": "Niamh Kelly"},
        "agent": {"name": "Tomás Ruiz"},
        "outcome": "resolved",
        "messages": [{"sender": sender, "text": text, "at": at} for sender, text, at in _SAID],
        **changes,
    }


def saying(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"sender": "customer", "text": "Hello, is anybody there?", **message} for message in messages]}


def write(path: Path, *lines: dict[str, Any] | str | bytes) -> Path:
    with path.open("wb") as file:
        for line in lines:
            if isinstance(line, dict):
                line = json.dumps(line)
            file.write((line if isinstance(line, bytes) else line.encode()) + b"\n")
    return path


def start_import(*arguments: str) -> "subprocess.Popen[str]":
    """The command as its own process, on the test's (committed) database."""
    command = [sys.executable, str(ROOT / "manage.py"), "import_transcripts", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **database_environment()}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
