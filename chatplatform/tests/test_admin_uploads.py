"""Files in the admin: attached to a reply, downloaded from the thread and from their own page."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as HttpClient
from django.test import override_settings
from django.urls import reverse

from chatplatform.tests.admin_world import browser_of, enter, page, staff_of
from chatplatform.tests.samples import GOOD, PAGE, PNG
from chatplatform.tests.store import everything, new_conversation
from chatplatform.tests.uploading import content, fetch
from clients import actions
from conversations.models import Conversation
from messaging.models import Attachment, Message, Upload

pytestmark = pytest.mark.usefixtures("plain_static_files")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Any:
    with override_settings(MEDIA_ROOT=tmp_path / "files"):
        yield tmp_path / "files"


@pytest.fixture
def row(maya: Any) -> Conversation:
    return Conversation.objects.get(pk=new_conversation(maya))


def write(browser: HttpClient, row: Conversation, name: str, data: bytes, content_type: str, **fields: str) -> Any:
    file = SimpleUploadedFile(name, data, content_type)
    url = page(Conversation, "button", row.pk, "write")
    return browser.post(url, {"text": "", **fields, "file": file}, follow=True)


def download(attachment: Attachment) -> str:
    return reverse("admin:messaging_attachment_download", args=[attachment.pk])


@pytest.mark.parametrize(
    ("content_type", "type_"),
    [("image/png", "image"), ("audio/mpeg", "audio"), ("video/mp4", "video"), ("application/pdf", "file")],
)
def test_a_reply_with_a_file(acme, row, maya, content_type, type_):
    name, data = GOOD[content_type]
    browser = browser_of(acme.staff.user)
    answer = write(browser, row, name, data, content_type, text="See <b>here</b>")
    assert answer.status_code == 200
    message, upload, attachment = Message.objects.get(), Upload.objects.get(), Attachment.objects.get()
    assert (message.type, message.text, message.sender_agent) == (type_, "See <b>here</b>", acme.agents[0])
    assert (upload.state, upload.file_name, upload.content_type) == ("used", name, content_type)
    assert upload.created_by_user == acme.staff.user
    shown = answer.content.decode()
    assert f'href="{download(attachment)}">{name}</a>' in shown
    assert "<b>here</b>" not in shown
    assert browser.get(page(Attachment, "change", attachment.pk)).content.decode().count(download(attachment)) == 1
    found = browser.get(download(attachment))
    assert found.status_code == 302
    assert content(fetch(found["Location"])) == data
    [told] = maya.get(f"/chat/conversations/{row.pk}/messages").json()["data"]["messages"]
    assert [file["file_name"] for file in told["attachments"]] == [name]


def test_a_file_alone_and_a_type_by_its_ending(acme, row):
    write(browser_of(acme.staff.user), row, "notes.txt", b"Two boxes.", "application/octet-stream")
    assert Upload.objects.get().content_type == "text/plain"
    row.refresh_from_db()
    assert (Message.objects.get().text, row.last_message_text) == ("", "[file] notes.txt")


@pytest.mark.parametrize(
    ("name", "data", "content_type", "said"),
    [
        ("a.png", PAGE, "image/png", "The file was not taken: Its content is of another type."),
        ("a.html", PAGE, "text/html", "The file was not taken: Files of this type are not accepted."),
        ("a.png", b"", "image/png", "The file was not taken: Must be at least 1."),
    ],
)
def test_a_file_that_is_not_taken(acme, row, name, data, content_type, said):
    answer = write(browser_of(acme.staff.user), row, name, data, content_type, text="Here <b>it</b> is")
    assert said in answer.content.decode()
    assert ">Here &lt;b&gt;it&lt;/b&gt; is</textarea>" in answer.content.decode()
    assert answer.context["form_url"] == page(Conversation, "change", row.pk)  # where Save goes
    assert (Message.objects.count(), Attachment.objects.count()) == (0, 0)
    assert not Upload.objects.exists()


def test_a_note_takes_no_file(acme, row):
    browser = browser_of(acme.staff.user)
    before = everything()
    answer = write(browser, row, "a.png", PNG, "image/png", text="Psst", private="1")
    assert "A file goes with a reply, not with a note." in answer.content.decode()
    assert everything() == before


def test_nothing_at_all_is_no_reply(acme, row):
    browser, url = browser_of(acme.staff.user), page(Conversation, "button", row.pk, "write")
    before = everything()
    answer = browser.post(url, {"text": " "}, follow=True)
    assert "Nothing was written" in answer.content.decode()
    assert everything() == before


def test_whose_files_staff_see(acme, rival, row):
    write(browser_of(acme.staff.user), row, "a.png", PNG, "image/png")
    attachment = Attachment.objects.get()
    elsewhere = staff_of(acme, "agent", "billing")
    actions.create_agent(client=acme.client, agent_id="b", name="B", user=elsewhere, queues=["billing"])
    for browser, status in [
        (browser_of(acme.staff.user), 302), (browser_of(staff_of(acme, "agent")), 302),
        (enter("superuser", acme)[0], 302), (browser_of(rival.staff.user), 404), (browser_of(elsewhere), 404),
    ]:  # fmt: skip
        assert browser.get(download(attachment)).status_code == status
    assert HttpClient().get(download(attachment))["Location"].startswith("/admin/login")
    assert browser_of(acme.staff.user).get(download(attachment).replace(str(attachment.pk), "9999")).status_code == 404


def test_a_file_elsewhere_has_no_download(acme, row):
    write(browser_of(acme.staff.user), row, "a.png", PNG, "image/png")
    linked = Attachment.objects.create(message=Message.objects.get(), file_name="b", url="https://x.example.com/b")
    browser = browser_of(acme.staff.user)
    assert browser.get(download(linked)).status_code == 404
    assert 'href="https://x.example.com/b"' not in browser.get(page(Attachment, "change", linked.pk)).content.decode()


def test_a_form_over_the_limit_is_not_read(acme, row):
    browser = browser_of(acme.staff.user)
    before = everything()
    with override_settings(UPLOAD_LIMIT=10):
        data = b"x" * (1024 * 1024 + 11)
        answer = write(browser, row, "a.txt", data, "text/plain")
    assert answer.status_code == 413
    assert everything() == before


def test_a_file_that_retention_removed_has_no_link(acme, row):
    write(browser_of(acme.staff.user), row, "a.png", PNG, "image/png")
    Upload.objects.update(removed_at=Upload.objects.get().created_at)
    attachment, browser = Attachment.objects.get(), browser_of(acme.staff.user)
    for shown in (page(Conversation, "change", row.pk), page(Attachment, "change", attachment.pk)):
        text = browser.get(shown).content.decode()
        assert download(attachment) not in text
        assert "removed" in text
    assert browser.get(download(attachment)).status_code == 404
