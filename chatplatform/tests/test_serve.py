import socket

import pytest
from django.core.management import CommandError, call_command


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
