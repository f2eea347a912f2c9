"""contracts/workspace.md: who may call, and the envelope of whatever goes wrong."""

import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from chatplatform.tests.store import everything
from chatplatform.tests.workspace import AGENT, CUSTOMER, assert_refused, begin, ok, path_of, robot_of, row_of, say
from clients import actions
from clients.credentials import caller_of_api_token, issue_tokens
from clients.models import ApiToken, Client
from conftest import Api

NEW = {"participants": [CUSTOMER], "channel": "whatsapp"}


@pytest.mark.contract("workspace: message, participant, file, webhook, rule, path")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/conversation/1"])
def test_an_unknown_path_is_1004_with_and_without_a_token(api, robot, method, path):
    for caller in (api(), robot):
        answer = caller(method, path)
        assert answer["Content-Type"] == "application/json"
        assert_refused(answer, "1004")


@pytest.mark.contract("workspace: no, unknown, revoked or expired token")
@pytest.mark.parametrize(
    "kind", ["none", "empty", "unknown", "revoked", "expired", "a user's", "of a client put to rest"]
)
def test_without_a_good_token_nobody_comes_in(acme, kind):
    token = actions.create_api_token(client=acme.client, name="Other", expires_at=timezone.now() + timedelta(hours=1))
    secret = token.secret
    if kind == "revoked":
        actions.revoke(token.token)
    elif kind == "expired":
        ApiToken.objects.filter(pk=token.token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif kind == "of a client put to rest":
        Client.objects.filter(pk=acme.client.pk).update(is_active=False)
    elif kind == "a user's":
        secret = issue_tokens(acme.staff.user).access
    elif kind == "unknown":
        secret = f"{secret}x"
    before = everything()
    caller = Api({"none": {}, "empty": {"Authorization": "Bearer "}}.get(kind, {"Authorization": f"Bearer {secret}"}))
    for answer in (caller.get("/v1/conversations"), caller.post("/v1/conversations", NEW), caller.get("/v1/contacts")):
        assert_refused(answer, "1001")
        assert answer["WWW-Authenticate"] == "Bearer"
    assert everything() == before


@pytest.mark.contract("workspace: no, unknown, revoked or expired token")
def test_a_revoked_token_writes_nothing_even_where_it_was_known_a_moment_ago(acme, robot):
    ok(robot.get("/v1/conversations"))
    assert caller_of_api_token(acme.api_token.secret).token_id
    actions.revoke(acme.api_token.token)
    before = everything()
    assert_refused(robot.post("/v1/conversations", NEW), "1001")
    assert everything() == before


SCOPED = {
    "conversations:read": [
        ("GET", ""), ("GET", "{c}"), ("GET", "{c}/metrics"), ("GET", "{c}/participants"),
    ],
    "conversations:write": [
        ("POST", ""), ("PATCH", "{c}"), ("POST", "{c}/participants"), ("PATCH", "{c}/participants/{p}"),
        ("DELETE", "{c}/participants/{p}"), ("DELETE", "{c}"),
    ],
    "messages:read": [("GET", "{c}/messages"), ("GET", "{c}/messages/{m}")],
    "messages:write": [("POST", "{c}/messages"), ("PATCH", "{c}/messages/{m}"), ("DELETE", "{c}/messages/{m}")],
}  # fmt: skip


@pytest.mark.contract(
    "workspace: token without that scope", "behaviour: Token scopes:", "behaviour: A workspace token: its whole client"
)
@pytest.mark.parametrize("scope", SCOPED)
def test_a_token_does_what_its_scopes_say_and_nothing_else(acme, robot, scope):
    conversation = begin(robot)
    message = say(robot, conversation, "Hello")
    ids = {"c": f"/{conversation['id']}", "p": conversation["participants"][0]["id"], "m": message["id"]}
    others = sorted({*acme.api_token.token.scopes} - {scope})
    without, only = robot_of(acme, scopes=others), robot_of(acme, scopes=[scope])
    before = everything()
    for method, suffix in SCOPED[scope]:
        path = f"/v1/conversations{suffix.format(**ids)}"
        assert_refused(without(method, path, {} if method in ("POST", "PATCH") else None), "1002")
        for other in SCOPED.keys() - {scope}:
            for refused, elsewhere in SCOPED[other]:
                assert_refused(only(refused, f"/v1/conversations{elsewhere.format(**ids)}"), "1002")
    assert everything() == before
    for method, suffix in SCOPED[scope]:  # reading, or with an empty body; deleting the conversation last of all
        answer = only(method, f"/v1/conversations{suffix.format(**ids)}", {} if method in ("POST", "PATCH") else None)
        assert answer.status_code in (200, 204, 422), (method, suffix, answer.content)


@pytest.mark.contract(
    "workspace: Authorization: Bearer <workspace API token>",
    "workspace: 2001 | 404",
    "mapping: the token's workspace",
)
def test_another_workspaces_rows_are_unknown(acme, robot, foreign_robot):
    conversation = begin(robot)
    message, person = say(robot, conversation, "Hello")["id"], conversation["participants"][0]["id"]
    nobodys = {"id": "conv_" + "0" * 32}
    before = everything()
    for of, elsewhere in ((conversation, nobodys), (nobodys, nobodys)):
        for method, rest, body in [
            ("GET", (), None), ("PATCH", (), {"subject": "Mine"}), ("DELETE", (), None), ("GET", ("metrics",), None),
            ("GET", ("participants",), None), ("POST", ("participants",), AGENT),
            ("PATCH", ("participants", person), {"role": "manager"}), ("DELETE", ("participants", person), None),
            ("GET", ("messages",), None),
            ("POST", ("messages",), {"type": "text", "text": {"body": "x"}, "sender": CUSTOMER}),
            ("GET", ("messages", message), None), ("PATCH", ("messages", message), {"status": "read"}),
            ("DELETE", ("messages", message), None),
        ]:  # fmt: skip
            assert_refused(foreign_robot(method, path_of(of, *rest), body), "2001")
        assert elsewhere is nobodys
    assert ok(foreign_robot.get("/v1/conversations"))["pagination"]["total"] == 0
    assert everything() == before


@pytest.mark.contract(
    'workspace: {"error": {"code": "2001"', "workspace: 2001 | 404", "README: An id of the wrong shape is an unknown id"
)
@pytest.mark.parametrize(
    "shape", ["1", "{hex}", "msg_{hex}", "CONV_{hex}", "conv_{uuid}", "conv_{upper}", "conv_{hex}0", "conv_"]
)
def test_an_id_of_another_shape_is_unknown(robot, shape):
    uuid = row_of(begin(robot)).uuid
    name = shape.format(hex=uuid.hex, uuid=uuid, upper=uuid.hex.upper())
    assert_refused(robot.get(f"/v1/conversations/{name}"), "2001")
    assert_refused(robot.patch(f"/v1/conversations/{name}", {"subject": "x"}), "2001")


@pytest.mark.contract("workspace: not JSON, not an object")
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"7", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'"\xff"', b'{"a": "\\u0000"}']
)
def test_a_malformed_body_is_1007(robot, body):
    conversation = begin(robot)
    before = everything()
    for method, path in [
        ("POST", "/v1/conversations"), ("PATCH", path_of(conversation)), ("POST", path_of(conversation, "messages")),
        ("POST", path_of(conversation, "participants")),
    ]:  # fmt: skip
        answer = robot(method, path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "1007"), answer.content
        assert answer.json()["error"]["message"] == "Malformed Request"
    assert everything() == before


@pytest.mark.contract("workspace: body or upload over its limit")
def test_a_body_over_a_mebibyte_is_1008(robot):
    before = everything()
    answer = robot.post("/v1/conversations", '{"channel": "' + "x" * 2**20 + '"}')
    assert_refused(answer, "1008")
    assert everything() == before


@pytest.mark.contract("workspace: Internal Error", "README: workspace Bearer API token")
def test_a_crash_is_1000_with_an_opaque_reference(robot, monkeypatch, caplog):
    def crash(*args, **kwargs):
        raise ZeroDivisionError("SELECT secret FROM /srv/app.py")

    monkeypatch.setattr("chatplatform.dialects.workspace.conversations.Conversations.list", crash)
    with caplog.at_level(logging.ERROR):
        answer = robot.get("/v1/conversations")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (500, "1000", "Internal Error")
    assert error["details"] in caplog.text
    assert b"SELECT" not in answer.content


@pytest.mark.contract("README: Every error, 404 for an unknown path")
def test_other_refusals_have_the_envelope_too(robot):
    conversation = begin(robot)
    answers = [
        (405, "1009", "Method Not Allowed", robot.put(path_of(conversation), {})),
        (415, "1010", "Unsupported Media Type", robot.post("/v1/conversations", "a=1", Content_Type="text/plain")),
    ]
    for status, code, message, answer in answers:
        assert (answer.status_code, answer.json()) == (status, {"error": {"code": code, "message": message}})


@pytest.mark.contract("workspace: Base /v1", "README: Paths are documented without a trailing slash")
def test_paths_work_with_a_slash_at_their_end_too(robot):
    conversation = begin(robot)
    assert ok(robot.get(path_of(conversation) + "/")) == ok(robot.get(path_of(conversation)))
    assert ok(robot.post("/v1/conversations/", NEW), 201)["status"] == "active"
    assert len(ok(robot.get("/v1/conversations/?limit=5"))["conversations"]) == 2


@pytest.mark.contract("workspace: idempotency key reused; a state change", "README: Every write honours an optional")
def test_a_key_used_again_for_another_request_is_1006(robot):
    told = "Idempotency-Key was used for another request"
    first = ok(robot.post("/v1/conversations", NEW, Idempotency_Key="order-7"), 201)
    before = everything()
    assert ok(robot.post("/v1/conversations", NEW, Idempotency_Key="order-7"), 201) == first
    assert_refused(
        robot.post("/v1/conversations", {**NEW, "channel": "email"}, Idempotency_Key="order-7"), "1006", told
    )
    assert_refused(robot.patch(path_of(first), {"subject": "x"}, Idempotency_Key="order-7"), "1006", told)
    malformed = robot.post("/v1/conversations", NEW, Idempotency_Key="two words")
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (422, "1003")
    assert everything() == before
