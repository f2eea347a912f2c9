from ..base import route
from .analytics import Analytics
from .answers import AIResponses
from .conversations import Conversations
from .events import Events, Presence, Tickets
from .messages import Messages
from .search import Search
from .uploads import Uploads

urlpatterns = [
    *route("events", Events, get="stream"),
    *route("events/ticket", Tickets, post="create"),
    *route("presence", Presence, post="tell"),
    *route("conversations", Conversations, get="list", post="create"),
    *route(
        "conversations/<str:conversation_id>",
        Conversations,
        get="retrieve",
        put="update",
        patch="update",
        delete="destroy",
    ),  # fmt: skip
    *route("conversations/<str:conversation_id>/messages", Messages, get="list", post="create"),
    *route("conversations/<str:conversation_id>/ai-response", AIResponses, post="create"),
    *route("conversations/<str:conversation_id>/uploads", Uploads, post="create"),
    *route("conversations/<str:conversation_id>/read", Conversations, post="read"),
    *route("conversations/<str:conversation_id>/typing", Presence, post="type"),
    *route("analytics/dashboard", Analytics, get="own"),
    *route("analytics/global", Analytics, get="overall"),
    *route("search", Search, get="list"),
]
