"""A dialect that is thrown away: a folder, found like the real ones, and this plugin for its tests.

    pytest -p chatplatform.tests.sixth chatplatform/tests/test_every_call.py

The tests of every call run over it too. They ask for what they ask of any new dialect: who calls it, what
its ids are, and a good body for each write.
"""

from pathlib import Path

from chatplatform import dialects

dialects.__path__.append(str(Path(__file__).parent / "dialects"))


def pytest_configure() -> None:
    from chatplatform.tests import foreigners, world
    from chatplatform.tests.world import Example, bearer

    foreigners.BY_USER |= {"sixth"}
    world.CREDENTIALS["sixth"] = lambda world: bearer(world.access)
    world.IDS["sixth"] = {"ticket_id": lambda world: str(world.conversation.pk)}
    world.EXAMPLES |= {
        "POST /chat/sixth/tickets": Example(lambda world: {"subject": "Broken cup"}),
        "PATCH /chat/sixth/tickets/{ticket_id}": Example(lambda world: {"subject": "Mended cup"}),
        "DELETE /chat/sixth/tickets/{ticket_id}": Example(),
    }
