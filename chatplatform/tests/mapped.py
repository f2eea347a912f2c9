"""Each dialect as a door to the one store: how a conversation is made there, who sees it there, and how
what the store holds is shown there (contract `mapping.md`), key by key."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone

from chatplatform.tests.doors import Doors
from clients.models import Agent, Contact, User
from conversations.models import Conversation
from messaging.models import Message

OPEN = ["read", "write"]
ALL = ["read", "write", "manage"]


@dataclass
class Person:
    """Who takes part: a user, a contact or an agent."""

    who: User | Contact | Agent
    role: str
    permissions: list[str] = field(default_factory=lambda: list(OPEN))
    joined_at: datetime = field(default_factory=timezone.now)


@dataclass
class Facts:
    """What the store holds of one conversation, in its own words."""

    made_in: str
    row: Conversation  # its ids; every other value stands here
    people: list[Person]
    channel: str
    title: str = ""
    room: str | None = None
    category: str = "general"
    kind: str = "chat"
    status: str = "active"
    bot_id: str | None = None
    taggable: tuple[str | None, int | None] = (None, None)
    owner: User | None = None
    agent: Agent | None = None
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    is_archived: bool = False
    is_pinned: bool = False
    messages: list[tuple[str, User | Contact | Agent, datetime]] = field(default_factory=list)
    created_at: datetime = field(default_factory=timezone.now)
    updated_at: datetime = field(default_factory=timezone.now)

    def users(self) -> list[User]:
        return [person.who for person in self.people if isinstance(person.who, User)]

    def change(self, **values: Any) -> None:
        """As the store does it: a change of state is remembered in the metadata, and moves the time."""
        self.updated_at = timezone.now()
        if values.get("status", self.status) != self.status:
            state = {"state_changed_at": seconds(self.updated_at), "previous_state": self.status}
            values["metadata"] = {**values.get("metadata", self.metadata), **state}
        for name, value in values.items():
            setattr(self, name, value)

    def say(self, text: str, who: User | Contact | Agent) -> None:
        """A customer's message ends waiting and reopens; an agent's first one opens what is new."""
        self.messages.append((text, who, timezone.now()))
        before = {"new"} if isinstance(who, Agent) else {"resolved", "waiting_for_customer"} if customer(who) else set()
        self.change(status="active" if self.status in before else self.status)

    @property
    def last_at(self) -> datetime | None:
        return self.messages[-1][2] if self.messages else None


def customer(who: User | Contact | Agent) -> bool:
    return isinstance(who, Contact) or (isinstance(who, User) and not who.is_staff)


def seconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def microseconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Door:
    name: ClassVar[str]
    #: What it answers for a conversation that the caller does not see.
    unseen: ClassVar[tuple[int, Any]]
    sends = False  # whether messages go through it
    deletes = True

    def __init__(self, doors: Doors) -> None:
        self.doors = doors

    def make(self) -> Facts:
        raise NotImplementedError

    def caller(self, user: User) -> Any:
        raise NotImplementedError

    def viewers(self, facts: Facts) -> list[User]:
        """Who sees it here: whoever takes part, and staff."""
        return [*facts.users(), self.doors.desk]

    def strangers(self, facts: Facts) -> list[User]:
        people = (self.doors.maya, self.doors.omar, self.doors.desk)
        return [user for user in people if user not in self.viewers(facts)]

    def manager(self, facts: Facts) -> User:
        """The owner, else staff."""
        return facts.owner or self.doors.desk

    def path(self, facts: Facts) -> str:
        raise NotImplementedError

    def shown(self, user: User, facts: Facts) -> Any:
        """The conversation as this caller gets it, its envelope taken off."""
        answer = self.caller(user).get(self.path(facts))
        assert answer.status_code == 200, (self.name, answer.content)
        return self.opened(answer.json())

    def opened(self, body: Any) -> Any:
        return body["data"]

    def listed(self, user: User) -> list[Any]:
        raise NotImplementedError

    def expected(self, user: User, facts: Facts) -> dict[str, Any]:
        raise NotImplementedError

    def of_list(self, expected: dict[str, Any]) -> dict[str, Any]:
        """What a list shows of it."""
        return expected

    def messages(self, user: User, facts: Facts) -> list[Any]:
        """Oldest first."""
        raise NotImplementedError

    def expected_messages(self, facts: Facts) -> Iterator[dict[str, Any]]:
        raise NotImplementedError

    def delete(self, facts: Facts) -> Any:
        return self.caller(self.manager(facts)).delete(self.path(facts))


class Rooms(Door):
    name = "rooms"
    unseen = (400, {"status": 400, "error": "ConversationId is Invalid"})
    change: ClassVar = {"room": "client9-1 + client9-2", "integrationType": "telegram", "botId": "bot-9"}
    changed: ClassVar = {"room": "client9-1 + client9-2", "channel": "telegram", "bot_id": "bot-9"}

    def make(self) -> Facts:
        body = {"room": "client1-123 + client2-123", "integrationType": "website", "botId": "bot-1"}
        made = self.caller(self.doors.maya).post("/api/conversation", body).json()["data"]
        return Facts(
            "rooms", Conversation.objects.get(uuid=made["id"]), [Person(self.doors.maya, "customer", ALL)],
            channel="website", title=body["room"], room=body["room"], bot_id="bot-1", status="new",
            owner=self.doors.maya,
        )  # fmt: skip

    def caller(self, user: User) -> Any:
        return self.doors.rooms(user)

    def path(self, facts: Facts) -> str:
        return f"/api/conversation/{facts.row.uuid}"

    def listed(self, user: User) -> list[Any]:
        return list(self.caller(user).get("/api/conversation?page=1&limit=100").json()["data"])

    def expected(self, user: User, facts: Facts) -> dict[str, Any]:
        return {
            "id": str(facts.row.uuid),
            "room": facts.title if facts.room is None else facts.room,
            "integrationType": facts.channel,
            "botId": facts.bot_id,
            "userId": facts.owner and str(facts.owner.uuid),
            "createdAt": seconds(facts.created_at),
            "updatedAt": seconds(facts.updated_at),
        }


class Platform(Door):
    name = "platform"
    unseen = (404, {"message": "Conversation not found."})
    sends, deletes = True, False
    change: ClassVar = {"is_archived": True}
    changed: ClassVar = {"is_archived": True}

    def make(self) -> Facts:
        body = {"participant_uuid": str(self.doors.omar.uuid), "taggable_type": "Order", "taggable_id": 7}
        made = self.caller(self.doors.maya).post("/api/v1/chat/conversations", body).json()["data"]
        return Facts(
            "platform", Conversation.objects.get(uuid=made["uuid"]),
            [Person(self.doors.maya, "participant", ALL), Person(self.doors.omar, "participant")],
            channel="platform", taggable=("Order", 7), owner=self.doors.maya,
        )  # fmt: skip

    def caller(self, user: User) -> Any:
        return self.doors.platform(user)

    def viewers(self, facts: Facts) -> list[User]:
        """In platform a caller sees only pairs they take part in."""
        return facts.users()

    def path(self, facts: Facts) -> str:
        return f"/api/v1/chat/conversations/{facts.row.uuid}"

    def listed(self, user: User) -> list[Any]:
        return list(self.caller(user).get("/api/v1/chat/conversations?archived=all").json()["data"])

    def expected(self, user: User, facts: Facts) -> dict[str, Any]:
        last = facts.last_at
        return {
            "uuid": str(facts.row.uuid),
            "taggable_type": facts.taggable[0],
            "taggable_id": facts.taggable[1],
            "last_message_text": facts.messages[-1][0] if last else None,
            "last_message_at": microseconds(last) if last else None,
            "is_archived": facts.is_archived,
            "created_at": microseconds(facts.created_at),
            "updated_at": microseconds(facts.updated_at),
            "participants": [self._participant(user, facts) for user in facts.users()],
        }

    def _participant(self, user: User, facts: Facts) -> dict[str, Any]:
        made = microseconds(facts.created_at)
        pivot = {
            "conversation_id": facts.row.pk,
            "user_id": user.pk,
            "unread_count": sum(1 for _, who, _ in facts.messages if who != user),
            "last_read_at": None,
            "joined_at": made,
            "created_at": made,
            "updated_at": made,
        }
        return {"uuid": str(user.uuid), "name": user.name, "email": user.email, "pivot": pivot}

    def messages(self, user: User, facts: Facts) -> list[Any]:
        return list(self.caller(user).get(f"{self.path(facts)}/messages").json()["data"][::-1])

    def expected_messages(self, facts: Facts) -> Iterator[dict[str, Any]]:
        for row, (text, who, at) in zip(stored(facts), facts.messages, strict=True):
            yield {
                "uuid": str(row.uuid), "conversation_uuid": str(facts.row.uuid), "text": text, "type": "text",
                "sender": {"uuid": str(who.uuid) if isinstance(who, User) else None, "name": who.name},
                "attachments": [], "created_at": microseconds(at), "updated_at": microseconds(at),
            }  # fmt: skip

    def send(self, facts: Facts, text: str, who: Any) -> Any:
        return self.caller(who).post(f"{self.path(facts)}/messages", {"text": text})

    def senders(self, facts: Facts) -> list[Any]:
        return facts.users()[:1]


class Workspace(Door):
    name = "workspace"
    unseen = (404, {"error": {"code": "2001", "message": "Conversation Not Found"}})
    sends = True
    change: ClassVar = {
        "subject": "Parcel BD-20591", "status": "escalated", "tags": ["vip", "Lost"], "metadata": {"order": 7},
    }  # fmt: skip
    changed: ClassVar = {
        "title": "Parcel BD-20591", "status": "escalated", "tags": ["vip", "Lost"], "metadata": {"order": 7},
    }  # fmt: skip

    def make(self) -> Facts:
        people = [{"contact_id": "contact_1"}, {"agent_id": "agent_1"}]
        body = {"participants": people, "channel": "email", "subject": "Where is it?", "tags": ["new"],
                "metadata": {"source": "shop"}}  # fmt: skip
        made = self.caller(self.doors.desk).post("/v1/conversations", body).json()
        return Facts(
            "workspace", Conversation.objects.get(uuid=made["id"].removeprefix("conv_")),
            [Person(self.doors.contact, "customer"), Person(self.doors.human, "agent")], channel="email",
            title="Where is it?", tags=["new"], metadata={"source": "shop"}, agent=self.doors.human,
        )  # fmt: skip

    def caller(self, user: User) -> Any:
        return self.doors.workspace()

    def viewers(self, facts: Facts) -> list[User]:
        return [self.doors.desk]  # stands for the token, which sees its whole client

    def strangers(self, facts: Facts) -> list[User]:
        return []

    def path(self, facts: Facts) -> str:
        return f"/v1/conversations/conv_{facts.row.uuid.hex}"

    def opened(self, body: Any) -> Any:
        for person in body["participants"]:
            assert person.pop("id").startswith("participant_")
        return body

    def listed(self, user: User) -> list[Any]:
        return list(self.caller(user).get("/v1/conversations").json()["conversations"])

    def expected(self, user: User, facts: Facts) -> dict[str, Any]:
        return {
            "id": f"conv_{facts.row.uuid.hex}",
            "status": facts.status,
            "created_at": seconds(facts.created_at),
            "updated_at": seconds(facts.updated_at),
            "participants": [self._participant(person) for person in facts.people],
            "channel": facts.channel,
            "subject": facts.title or None,
            "tags": facts.tags,
            "metadata": facts.metadata,
            "message_count": len(facts.messages),
            "last_message_at": seconds(facts.last_at) if facts.last_at else None,
            "queue": None,
        }

    def of_list(self, expected: dict[str, Any]) -> dict[str, Any]:
        names = ("id", "status", "created_at", "last_message_at", "message_count", "channel", "subject", "queue")
        return {name: expected[name] for name in names} | {"participants_count": len(expected["participants"])}

    def _participant(self, person: Person) -> dict[str, Any]:
        name = {"name": person.who.name} if isinstance(person.who, User) else {}
        about = {"role": person.role, "permissions": person.permissions, "joined_at": seconds(person.joined_at)}
        return {**whose(person.who), **name, **about}

    def messages(self, user: User, facts: Facts) -> list[Any]:
        return list(self.caller(user).get(f"{self.path(facts)}/messages?order=asc").json()["messages"])

    def expected_messages(self, facts: Facts) -> Iterator[dict[str, Any]]:
        for row, (text, who, at) in zip(stored(facts), facts.messages, strict=True):
            yield {
                "id": f"msg_{row.uuid.hex}", "conversation_id": f"conv_{facts.row.uuid.hex}", "type": "text",
                "text": {"body": text}, "sender": {**whose(who), "name": who.name}, "timestamp": seconds(at),
                "status": "sent", "metadata": {},
            }  # fmt: skip

    def send(self, facts: Facts, text: str, who: Any) -> Any:
        body = {"type": "text", "text": {"body": text}, "sender": whose(who)}
        return self.caller(self.doors.desk).post(f"{self.path(facts)}/messages", body)

    def senders(self, facts: Facts) -> list[Any]:
        """The contact and the agent, who must take part."""
        for who, role in ((self.doors.contact, "customer"), (self.doors.human, "agent")):
            if who not in [person.who for person in facts.people]:
                answer = self.caller(self.doors.desk).post(
                    f"{self.path(facts)}/participants", {**whose(who), "role": role}
                )
                assert answer.status_code == 201, answer.content
                facts.people.append(Person(who, role))
                in_charge = isinstance(who, Agent) and facts.agent is None
                facts.change(**({"agent": who} if in_charge else {}))
        return [self.doors.contact, self.doors.human]


class Assistant(Door):
    name = "assistant"
    unseen = (404, {"success": False, "message": "Conversation not found"})
    sends = True
    change: ClassVar = {
        "title": "Late parcel", "status": "waiting_for_customer", "is_archived": True, "is_pinned": True,
        "conversation_type": "support",
    }  # fmt: skip
    changed: ClassVar = {
        "title": "Late parcel", "status": "waiting_for_customer", "is_archived": True, "is_pinned": True,
        "kind": "support",
    }  # fmt: skip

    def make(self) -> Facts:
        body = {"title": "Where is my parcel?", "conversation_type": "sales", "agent_id": self.doors.bot.pk}
        made = self.caller(self.doors.maya).post("/chat/conversations", body).json()["data"]
        return Facts(
            "assistant", Conversation.objects.get(pk=made["conversation_id"]),
            [Person(self.doors.maya, "customer", ALL), Person(self.doors.bot, "agent")], channel="website",
            title="Where is my parcel?", kind="sales", owner=self.doors.maya, agent=self.doors.bot,
        )  # fmt: skip

    def caller(self, user: User) -> Any:
        return self.doors.assistant(user)

    def path(self, facts: Facts) -> str:
        return f"/chat/conversations/{facts.row.pk}"

    def listed(self, user: User) -> list[Any]:
        return list(self.caller(user).get("/chat/conversations").json()["data"]["conversations"])

    def expected(self, user: User, facts: Facts) -> dict[str, Any]:
        return {
            "id": facts.row.pk,
            "title": facts.title or facts.room or facts.channel,
            "user_id": facts.owner and facts.owner.pk,
            "agent_id": facts.agent and facts.agent.pk,
            "conversation_type": facts.kind,
            "status": facts.status,
            "is_archived": facts.is_archived,
            "is_pinned": facts.is_pinned,
            "total_messages": len(facts.messages),
            "unread_count": self._unread(user, facts),
            "last_message_at": seconds(facts.last_at) if facts.last_at else None,
            "created_at": seconds(facts.created_at),
            "updated_at": seconds(facts.updated_at),
        }

    def of_list(self, expected: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in expected.items() if name != "updated_at"}

    def _unread(self, user: User, facts: Facts) -> int:
        senders = [who for _, who, _ in facts.messages]
        if user == facts.owner:
            return sum(isinstance(who, Agent) for who in senders)
        return sum(customer(who) if user.is_staff else who != user for who in senders)

    def messages(self, user: User, facts: Facts) -> list[Any]:
        return list(self.caller(user).get(f"{self.path(facts)}/messages").json()["data"]["messages"])

    def expected_messages(self, facts: Facts) -> Iterator[dict[str, Any]]:
        for row, (text, who, at) in zip(stored(facts), facts.messages, strict=True):
            yield {
                "id": row.pk, "conversation_id": facts.row.pk, "content": text, "content_type": "text",
                "sender": "agent" if isinstance(who, Agent) else "user", "message_type": "text", "status": "sent",
                "tokens_used": None, "processing_time": None, "created_at": seconds(at), "attachments": [],
            }  # fmt: skip

    def send(self, facts: Facts, text: str, who: Any) -> Any:
        body = {"content": text, "sender_type": "agent" if isinstance(who, Agent) else "user"}
        caller = self.caller(self.doors.desk if isinstance(who, Agent) else who)
        return caller.post(f"{self.path(facts)}/messages", body)

    def senders(self, facts: Facts) -> list[Any]:
        """The owner (or the staff user) and that staff user as the agent."""
        return [self.manager(facts), self.doors.human]


class WhatsApp(Door):
    """Opens chats, and opens again what was made here; it addresses nothing else."""

    name = "whatsapp"
    deletes = False
    body: ClassVar = {
        "session_name": "ses_acme", "name": "Lost parcel", "number_client": 12025550123, "category": "sales",
        "chat_id": "12025550123@c.us",
    }  # fmt: skip

    def make(self) -> Facts:
        record = self.open()["record"]
        return Facts(
            "whatsapp", Conversation.objects.get(uuid=record["id"]), [Person(self.doors.contact, "customer")],
            channel="whatsapp", title="Lost parcel", category="sales", status="new",
        )  # fmt: skip

    def open(self) -> Any:
        answer = self.doors.whatsapp().post("/api/chat/create", self.body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def caller(self, user: User) -> Any:
        return self.doors.whatsapp()

    def viewers(self, facts: Facts) -> list[User]:
        return [self.doors.desk] if facts.made_in == "whatsapp" else []  # a runner who retries

    def strangers(self, facts: Facts) -> list[User]:
        return []

    def shown(self, user: User, facts: Facts) -> Any:
        return self.open()["record"]

    def listed(self, user: User) -> list[Any]:
        return [self.open()["record"]]

    def expected(self, user: User, facts: Facts) -> dict[str, Any]:
        return {
            "id": str(facts.row.uuid),
            "chatId": "12025550123@c.us",
            "useBot": True,
            "name": facts.title,
            "numberClient": 12025550123,
            "category": facts.category,
            "finishedChat": facts.status in ("resolved", "closed"),
            "clientId": str(self.doors.tenant.client.uuid),
        }


DOORS: dict[str, type[Door]] = {door.name: door for door in (WhatsApp, Rooms, Platform, Workspace, Assistant)}


def whose(who: User | Contact | Agent) -> dict[str, str]:
    """As workspace names people."""
    if isinstance(who, Contact):
        return {"contact_id": who.contact_id}
    return {"agent_id": who.agent_id} if isinstance(who, Agent) else {"user_id": str(who.uuid)}


def stored(facts: Facts) -> list[Message]:
    return list(Message.objects.filter(conversation=facts.row).order_by("seq"))
