"""A client with a row of everything, how each dialect is called in it, and a good body for every write."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings

from clients import actions as people
from clients.actions import NewTenant
from clients.callers import system_caller
from clients.credentials import client_of_platform_key, issue_tokens
from clients.models import Agent, Contact, User
from clients.passwords import reset_tokens
from conversations import actions
from conversations.actions import Person
from conversations.models import Conversation, Participant
from messaging.actions import create_rule, send_message
from messaging.actions.webhooks import create_endpoint, test_endpoint
from messaging.models import Message, WebhookDelivery, WebhookEndpoint
from messaging.senders import as_agent, as_contact, as_user

from .calls import Call


class World:
    """Of one tenant: a conversation that its first user owns, in which the second, the contact and the
    human agent take part and have written; a user, a contact and an agent who take part in nothing."""

    def __init__(self, tenant: NewTenant) -> None:
        self.tenant = tenant
        self.client = tenant.client
        self.system = system_caller(tenant.client)
        self.owner, self.other = (new.user for new in tenant.users[:2])
        self.password = tenant.users[0].password
        self.staff = tenant.staff.user
        self.contact: Contact = tenant.contacts[0]
        self.agent: Agent = tenant.agents[0]
        number = str(tenant.client.pk)
        self.stranger: User = people.create_user(
            client=self.client, name="Sam Stranger", email=f"sam{number}@example.com"
        ).user
        self.idle_contact = people.create_contact(client=self.client, name="Idle contact", contact_id="contact_2")
        self.idle_agent = people.create_agent(
            client=self.client, agent_id="agent_2", name="Idle agent", kind=Agent.Kind.HUMAN
        )
        #: For conversations of a kind that there are none of.
        self.rule = create_rule(client=self.client, name="By fax", type="deny", channel="fax", route_to="fax")
        self.webhook: WebhookEndpoint = create_endpoint(
            client_id=self.client.pk, url="https://hooks.example.com/chat", events=["conversation.deleted"]
        )[0]
        self.delivery: WebhookDelivery = test_endpoint(endpoint=self.webhook)
        self.conversation = self._conversation()

    def _conversation(self) -> Conversation:
        role = Participant.Role
        row = actions.create_conversation(
            client_id=self.client.pk,
            by=self.system,
            channel="website",
            people=[
                Person(user_id=self.owner.pk, role=role.CUSTOMER, can_manage=True),
                Person(user_id=self.other.pk),
                Person(contact_id=self.contact.pk, role=role.CUSTOMER),
                Person(agent_id=self.agent.pk, role=role.AGENT),
            ],
            title="Where is my parcel?",
            room="parcels",
            owner=self.owner,
            taggable_type="Order",
            taggable_id=7,
        )
        self.messages: list[Message] = [
            send_message(conversation=row, sender=sender, by=self.system, text=text)
            for sender, text in [
                (as_user(_caller(self.owner)), "Is my order on its way?"),
                (as_agent(self.agent), "It left this morning."),
                (as_contact(self.contact), "Thank you!"),
            ]
        ]
        row.refresh_from_db()
        return row

    def participant(self, **person: Any) -> Participant:
        found: Participant = Participant.objects.get(conversation=self.conversation, **person)
        return found

    @cached_property
    def access(self) -> str:
        """The owner's access token."""
        return issue_tokens(self.owner).access


def _caller(user: User) -> Any:
    from conftest import caller_of

    return caller_of(user)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def cookie(access: str = "", refresh: str = "") -> dict[str, str]:
    given = {settings.ACCESS_COOKIE: access, settings.REFRESH_COOKIE: refresh}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in given.items() if value)}


def public_key(world: World) -> dict[str, str]:
    key = world.tenant.public_key.key
    client_of_platform_key(key)  # its use is remembered now, not within a test
    return {"X-PUBLIC-KEY": key}


#: Who calls, for each dialect: a credential that may do everything in the example calls.
CREDENTIALS: dict[str, Callable[[World], dict[str, str]]] = {
    "accounts": lambda world: bearer(world.access),
    "assistant": lambda world: bearer(world.access),
    "rooms": lambda world: cookie(world.access),
    "platform": lambda world: {**bearer(world.access), **public_key(world)},
    "whatsapp": lambda world: {},
    "workspace": lambda world: bearer(world.tenant.api_token.secret),
}

#: What stands in a path, for each dialect: the world's own.
IDS: dict[str, dict[str, Callable[[World], str]]] = {
    "assistant": {"conversation_id": lambda world: str(world.conversation.pk)},
    "rooms": {"conversation_id": lambda world: str(world.conversation.uuid)},
    "platform": {"conversation_id": lambda world: str(world.conversation.uuid)},
    "workspace": {
        "conversation_id": lambda world: f"conv_{world.conversation.uuid.hex}",
        "participant_id": lambda world: f"participant_{world.participant(contact=world.contact).uuid.hex}",
        "message_id": lambda world: f"msg_{world.messages[0].uuid.hex}",
        "contact_id": lambda world: world.contact.contact_id,
        "agent_id": lambda world: world.agent.agent_id,
        "user_uuid": lambda world: str(world.owner.uuid),
        "rule_id": lambda world: f"rule_{world.rule.uuid.hex}",
        "webhook_id": lambda world: f"webhook_{world.webhook.uuid.hex}",
        "delivery_id": lambda world: f"delivery_{world.delivery.uuid.hex}",
    },
}


@dataclass(frozen=True)
class Example:
    """A call that succeeds in a world."""

    body: Callable[[World], Any] = lambda world: None
    query: str = ""
    #: Where it takes another credential than the dialect's other calls.
    headers: Callable[[World], dict[str, str]] | None = None


PHOTO = {"filename": "parcel.png", "content_type": "image/png", "size": 70}
#: `POST /chat/conversations` → how. A read without required parameters needs none.
EXAMPLES: dict[str, Example] = {
    "POST /api/auth/token": Example(lambda world: {"email": world.owner.email, "password": world.password}),
    "POST /api/auth/token/refresh": Example(lambda world: {"refresh": issue_tokens(world.owner).refresh}),
    "POST /api/auth/login": Example(lambda world: {"email": world.owner.email, "password": world.password}),
    "POST /api/auth/refresh": Example(headers=lambda world: cookie(refresh=issue_tokens(world.owner).refresh)),
    "POST /api/auth/logout": Example(
        lambda world: {"refresh": issue_tokens(world.owner).refresh},
        headers=lambda world: cookie(refresh=issue_tokens(world.owner).refresh),
    ),
    "POST /api/auth/password/change": Example(
        lambda world: {"old_password": world.password, "new_password": "quite another one"}
    ),
    "POST /api/auth/password/reset": Example(lambda world: {"email": "nobody@example.com"}),
    "POST /api/auth/password/reset/confirm": Example(
        lambda world: {
            "uid": str(world.owner.uuid),
            "token": reset_tokens.make_token(world.owner),
            "new_password": "quite another one",
        }
    ),
    "POST /api/conversation": Example(lambda world: {"room": "parcels", "integrationType": "website"}),
    "GET /api/conversation": Example(query="?page=1&limit=10"),
    "PATCH /api/conversation/{conversation_id}": Example(lambda world: {"room": "found parcels", "botId": "b1"}),
    "DELETE /api/conversation/{conversation_id}": Example(),
    "POST /api/chat/create": Example(lambda world: {"session_name": world.client.session_id, "chat_id": "wa-1"}),
    "POST /chat/conversations": Example(lambda world: {"title": "Lost parcel"}),
    "PUT /chat/conversations/{conversation_id}": Example(lambda world: {"title": "Found parcel"}),
    "PATCH /chat/conversations/{conversation_id}": Example(lambda world: {"is_pinned": True}),
    "DELETE /chat/conversations/{conversation_id}": Example(),
    "POST /chat/conversations/{conversation_id}/messages": Example(lambda world: {"content": "Anybody there?"}),
    "POST /chat/conversations/{conversation_id}/ai-response": Example(
        lambda world: {"message": "Where is order 7?", "agent_id": world.tenant.agents[1].pk}
    ),
    "POST /chat/conversations/{conversation_id}/read": Example(),
    "GET /chat/search": Example(query="?query=parcel"),
    "GET /v1/search/messages": Example(query="?query=parcel"),
    "POST /chat/conversations/{conversation_id}/typing": Example(lambda world: {"typing": True}),
    "POST /chat/events/ticket": Example(),
    "GET /chat/analytics/global": Example(headers=lambda world: bearer(issue_tokens(world.staff).access)),
    "POST /chat/presence": Example(lambda world: {"status": "away"}),
    "POST /api/v1/chat/conversations/{conversation_id}/typing": Example(lambda world: {"typing": False}),
    "POST /api/v1/chat/events/ticket": Example(),
    "POST /api/v1/chat/presence": Example(lambda world: {"status": "online"}),
    "POST /chat/conversations/{conversation_id}/uploads": Example(lambda world: PHOTO),
    "POST /api/v1/chat/conversations/{conversation_id}/uploads": Example(lambda world: PHOTO),
    "POST /v1/conversations/{conversation_id}/uploads": Example(lambda world: PHOTO),
    "POST /api/v1/chat/conversations": Example(lambda world: {"participant_uuid": str(world.other.uuid)}),
    "PATCH /api/v1/chat/conversations/{conversation_id}": Example(lambda world: {"is_archived": True}),
    "POST /api/v1/chat/conversations/{conversation_id}/messages": Example(lambda world: {"text": "Anybody there?"}),
    "POST /api/v1/chat/conversations/{conversation_id}/read": Example(),
    "POST /v1/conversations": Example(
        lambda world: {
            "participants": [{"contact_id": world.contact.contact_id}, {"agent_id": world.agent.agent_id}],
            "channel": "whatsapp",
            "subject": "Lost parcel",
            "tags": ["parcels"],
        }
    ),
    "PATCH /v1/conversations/{conversation_id}": Example(lambda world: {"status": "resolved", "tags": ["found"]}),
    "DELETE /v1/conversations/{conversation_id}": Example(),
    "POST /v1/conversations/{conversation_id}/participants": Example(
        lambda world: {"contact_id": world.idle_contact.contact_id, "role": "supervisor"}
    ),
    "PATCH /v1/conversations/{conversation_id}/participants/{participant_id}": Example(
        lambda world: {"role": "manager", "permissions": ["read", "write", "manage"]}
    ),
    "DELETE /v1/conversations/{conversation_id}/participants/{participant_id}": Example(),
    "POST /v1/conversations/{conversation_id}/messages": Example(
        lambda world: {
            "type": "text",
            "text": {"body": "Anybody there?"},
            "sender": {"contact_id": world.contact.contact_id},
        }
    ),  # fmt: skip
    "PATCH /v1/conversations/{conversation_id}/messages/{message_id}": Example(
        lambda world: {"metadata": {"edited": True}, "status": "delivered"}
    ),
    "DELETE /v1/conversations/{conversation_id}/messages/{message_id}": Example(),
    "POST /v1/workspace/settings/antispam": Example(
        lambda world: {"enabled": True, "sensitivity": "high", "actions": ["flag"], "blacklist_keywords": ["casino"]}
    ),
    "POST /v1/workspace/communication-rules": Example(
        lambda world: {
            "name": "Office hours",
            "type": "allow",
            "conditions": {
                "time_range": {"start": "09:00", "end": "18:00", "timezone": "America/Mexico_City"},
                "days": ["monday", "friday"],
            },
            "actions": {"auto_reply": "We are back at nine."},
        }
    ),
    "PATCH /v1/workspace/communication-rules/{rule_id}": Example(
        lambda world: {"name": "By telegram", "conditions": {"channel": "telegram"}}
    ),
    "DELETE /v1/workspace/communication-rules/{rule_id}": Example(),
    "POST /v1/webhooks": Example(
        lambda world: {"url": "https://hooks.example.com/more", "events": ["conversation.created"]}
    ),
    "PATCH /v1/webhooks/{webhook_id}": Example(lambda world: {"url": "https://hooks.example.com/less"}),
    "DELETE /v1/webhooks/{webhook_id}": Example(),
    "POST /v1/webhooks/{webhook_id}/rotate-secret": Example(lambda world: {"secret": f"whsec_{'A' * 40}"}),
    "POST /v1/webhooks/{webhook_id}/redeliver": Example(lambda world: {"since": "2026-01-15T10:30:00Z"}),
    "POST /v1/webhooks/{webhook_id}/test": Example(),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": Example(),
    "POST /v1/contacts": Example(lambda world: {"name": "Juan Pérez", "phone": "+5491112345678"}),
    "PATCH /v1/contacts/{contact_id}": Example(lambda world: {"name": "Juan Pérez"}),
    "DELETE /v1/contacts/{contact_id}": Example(),
    "POST /v1/agents": Example(lambda world: {"name": "Senior agent", "queue": "billing"}),
    "PATCH /v1/agents/{agent_id}": Example(lambda world: {"queue": "billing"}),
    "POST /v1/users": Example(lambda world: {"name": "Zoe Martin", "email": f"zoe{world.client.pk}@example.com"}),
    "PATCH /v1/users/{user_uuid}": Example(lambda world: {"external_id": "crm-7"}),
}


def example(call: Call) -> Example:
    found = EXAMPLES.get(str(call))
    if found is None and not call.writes:
        found = Example()
    assert found is not None, f"{call} is new: name a good call of it in chatplatform/tests/world.py"
    return found


def headers(call: Call, world: World) -> dict[str, str]:
    assert call.dialect in CREDENTIALS, f"{call.dialect} is new: say in chatplatform/tests/world.py who calls it"
    return (example(call).headers or CREDENTIALS[call.dialect])(world)


def path(call: Call, world: World) -> str:
    ids = IDS.get(call.dialect, {})
    unknown = [name for name in call.parameters if name not in ids]
    assert not unknown, f"{call}: say in chatplatform/tests/world.py what {unknown} are"
    return call.at({name: ids[name](world) for name in call.parameters}) + example(call).query
