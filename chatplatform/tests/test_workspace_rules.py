"""contracts/workspace.md, communication rules: the calls."""

import pytest

from chatplatform.tests.store import everything, statements
from chatplatform.tests.workspace import assert_refused, ok, robot_of, wrong_fields
from clients.models import Client
from messaging.models import CommunicationRule

URL = "/v1/workspace/communication-rules"
NEW = {
    "name": "Office hours",
    "type": "allow",
    "conditions": {
        "time_range": {"start": "09:00", "end": "18:00", "timezone": "America/Mexico_City"},
        "days": ["monday", "tuesday", "friday"],
        "channel": "whatsapp",
        "tag": "VIP",
    },
    "actions": {"auto_reply": "We are back at nine.", "route_to": "night"},
}


def make(robot, **fields):
    return ok(robot.post(URL, {**NEW, **fields}), 201)


def version(acme):
    return Client.objects.get(pk=acme.client.pk).rules_version


@pytest.mark.contract(
    "workspace: /v1/workspace/communication-rules", "workspace: Making a webhook, rule, contact",
    "workspace: Ids are strings with a prefix",
)  # fmt: skip
def test_a_rule_is_made_shown_listed_changed_and_deleted(acme, robot, clock):
    made = make(robot)
    time = made["created_at"]
    row = CommunicationRule.objects.get()
    assert made == {"id": f"rule_{row.uuid.hex}", **NEW, "created_at": time, "updated_at": time}
    assert row.client == acme.client
    assert ok(robot.get(f"{URL}/{made['id']}")) == made

    second = make(robot, name="Nights", type="deny", conditions={"days": ["sunday"]}, actions={"route_to": "  night "})
    assert second["conditions"] == {"days": ["sunday"]}
    assert second["actions"] == {"auto_reply": None, "route_to": "night"}
    assert ok(robot.get(URL)) == {
        "communication_rules": [made, second],
        "pagination": {"limit": 20, "offset": 0, "total": 2, "has_more": False},
    }
    assert ok(robot.get(f"{URL}?limit=1&offset=1")) == {
        "communication_rules": [second],
        "pagination": {"limit": 1, "offset": 1, "total": 2, "has_more": False},
    }

    clock.shift(60)
    changed = ok(robot.patch(f"{URL}/{made['id']}", {"name": "Shop hours", "conditions": {"channel": None}}))
    conditions = {name: value for name, value in NEW["conditions"].items() if name != "channel"}
    assert changed == {
        **made, "name": "Shop hours", "conditions": conditions, "updated_at": changed["updated_at"]
    }  # fmt: skip
    assert changed["updated_at"] > made["updated_at"]
    assert ok(robot.get(f"{URL}/{made['id']}")) == changed

    answer = robot.delete(f"{URL}/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for call in (robot.get, robot.delete):
        assert_refused(call(f"{URL}/{made['id']}"), "1004")
    assert_refused(robot.patch(f"{URL}/{made['id']}", {"name": "x"}), "1004")
    assert list(CommunicationRule.objects.values_list("name", flat=True)) == ["Nights"]


@pytest.mark.contract("workspace: time_range and days are each optional", "behaviour: In a create, null for")
def test_what_is_left_out_holds_always(robot):
    """null is left out; without a zone the range is the workspace's"""
    fields = {"conditions": {"time_range": {"start": "22:00", "end": "06:00", "timezone": None}, "days": None}}
    made = make(robot, **fields, actions={"auto_reply": "Good night", "route_to": None})
    assert made["conditions"] == {"time_range": {"start": "22:00", "end": "06:00", "timezone": None}}
    assert made["actions"] == {"auto_reply": "Good night", "route_to": None}
    for conditions in ({"channel": "fax"}, {"tag": "vip"}, {"days": ["monday"]}):
        assert make(robot, conditions=conditions)["conditions"] == conditions
    assert make(robot, conditions={"days": ["sunday", "monday", "sunday"]})["conditions"] == {
        "days": ["monday", "sunday"]
    }
    assert make(robot, conditions={"tag": "  big   spender "})["conditions"] == {"tag": "big spender"}


RANGE = {"start": "09:00", "end": "18:00"}


@pytest.mark.contract(
    "workspace: /v1/workspace/communication-rules", "workspace: time_range and days are each optional",
    "workspace: Ranges may pass midnight",
)  # fmt: skip
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"), ({"name": None}, "name"), ({"name": "x" * 256}, "name"), ({"name": 7}, "name"),
        ({"type": "block"}, "type"), ({"type": None}, "type"), ({"type": ["allow"]}, "type"),
        ({"conditions": None}, "conditions"), ({"conditions": []}, "conditions.non_field_errors"),
        ({"conditions": {}}, "conditions"), ({"conditions": {"days": None, "channel": None}}, "conditions"),
        ({"conditions": {"colour": "blue"}}, "conditions"),
        ({"conditions": {"days": []}}, "conditions.days"), ({"conditions": {"days": ["Monday"]}}, "conditions.days.0"),
        ({"conditions": {"days": "monday"}}, "conditions.days"), ({"conditions": {"days": [0]}}, "conditions.days.0"),
        ({"conditions": {"days": ["monday"] * 8}}, "conditions.days"),
        ({"conditions": {"channel": " "}}, "conditions.channel"),
        ({"conditions": {"channel": "x" * 51}}, "conditions.channel"),
        ({"conditions": {"tag": "x" * 51}}, "conditions.tag"), ({"conditions": {"tag": "ﷺ" * 50}}, "conditions.tag"),
        ({"conditions": {"time_range": {"start": "09:00"}}}, "conditions.time_range.end"),
        ({"conditions": {"time_range": {"end": "09:00"}}}, "conditions.time_range.start"),
        ({"conditions": {"time_range": {"start": "09:00", "end": "09:00"}}}, "conditions.time_range.end"),
        ({"conditions": {"time_range": {"start": "9:00", "end": "18:00"}}}, "conditions.time_range.start"),
        ({"conditions": {"time_range": {"start": "09:00:00", "end": "18:00"}}}, "conditions.time_range.start"),
        ({"conditions": {"time_range": {"start": "09:00", "end": "24:00"}}}, "conditions.time_range.end"),
        ({"conditions": {"time_range": {"start": "09:60", "end": "18:00"}}}, "conditions.time_range.start"),
        ({"conditions": {"time_range": {"start": "０９:００", "end": "18:00"}}}, "conditions.time_range.start"),
        ({"conditions": {"time_range": {"start": 900, "end": "18:00"}}}, "conditions.time_range.start"),
        *(
            ({"conditions": {"time_range": {**RANGE, "timezone": zone}}}, "conditions.time_range.timezone")
            for zone in ("Mars/Olympus", "america/bogota", "", "localtime", "../etc/passwd", "/etc/localtime", 5, [],
                         "UTC+3", "Europe", "x" * 5000)
        ),
        ({"actions": None}, "actions"), ({"actions": {}}, "actions"), ({"actions": {"auto_reply": None}}, "actions"),
        ({"actions": {"auto_reply": " "}}, "actions.auto_reply"),
        ({"actions": {"auto_reply": "x" * 16_385}}, "actions.auto_reply"),
        ({"actions": {"route_to": "x" * 51}}, "actions.route_to"), ({"actions": {"route_to": 5}}, "actions.route_to"),
    ],
)  # fmt: skip
def test_what_is_refused(robot, fields, wrong):
    made = make(robot)
    before = everything()
    assert wrong_fields(robot.post(URL, {**NEW, **fields})) == [wrong]
    assert everything() == before
    if fields not in FINE_IN_A_CHANGE:
        assert wrong_fields(robot.patch(f"{URL}/{made['id']}", fields)) == [wrong]
        assert everything() == before


#: A rule that has more keeps it.
FINE_IN_A_CHANGE = [
    {"conditions": {}}, {"conditions": {"days": None, "channel": None}}, {"conditions": {"colour": "blue"}},
    {"actions": {}}, {"actions": {"auto_reply": None}},
]  # fmt: skip


@pytest.mark.contract("behaviour: In a create, null for")
def test_a_change_merges_and_null_takes_away(acme, robot):
    made = make(robot)
    url = f"{URL}/{made['id']}"
    nothing_else = {"time_range": None, "days": None, "tag": None}
    assert ok(robot.patch(url, {"conditions": nothing_else}))["conditions"] == {"channel": "whatsapp"}
    before = everything()
    assert wrong_fields(robot.patch(url, {"conditions": {"channel": None}})) == ["conditions"]
    assert wrong_fields(robot.patch(url, {"actions": {"auto_reply": None, "route_to": None}})) == ["actions"]
    assert everything() == before
    assert ok(robot.patch(url, {"actions": {"auto_reply": None}}))["actions"] == {
        "auto_reply": None, "route_to": "night"
    }  # fmt: skip
    moved = ok(robot.patch(url, {"conditions": {"time_range": RANGE, "channel": "fax"}, "type": "deny"}))
    assert (moved["conditions"], moved["type"]) == (
        {"time_range": {**RANGE, "timezone": None}, "channel": "fax"},
        "deny",
    )


def test_each_change_is_a_new_version_and_nothing_else_is(acme, robot):
    numbers = [version(acme)]
    made = make(robot)
    numbers.append(version(acme))
    url = f"{URL}/{made['id']}"
    ok(robot.patch(url, {"name": "Others"}))
    numbers.append(version(acme))
    for same in ({}, {"name": "Others"}, {"conditions": NEW["conditions"]}, {"conditions": {}, "actions": {}}):
        shown = ok(robot.patch(url, same))
    ok(robot.get(url))
    robot.post(URL, {**NEW, "type": "x"})
    assert version(acme) == numbers[-1]
    assert shown == ok(robot.get(url))
    ok(robot.delete(url), 204)
    numbers.append(version(acme))
    assert [later - earlier for earlier, later in zip(numbers, numbers[1:], strict=False)] == [1, 1, 1]


@pytest.mark.contract("behaviour: Token scopes: conversations:read", "workspace: 1002 | 403 | Forbidden")
def test_rules_need_the_scope_of_settings(acme, robot):
    made = make(robot)
    others = robot_of(acme, scopes=["conversations:read", "conversations:write", "people", "webhooks"])
    before = everything()
    for answer in (
        others.get(URL), others.post(URL, NEW), others.get(f"{URL}/{made['id']}"),
        others.patch(f"{URL}/{made['id']}", {}), others.delete(f"{URL}/{made['id']}"),
    ):  # fmt: skip
        assert_refused(answer, "1002")
    assert everything() == before


@pytest.mark.contract("workspace: 1004 | 404")
def test_others_rules_are_nobodys(acme, robot, foreign_robot):
    theirs = make(foreign_robot)
    before = everything()
    for name in (theirs["id"], "rule_" + "0" * 32, theirs["id"].upper(), theirs["id"][5:], "conv_" + theirs["id"][5:]):
        for answer in (robot.get(f"{URL}/{name}"), robot.delete(f"{URL}/{name}"), robot.patch(f"{URL}/{name}", {})):
            assert_refused(answer, "1004")
    assert ok(robot.get(URL))["communication_rules"] == []
    assert everything() == before


def test_there_may_be_two_hundred(acme, robot):
    for n in range(199):
        CommunicationRule.objects.create(client=acme.client, name=f"{n}", type="deny", channel="fax", route_to="x")
    make(robot)
    before = everything()
    assert wrong_fields(robot.post(URL, NEW)) == ["rules"]
    assert everything() == before


def test_lists_run_the_same_statements_however_many_there_are(acme, robot):
    make(robot)
    few = len(statements(lambda: robot.get(URL)))
    for _ in range(6):
        make(robot)
    assert (few, len(statements(lambda: robot.get(URL)))) == (1, 1)


def test_an_idempotency_key_makes_one_rule(acme, robot):
    answers = [robot.post(URL, NEW, Idempotency_Key="rule-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert CommunicationRule.objects.count() == 1
