"""The same uploads on S3, against a server process that speaks like it. It enforces neither expiry nor
length, so that these are looked at in what is signed."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from chatplatform.tests.samples import GOOD, HOSTILE, PDF, PNG
from chatplatform.tests.store import everything
from chatplatform.tests.uploading import announce
from chatplatform.tests.workspace import begin, ok, path_of, post, wrong_fields
from messaging.files import key_of, store
from messaging.files.stores import incoming_key
from messaging.models import Upload
from messaging.sweep import sweep_uploads

BUCKET = "chat-files"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)])
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5)
            break
        except requests.ConnectionError:
            assert process.poll() is None, "the S3 server ended before it answered"
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(autouse=True)
def s3(s3_server: str) -> Iterator[Any]:
    """An empty bucket, and the settings that name it; answers its client."""
    options = {
        "bucket_name": BUCKET, "endpoint_url": s3_server, "region_name": "us-east-1", "access_key": "key",
        "secret_key": "secret", "addressing_style": "path",
    }  # fmt: skip
    backend = {"BACKEND": "messaging.files.s3.S3Store", "OPTIONS": options}
    with override_settings(STORAGES={**settings.STORAGES, "default": backend}):
        client = store().client  # type: ignore[attr-defined]
        client.create_bucket(Bucket=BUCKET)
        yield client
        for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=found["Key"])
        client.delete_bucket(Bucket=BUCKET)


def keys() -> list[str]:
    return sorted(key for key, _ in store().keys())


def put(url: str, data: bytes, content_type: str) -> int:
    return requests.put(url, data=data, headers={"Content-Type": content_type}, timeout=30).status_code


@pytest.mark.contract("workspace: Default: local disk", "behaviour: URLs live 15 minutes")
def test_the_store_signs_length_and_type_and_a_quarter_of_an_hour(robot, s3_server):
    """presigned URLs of the store itself, same answer"""
    answer = announce(robot, begin(robot))
    assert list(answer) == ["upload_url", "file_id", "expires_at"]
    url = urlsplit(answer["upload_url"])
    upload = Upload.objects.get()
    assert f"{url.scheme}://{url.netloc}" == s3_server
    assert url.path == f"/{BUCKET}/incoming/{upload.uuid.hex}"
    query = parse_qs(url.query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert 895 <= int(query["X-Amz-Expires"][0]) <= 900
    assert "secret" not in answer["upload_url"]


def test_another_length_or_type_is_another_signature(robot):
    announced = announce(robot, begin(robot))
    upload = Upload.objects.get()
    signatures = set()
    for size, content_type in ((upload.size, "image/png"), (upload.size + 1, "image/png"), (upload.size, "text/html")):
        upload.size, upload.content_type = size, content_type
        url = store().upload_address(upload)  # type: ignore[attr-defined]
        signatures.add(parse_qs(urlsplit(url).query)["X-Amz-Signature"][0])
    assert len(signatures) == 3
    assert announced["upload_url"].startswith("http")


@pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "text/csv", "application/zip"])
def test_a_file_goes_in_and_comes_out(robot, content_type):
    name, data = GOOD[content_type]
    made = begin(robot)
    answer = announce(robot, made, data, filename=name, content_type=content_type)
    assert put(answer["upload_url"], data, content_type) == 200
    sent = ok(post(robot, made, "file", {"file_id": answer["file_id"]}), 201)
    upload = Upload.objects.get()
    assert (upload.state, upload.storage_key, keys()) == ("used", key_of(upload.uuid), [key_of(upload.uuid)])
    shown = ok(robot.get(path_of(made, "messages", sent["id"])))["file"]
    url = urlsplit(shown["url"])
    query = parse_qs(url.query)
    assert (query["X-Amz-Expires"], url.path) == (["900"], f"/{BUCKET}/{key_of(upload.uuid)}")
    got = requests.get(shown["url"], timeout=30)
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, data, content_type)
    assert query["response-content-disposition"] == [f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"]


@pytest.mark.contract("workspace: An unknown or unfinished file_id")
def test_what_did_not_come_is_unfinished(robot):
    made = begin(robot)
    answer = announce(robot, made)
    before = everything()
    assert wrong_fields(post(robot, made, "image", {"file_id": answer["file_id"]})) == ["image.file_id"]
    assert everything() == before


@pytest.mark.parametrize("name", ["a page as a PNG", "SVG as text", "Word with macros", "a PDF without an end"])
def test_a_hostile_file_is_found_at_its_first_use(robot, name):
    content_type, data = HOSTILE[name]
    made = begin(robot)
    answer = announce(robot, made, data, filename="file", content_type=content_type)
    assert put(answer["upload_url"], data, content_type) == 200
    before = everything()
    assert wrong_fields(post(robot, made, "file", {"file_id": answer["file_id"]})) == ["file.file_id"]
    assert everything() == before


@pytest.mark.parametrize(
    ("data", "content_type"), [(PNG + b"x", "image/png"), (PNG, "image/gif"), (PNG[:-1], "image/png")]
)
def test_another_size_or_type_in_the_store_is_refused(robot, s3, data, content_type):
    """whoever got round what is signed"""
    made = begin(robot)
    answer = announce(robot, made)
    key = incoming_key(Upload.objects.get().uuid)
    s3.put_object(Bucket=BUCKET, Key=key, Body=data, ContentType=content_type)
    before = everything()
    assert wrong_fields(post(robot, made, "image", {"file_id": answer["file_id"]})) == ["image.file_id"]
    assert everything() == before


def test_what_is_put_again_changes_nothing(robot):
    """the address is still good for the store, but leads to nothing that is shown"""
    made = begin(robot)
    answer = announce(robot, made, PDF, filename="a.pdf", content_type="application/pdf")
    assert put(answer["upload_url"], PDF, "application/pdf") == 200
    sent = ok(post(robot, made, "file", {"file_id": answer["file_id"]}), 201)
    other = PDF.replace(b"Root", b"Rook")
    assert put(answer["upload_url"], other, "application/pdf") == 200
    assert requests.get(sent["file"]["url"], timeout=30).content == PDF
    assert wrong_fields(post(robot, made, "file", {"file_id": answer["file_id"]})) == ["file.file_id"]


def test_the_sweep_removes_what_nobody_used(robot):
    made = begin(robot)
    used, unused = announce(robot, made), announce(robot, made)
    for answer in (used, unused):
        assert put(answer["upload_url"], PNG, "image/png") == 200
    ok(post(robot, made, "image", {"file_id": used["file_id"]}), 201)
    assert list(sweep_uploads()) == []
    Upload.objects.exclude(state="used").update(
        created_at=timezone.now() - timedelta(days=3), expires_at=timezone.now() - timedelta(days=2)
    )
    gone = Upload.objects.exclude(state="used").get()
    assert list(sweep_uploads(dry_run=True)) == [("unused", [str(gone.uuid)])]
    assert len(keys()) == 2
    assert list(sweep_uploads()) == [("unused", [str(gone.uuid)])]
    kept = Upload.objects.get()
    assert keys() == [kept.storage_key]


def test_a_store_that_is_away(robot, caplog):
    """503, nothing stored, and no word of where the store is"""
    conversation = begin(robot)
    file_id = announce(robot, conversation)["file_id"]
    before = everything()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        there = settings.STORAGES["default"]
        away = {**there, "OPTIONS": {**there["OPTIONS"], "endpoint_url": url}}
        with override_settings(STORAGES={**settings.STORAGES, "default": away}):
            answer = post(robot, conversation, "image", {"file_id": file_id})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["code"] == "1011"
    assert "127.0.0.1" not in answer.content.decode()
    assert answer.json()["error"]["details"] in caplog.text
    assert everything() == before
