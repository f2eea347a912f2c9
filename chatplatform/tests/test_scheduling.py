"""The server stands on names of Granian that are not its API: where one is gone, it says so and does not start."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from granian import _granian
from granian.server import mp

from chatplatform.server import scheduling

PARTS = [(mp, "_new_cbscheduler", "granian.server.mp."), (_granian, "CallbackScheduler", "granian._granian.")]


def test_this_granian_is_known() -> None:
    scheduling.ensure_known()


@pytest.mark.parametrize(("module", "name", "where"), PARTS)
def test_a_server_on_another_granian_does_not_start(
    module: Any, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """neither the command nor a process of the server, which would answer nothing"""
    monkeypatch.setattr(scheduling, "version", lambda package: "9.9.9")
    monkeypatch.delattr(module, name)
    message = f"Granian 9.9.9 has no {where}{name}; install the version that requirements.txt names"
    with pytest.raises(CommandError) as of_command:
        call_command("serve", port=0)
    assert str(of_command.value) == message
    with pytest.raises(scheduling.NotKnown) as of_process:
        scheduling.give_calls_to(print)
    assert str(of_process.value) == message
    assert not hasattr(module, name)  # nothing was put in its place
