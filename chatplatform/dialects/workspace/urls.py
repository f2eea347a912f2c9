from ..base import route
from .agents import Agents
from .antispam import AntiSpamSettings
from .contacts import Contacts
from .conversations import Conversations
from .events import Events
from .messages import Messages
from .participants import Participants
from .rules import CommunicationRules
from .search import Search
from .uploads import Uploads
from .users import Users
from .webhooks import Deliveries, Webhooks

_ONE = "conversations/<str:conversation_id>"
_RULE = "workspace/communication-rules/<str:rule_id>"
_WEBHOOK = "webhooks/<str:webhook_id>"
_DELIVERY = f"{_WEBHOOK}/deliveries/<str:delivery_id>"

urlpatterns = [
    *route("conversations", Conversations, get="list", post="create"),
    *route(_ONE, Conversations, get="retrieve", patch="update", delete="destroy"),
    *route(f"{_ONE}/metrics", Conversations, get="metrics"),
    *route(f"{_ONE}/participants", Participants, get="list", post="create"),
    *route(f"{_ONE}/participants/<str:participant_id>", Participants, patch="update", delete="destroy"),
    *route(f"{_ONE}/messages", Messages, get="list", post="create"),
    *route(f"{_ONE}/messages/<str:message_id>", Messages, get="retrieve", patch="update", delete="destroy"),
    *route(f"{_ONE}/uploads", Uploads, post="create"),
    *route("events/stream", Events, get="stream"),
    *route("search/messages", Search, get="messages"),
    *route("workspace/settings/antispam", AntiSpamSettings, get="retrieve", post="update"),
    *route("workspace/communication-rules", CommunicationRules, get="list", post="create"),
    *route(_RULE, CommunicationRules, get="retrieve", patch="update", delete="destroy"),
    *route("webhooks", Webhooks, get="list", post="create"),
    *route(_WEBHOOK, Webhooks, get="retrieve", patch="update", delete="destroy"),
    *route(f"{_WEBHOOK}/rotate-secret", Webhooks, post="rotate"),
    *route(f"{_WEBHOOK}/redeliver", Webhooks, post="redeliver"),
    *route(f"{_WEBHOOK}/test", Webhooks, post="test"),
    *route(f"{_WEBHOOK}/deliveries", Deliveries, get="list"),
    *route(_DELIVERY, Deliveries, get="retrieve"),
    *route(f"{_DELIVERY}/redeliver", Deliveries, post="redeliver"),
    *route("contacts", Contacts, get="list", post="create"),
    *route("contacts/<str:contact_id>", Contacts, get="retrieve", patch="update", delete="destroy"),
    *route("agents", Agents, get="list", post="create"),
    *route("agents/<str:agent_id>", Agents, get="retrieve", patch="update"),
    *route("users", Users, get="list", post="create"),
    *route("users/<str:user_uuid>", Users, get="retrieve", patch="update"),
]
