import re
import socket
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[2]


def test_a_second_server_on_a_port_is_refused(monkeypatch):
    """Workers share their port (SO_REUSEPORT), so the kernel alone would let both serve, call by call."""
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it started"))
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(CommandError, match=f"Cannot serve at 127.0.0.1:{port}"):
            call_command("serve", "--no-prepare", port=port)


def test_every_variable_of_the_settings_stands_in_the_docs():
    read = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", (ROOT / "chatplatform" / "settings.py").read_text()))
    assert "DATABASE_URL" in read
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert read - documented == set()
    assert documented - read == {"HOST", "PORT", "DEMO"}
