"""Files that pretend, and addresses that somebody changed: refused, and nothing is kept."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings

from chatplatform.tests.samples import HOSTILE, PDF, PNG, UNUSUAL
from chatplatform.tests.store import everything
from chatplatform.tests.uploading import announce, bring, content, fetch, put, stored
from chatplatform.tests.workspace import assert_refused, begin, ok, post, wrong_fields
from messaging.files import content as kinds
from messaging.models import Upload

pytestmark = pytest.mark.usefixtures("folder")


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 40
    assert len(ALTERED) >= 30


@pytest.mark.contract("workspace: Content of another type: 422", "behaviour: Accepted by content")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(robot, folder, name):
    """422 (1003), and not a byte of it stays"""
    content_type, data = HOSTILE[name]
    url = announce(robot, begin(robot), data, filename="file", content_type=content_type)["upload_url"]
    before = everything()
    assert wrong_fields(put(url, data, content_type)) == ["content_type"]
    assert everything() == before
    assert stored(folder) == []


@pytest.mark.contract("behaviour: Accepted by content")
@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_file_is_what_it_says(robot, folder, name):
    """204; what stands within it decides nothing, and it comes out as an attachment"""
    content_type, data = UNUSUAL[name]
    made = begin(robot)
    announced = announce(robot, made, data, filename="file", content_type=content_type)
    assert put(announced["upload_url"], data, content_type).status_code == 204
    assert stored(folder) == [data]
    got = fetch(ok(post(robot, made, "file", {"file_id": announced["file_id"]}), 201)["file"]["url"])
    assert (content(got), got["Content-Type"], got["X-Content-Type-Options"]) == (data, content_type, "nosniff")
    assert got["Content-Disposition"].startswith("attachment; ")
    assert got["Content-Security-Policy"].startswith("sandbox; ")


@pytest.mark.parametrize("content_type", sorted(kinds.KINDS))
def test_the_same_files_are_of_no_other_type_either(robot, content_type):
    """whatever they are announced as: a page is of no type"""
    import io

    from chatplatform.tests.samples import PAGE, SVG

    for data in (PAGE, SVG, b" \n" + PAGE, b"\xef\xbb\xbf" + SVG, b"", b"\0" * 100, b"<", b"PK\x05\x06"):
        assert not kinds.is_of_type(io.BytesIO(data), content_type, len(data)) or (data, content_type) in HARMLESS


#: An opening bracket is text, and so is nothing at all (which is announced by nobody).
HARMLESS = {(data, kind) for data in (b"<", b"") for kind in ("text/plain", "text/csv")}


def flipped(text: str, at: int) -> str:
    other = "0" if text[at] != "0" else "1"
    return text[:at] + other + text[at + 1 :]


def _query(url: str, **changed: str | None) -> str:
    parts = urlsplit(url)
    values = {**dict(parse_qsl(parts.query)), **changed}
    return f"{parts.path}?{urlencode({name: value for name, value in values.items() if value is not None})}"


def _path(url: str, path: str) -> str:
    return f"{path}?{urlsplit(url).query}"


def value(url: str, name: str) -> str:
    return dict(parse_qsl(urlsplit(url).query))[name]


def _mine(url: str) -> str:
    return urlsplit(url).path


#: What is done to the address (of an upload, of another upload, of a download) → the altered address.
ALTERED: dict[str, Any] = {
    "no signature": lambda url, other, down: _query(url, signature=None),
    "an empty signature": lambda url, other, down: _query(url, signature=""),
    "a signature of zeros": lambda url, other, down: _query(url, signature="0" * 64),
    "first digit of the signature": lambda url, o, d: _query(url, signature=flipped(value(url, "signature"), 0)),
    "last digit of the signature": lambda url, o, d: _query(url, signature=flipped(value(url, "signature"), 63)),
    "half a signature": lambda url, other, down: _query(url, signature=value(url, "signature")[:32]),
    "a longer signature": lambda url, other, down: _query(url, signature=value(url, "signature") + "0"),
    "a signature in capitals": lambda url, other, down: _query(url, signature=value(url, "signature").upper() + "A"),
    "a signature with a space": lambda url, other, down: _query(url, signature=value(url, "signature") + " "),
    "a signature of letters of no alphabet": lambda url, other, down: _query(url, signature="é" * 64),
    "another's signature": lambda url, other, down: _query(url, signature=value(other, "signature")),
    "the signature of the download": lambda url, other, down: _query(url, signature=value(down, "signature")),
    "a later expiry": lambda url, o, d: _query(url, expires=str(int(value(url, "expires")) + 1)),
    "an expiry far off": lambda url, other, down: _query(url, expires="99999999999"),
    "an expiry with a nought before it": lambda url, other, down: _query(url, expires="0" + value(url, "expires")),
    "no expiry": lambda url, other, down: _query(url, expires=None),
    "an expiry that is no number": lambda url, other, down: _query(url, expires="never"),
    "an expiry of other digits": lambda url, other, down: _query(url, expires="１７９５２７００００"),
    "a larger size": lambda url, other, down: _query(url, size=str(len(PNG) + 1)),
    "a size of the largest file": lambda url, other, down: _query(url, size="104857600"),
    "no size": lambda url, other, down: _query(url, size=None),
    "another type": lambda url, other, down: _query(url, type="application/pdf"),
    "a type of pages": lambda url, other, down: _query(url, type="text/html"),
    "a type in capitals": lambda url, other, down: _query(url, type="IMAGE/PNG"),
    "no type": lambda url, other, down: _query(url, type=None),
    "another file's id": lambda url, other, down: _path(url, _mine(other)),
    "a file that nobody announced": lambda url, other, down: _path(url, "/files/" + "0" * 32),
    "one digit of the id": lambda url, other, down: _path(url, flipped(_mine(url), len(_mine(url)) - 1)),
    "the id in capitals": lambda url, other, down: _path(url, "/files/" + _mine(url)[7:].upper() + "A"),
    "the id with dashes": lambda url, other, down: _path(url, f"/files/{UUID(_mine(url)[7:])}"),
    "a slash behind the id": lambda url, other, down: _path(url, _mine(url) + "/"),
    "a path behind the id": lambda url, other, down: _path(url, _mine(url) + "/../../../etc/passwd"),
    "no id": lambda url, other, down: _path(url, "/files/"),
    "a path for the id": lambda url, other, down: _path(url, "/files/" + quote("../secret_key", safe="")),
    "NUL behind the id": lambda url, other, down: _path(url, _mine(url) + "%00"),
    "a field too many": lambda url, other, down: _query(url, method="PUT"),
    "a field twice": lambda url, other, down: _query(url) + f"&size={len(PNG)}",
    "two signatures": lambda url, other, down: _query(url) + "&signature=" + value(url, "signature"),
    "the address of a download": lambda url, other, down: down,
    "fields of a download": lambda url, other, down: _query(url, size=None, type=None),
}


@pytest.mark.contract("workspace: A bad, spent or expired signature")
@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_upload_address_is_refused(robot, folder, name):
    made = begin(robot)
    shown = ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)["image"]["url"]
    other = announce(robot, made, PDF, filename="b.pdf", content_type="application/pdf")["upload_url"]
    url = announce(robot, made)["upload_url"]
    altered = ALTERED[name](url, other, shown)
    before, kept = everything(), stored(folder)
    assert_refused(put(altered, PNG), "1002")
    assert_refused(fetch(altered), "1002") if altered != shown else None
    assert (everything(), stored(folder)) == (before, kept)
    assert put(url, PNG).status_code == 204  # as it was, it is good


DOWNLOADS = {
    name: ALTERED[name]
    for name in ALTERED
    if not any(part in name for part in ("size", "type", "field", "download", "signatures"))
}


@pytest.mark.contract("workspace: A bad, spent or expired signature")
@pytest.mark.parametrize("name", DOWNLOADS)
def test_an_altered_download_address_is_refused(robot, name):
    made = begin(robot)
    shown, other = (
        ok(post(robot, made, "image", {"file_id": bring(robot, made)}), 201)["image"]["url"] for _ in range(2)
    )
    altered = DOWNLOADS[name](shown, other, shown)
    for method in ("GET", "HEAD"):
        assert fetch(altered, method).status_code == 403
    assert_refused(fetch(altered), "1002")
    assert content(fetch(shown)) == PNG


def test_an_address_for_one_is_none_for_the_other(robot):
    made = begin(robot)
    announced = announce(robot, made)
    assert_refused(fetch(announced["upload_url"]), "1002")
    assert put(announced["upload_url"], PNG).status_code == 204
    assert_refused(fetch(announced["upload_url"]), "1002")
    shown = ok(post(robot, made, "image", {"file_id": announced["file_id"]}), 201)["image"]["url"]
    assert_refused(put(shown, PNG), "1002")


def test_another_key_signs_nothing_for_us(robot):
    url = announce(robot, begin(robot))["upload_url"]
    with override_settings(SECRET_KEY="another one, as long as ours is, and a bit longer"):
        assert_refused(put(url, PNG), "1002")
    assert put(url, PNG).status_code == 204


def test_an_address_in_the_log_of_nobody(robot, caplog):
    """neither what is good nor what is refused writes its signature down"""
    url = announce(robot, begin(robot))["upload_url"]
    with caplog.at_level("DEBUG"):
        put(_query(url, size="1"), PNG)
        put(url, PNG)
        put(url, PNG)
    assert value(url, "signature") not in caplog.text


def test_a_zip_whose_directory_is_a_bomb_is_not_read(robot, folder):
    """as a document; as an archive it is what it is, and nobody opens it here"""
    from chatplatform.tests.samples import OFFICE, archive

    names = {f"word/{n}": b"" for n in range(12_000)}
    data = archive({"[Content_Types].xml": b"<Types/>", **names})
    kind = f"{OFFICE}wordprocessingml.document"
    url = announce(robot, begin(robot), data, filename="a.docx", content_type=kind)["upload_url"]
    assert wrong_fields(put(url, data, kind)) == ["content_type"]
    assert Upload.objects.get().state == "pending"
    assert not default_storage.exists("word")
