"""contracts/README.md: numbers are alike on every database, and never another type than was sent."""

import json

import pytest

from chatplatform.tests.store import everything
from chatplatform.tests.workspace import assert_refused, begin, ok, path_of, robot_of


@pytest.fixture
def robot(acme):
    return robot_of(acme)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1.5", "1.5"), ("7.0", "7"), ("1e3", "1000"), ("-0.0", "0"), ("0.1", "0.1"), ("5e-324", "5e-324"),
        ("9007199254740991", "9007199254740991"), ("9007199254740991.0", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"), ("1e15", "1000000000000000"), ("4503599627370495.5", None),
    ],
)  # fmt: skip
def test_a_number_comes_back_as_it_was_answered_first(robot, sent, kept):
    body = {"participants": [{"contact_id": "contact_1"}], "channel": "website", "metadata": {"n": "NUMBER"}}
    made = robot.post("/v1/conversations", json.dumps(body).replace('"NUMBER"', sent))
    again = robot.get(path_of(ok(made, 201)))
    assert repr(again.json()["metadata"]) == repr(made.json()["metadata"]) == repr({"n": json.loads(kept or sent)})


@pytest.mark.contract("README: integers out of range")
@pytest.mark.parametrize("number", ["1e16", "9007199254740992", "9007199254740992.0", "-1e20", "1e300", "1e400"])
def test_a_number_that_is_not_exact_everywhere_is_malformed(robot, number):
    made = begin(robot)
    before = everything()
    answer = robot.patch(path_of(made), f'{{"metadata": {{"n": {number}}}}}')
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "1007")
    assert everything() == before
    assert ok(robot.get(path_of(made)))["metadata"] == {}


def test_what_we_write_into_metadata_does_not_count_to_its_limit(robot):
    made = begin(robot, metadata={"x": "y" * (16 * 1024 - 8)})
    assert ok(robot.patch(path_of(made), {"status": "resolved", "metadata": {"x": "z" * (16 * 1024 - 8)}}))
    changed = ok(robot.patch(path_of(made), {"status": "closed", "metadata": {"x": "y" * (16 * 1024 - 8)}}))
    assert changed["metadata"].keys() == {"x", "state_changed_at", "previous_state"}


def test_nobody_hides_much_in_the_names_of_what_we_write(robot):
    answer = robot.patch(path_of(begin(robot)), {"metadata": {"previous_state": "x" * 16 * 1024}})
    assert (answer.status_code, answer.json()["error"]["details"]) == (
        422, {"metadata": ["The metadata is not acceptable: larger than 16 KiB."]},
    )  # fmt: skip


def test_an_agent_who_finds_no_room_is_a_bad_request_of_assistant(acme, api, robot, settings):
    settings.PARTICIPANT_LIMIT = 1
    made = begin(robot, {"contact_id": "contact_1"})
    desk = api(acme.staff.user)
    [row] = desk.get("/chat/conversations").json()["data"]["conversations"]
    before = everything()
    answer = desk.put(f"/chat/conversations/{row['id']}", {"agent_id": acme.agents[0].pk})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "success": False,
            "message": "Validation error",
            "errors": {"agent_id": ["At most 1 participants"]},
        },
    )
    assert everything() == before
    assert_refused(robot.post(path_of(made, "participants"), {"agent_id": "agent_1"}), "2004")
