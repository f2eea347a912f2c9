"""`apply_retention` killed by the system at any moment while others write: nothing is half, and a rerun ends it."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from clients.callers import system_caller
from clients.credentials import issue_tokens
from conftest import ROOT, LiveServer, database_environment
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation
from messaging.integrity import verify
from messaging.models import Attachment, DoomedFile, Message, Upload

from .test_kill import Writers, conversations, end
from .test_retention import assert_no_orphans, stored

OLD = datetime.now(UTC) - timedelta(days=800)
COUNT, MESSAGES, KILLS = 150, 60, 12


@pytest.fixture
def files(transactional_db: None) -> Any:
    folder = Path(database_environment()["DATA_DIR"]) / "files"
    with override_settings(MEDIA_ROOT=folder):
        yield folder


def furnish(acme: Any) -> None:
    """Closed conversations of long ago, each with messages and a file."""
    by = system_caller(acme.client)
    for number in range(COUNT):
        row = actions.create_conversation(
            client_id=acme.client.pk, by=by, channel="email", title=f"Old {number}", at=OLD,
            people=[Person(contact_id=acme.contacts[0].pk)],
        )  # fmt: skip
        Message.objects.bulk_create(
            Message(client=acme.client, conversation=row, seq=n, text="Hello", created_at=OLD, visibility="private")
            for n in range(1, MESSAGES + 1)
        )
        file = Upload.objects.create(
            client=acme.client, conversation=row, file_name="a", content_type="text/plain", size=4, state="used",
            storage_key=default_storage.save(f"old/{number}", ContentFile(b"four")), created_at=OLD, received_at=OLD,
            expires_at=OLD + timedelta(minutes=15),
        )  # fmt: skip
        message = Message.objects.of(row.pk).latest("seq")
        Attachment.objects.create(message=message, upload=file, file_name="a")
        Message.objects.filter(pk=message.pk).update(attachment_count=1)
        Conversation.objects.filter(pk=row.pk).update(last_seq=MESSAGES)
        actions.change_status(conversation=row, status="closed", by=by, at=OLD)


def start() -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "manage.py"), "apply_retention"]
    environment = {**os.environ, **database_environment()}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.contract("workspace: Retention (a management")
@pytest.mark.long
def test_killed_at_any_moment_under_load(files: Path, acme: Any, record_property: Any) -> None:
    furnish(acme)
    server = LiveServer(WEB_WORKERS="2")
    server.start()
    token = issue_tokens(acme.users[0].user).access
    load = Writers(server.url, token, conversations(server, token))
    killed = 0
    try:
        with load:
            for _ in range(KILLS):
                left = Conversation.objects.filter(status="closed").count()
                runner = start()
                deadline = time.monotonic() + 60
                while runner.poll() is None and Conversation.objects.filter(status="closed").count() == left:
                    assert time.monotonic() < deadline
                    time.sleep(0.002)
                time.sleep(random.uniform(0, 0.05))
                if runner.poll() is None:
                    runner.send_signal(signal.SIGKILL)
                    killed += 1
                runner.wait(30)
                needed = set(Upload.objects.filter(removed_at=None).values_list("storage_key", flat=True))
                doomed = set(DoomedFile.objects.values_list("storage_key", flat=True))
                assert needed <= stored(files) <= needed | doomed
            assert start().wait(120) == 0
    finally:
        end(server)
    record_property("killed", killed)
    assert killed >= 3
    assert set(load.statuses) == {200}
    assert not Conversation.objects.filter(status="closed").exists()
    assert Message.objects.filter(text="Hello").count() == 0
    assert [difference for _, found in verify() for difference in found] == []
    assert_no_orphans(files)
