"""Short ways through `workspace`."""

from typing import Any

from clients.actions import NewTenant, create_api_token
from clients.credentials import caller_of_api_token
from conftest import Api
from conversations.models import Conversation

CUSTOMER = {"contact_id": "contact_1"}
AGENT = {"agent_id": "agent_1"}
#: Where the `clock` of a test stands.
AT = "2027-03-01T12:00:00Z"
#: As many levels as metadata may have.
DEEP: Any = {"a": {"b": {"c": {"d": {}}}}}
ERRORS = {
    "1001": (401, "Unauthorized"),
    "1002": (403, "Forbidden"),
    "1003": (422, "Validation Error"),
    "1004": (404, "Not Found"),
    "1006": (409, "Conflict"),
    "1007": (400, "Malformed Request"),
    "1008": (413, "Payload Too Large"),
    "2001": (404, "Conversation Not Found"),
    "2002": (422, "Invalid Participant"),
    "2003": (409, "Conversation Closed"),
    "2004": (422, "Participant Limit Exceeded"),
    "2005": (413, "Message Too Large"),
}


def robot_of(tenant: NewTenant, **token: Any) -> Api:
    """With a token of its own where `token` says what it is like."""
    secret = create_api_token(client=tenant.client, name="x", **token).secret if token else tenant.api_token.secret
    caller_of_api_token(secret)  # its use is remembered now, not within a test
    return Api({"Authorization": f"Bearer {secret}"})


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def assert_refused(answer: Any, code: str, details: Any = None) -> None:
    """The contract's error, whole."""
    status, message = ERRORS[code]
    body: dict[str, Any] = {"code": code, "message": message}
    if details is not None:
        body["details"] = details
    assert (answer.status_code, answer.json()) == (status, {"error": body})


def wrong_fields(answer: Any) -> list[str]:
    """The fields that a validation error names."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "1003"), answer.content
    return list(answer.json()["error"]["details"])


def begin(robot: Any, *people: dict[str, Any], **fields: Any) -> Any:
    """A new conversation, of the first contact and the first agent unless others are named."""
    given = {"participants": list(people) or [CUSTOMER, AGENT], "channel": "whatsapp", **fields}
    return ok(robot.post("/v1/conversations", given), 201)


def path_of(conversation: Any, *rest: str) -> str:
    return "/".join(["/v1/conversations", conversation["id"], *rest])


def row_of(conversation: Any) -> Conversation:
    return Conversation.objects.get(uuid=conversation["id"].removeprefix("conv_"))


def say(robot: Any, conversation: Any, body: str, sender: dict[str, str] = CUSTOMER, **fields: Any) -> Any:
    """A text message."""
    return ok(post(robot, conversation, "text", {"body": body}, sender, **fields), 201)


def post(
    robot: Any, conversation: Any, type_: str, content: Any, sender: dict[str, str] = CUSTOMER, **fields: Any
) -> Any:
    """A message of any type, whatever the answer is."""
    given = {"type": type_, type_: content, "sender": sender, **fields}
    return robot.post(path_of(conversation, "messages"), given)
