"""The requests of the three operations, spread over users and conversations; tokens made once."""

import random

import orjson
from django.db import transaction

from bench import load
from bench.texts import dialogues
from clients.credentials import issue_tokens
from clients.models import RefreshToken, User
from conversations.models import Conversation

OPERATIONS = {
    "send": "send a message",
    "messages": "newest 50 messages",
    "conversations": "20 recent conversations",
}
SPREAD = 6000  # requests made of each, sent round and round


@transaction.atomic
def tokens() -> dict[int, str]:
    """An access token for every end user (good for ACCESS_TOKEN_SECONDS, 8 hours unless set)."""
    customers = User.objects.filter(username__startswith="customer", role="")
    RefreshToken.objects.filter(user__in=customers).delete()  # of the runs before
    return {user.pk: issue_tokens(user).access for user in customers}


def requests(token_of: dict[int, str], *, seed: int = 1, spread: int = SPREAD) -> dict[str, list[bytes]]:
    """Sends go to active conversations; messages are read where there are at least 50."""
    rng = random.Random(seed)
    rows = list(Conversation.objects.values_list("id", "owner_id", "status", "message_count"))
    active = [(pk, owner) for pk, owner, status, _ in rows if status == "active"]
    long = [(pk, owner) for pk, owner, _, count in rows if count >= 50] or active
    texts = [text for dialogue in dialogues()[0] for by_customer, text in dialogue.lines if by_customer]
    owners = list(token_of)
    return {
        "send": [
            load.request(
                "POST", f"/chat/conversations/{pk}/messages", token_of[owner],
                orjson.dumps({"content": rng.choice(texts)}),
            )
            for pk, owner in rng.choices(active, k=spread)
        ],
        "messages": [
            load.request("GET", f"/chat/conversations/{pk}/messages?limit=50&order=desc", token_of[owner])
            for pk, owner in rng.choices(long, k=spread)
        ],
        "conversations": [
            load.request("GET", "/chat/conversations?limit=20", token_of[owner])
            for owner in rng.choices(owners, k=spread)
        ],
    }  # fmt: skip


def difference(ports: list[int], all_requests: dict[str, list[bytes]]) -> str:
    """What two servers answer differently to one request of each operation; empty where nothing."""
    for operation, of_it in all_requests.items():
        answers = []
        for port in ports:
            status, body = load.ask(port, of_it[0])
            answer = orjson.loads(body) if status == 200 else {"status": status, "body": body.decode()[:300]}
            if operation == "send" and status == 200:
                # A message of its own each: a later id, and perhaps the next second.
                answer["data"]["message_id"] = type(answer["data"]["message_id"]).__name__
                answer["data"]["created_at"] = len(answer["data"]["created_at"])
            answers.append(answer)
        if any(answer != answers[0] for answer in answers) or "status" in answers[0]:
            return f"the servers differ in {operation}: {answers}"
    return ""
