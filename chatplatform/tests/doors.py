"""One client's five doors: whoever calls through a dialect, and a conversation as that dialect shows it."""

from typing import Any

from django.conf import settings

from clients.actions import NewTenant
from clients.credentials import caller_of_api_token, client_of_platform_key, issue_tokens
from clients.models import User
from conftest import Api
from conversations.models import Conversation

#: The dialects in which conversations are made, in the order of the contracts.
DIALECTS = ["whatsapp", "rooms", "platform", "workspace", "assistant"]


class Doors:
    """Of a tenant whose end users are Maya, who makes the conversations, and Omar."""

    def __init__(self, tenant: NewTenant) -> None:
        self.tenant = tenant
        self.maya, self.omar = (new.user for new in tenant.users[:2])
        self.desk = tenant.staff.user
        self.contact = tenant.contacts[0]
        self.human, self.bot = tenant.agents
        # Made, and remembered as used, before a test looks at what the store holds.
        self._access = {user.pk: issue_tokens(user).access for user in (self.maya, self.omar, self.desk)}
        caller_of_api_token(tenant.api_token.secret)
        client_of_platform_key(tenant.public_key.key)

    # --- who calls ---

    def access(self, user: User | None) -> str:
        return self._access[(user or self.maya).pk]

    def whatsapp(self) -> Api:
        return Api({})

    def rooms(self, user: User | None = None) -> Api:
        return Api({"Cookie": f"{settings.ACCESS_COOKIE}={self.access(user)}"})

    def platform(self, user: User | None = None) -> Api:
        return Api({"Authorization": f"Bearer {self.access(user)}", "X-PUBLIC-KEY": self.tenant.public_key.key})

    def workspace(self) -> Api:
        return Api({"Authorization": f"Bearer {self.tenant.api_token.secret}"})

    def assistant(self, user: User | None = None) -> Api:
        return Api({"Authorization": f"Bearer {self.access(user)}"})

    # --- a conversation made in each; everyone's by the same words ---

    def make(self, dialect: str, title: str = "Order 4711", **fields: Any) -> Conversation:
        match dialect:
            case "whatsapp":
                body = {"session_name": self.tenant.client.session_id, "name": title, **fields}
                made = data(self.whatsapp().post("/api/chat/create", body))["record"]["id"]
            case "rooms":
                body = {"room": title, "integrationType": "website", **fields}
                made = data(self.rooms().post("/api/conversation", body))["data"]["id"]
            case "platform":
                body = {"participant_uuid": str(self.omar.uuid), **fields}
                made = data(self.platform().post("/api/v1/chat/conversations", body), 201)["data"]["uuid"]
            case "workspace":
                body = {"participants": [{"contact_id": "contact_1"}], "channel": "web", "subject": title, **fields}
                made = data(self.workspace().post("/v1/conversations", body), 201)["id"].removeprefix("conv_")
            case "assistant":
                body = {"title": title, **fields}
                number = data(self.assistant().post("/chat/conversations", body))["data"]["conversation_id"]
                return Conversation.objects.get(pk=number)
        return Conversation.objects.get(uuid=made)

    # --- as each shows it ---

    def in_rooms(self, row: Conversation, user: User | None = None) -> dict[str, Any]:
        return data(self.rooms(user or self.desk).get(f"/api/conversation/{row.uuid}"))["data"]

    def in_platform(self, row: Conversation, user: User | None = None) -> dict[str, Any]:
        return data(self.platform(user).get(f"/api/v1/chat/conversations/{row.uuid}"))["data"]

    def in_workspace(self, row: Conversation) -> dict[str, Any]:
        return data(self.workspace().get(f"/v1/conversations/{workspace_id(row)}"))

    def in_assistant(self, row: Conversation, user: User | None = None) -> dict[str, Any]:
        return data(self.assistant(user or self.desk).get(f"/chat/conversations/{row.pk}"))["data"]


def workspace_id(row: Conversation) -> str:
    return f"conv_{row.uuid.hex}"


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()
