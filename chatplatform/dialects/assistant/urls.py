from ..base import route
from .conversations import Conversations
from .messages import Messages

urlpatterns = [
    *route("conversations", Conversations, get="list", post="create"),
    *route("conversations/<str:id>", Conversations, get="retrieve", put="update", patch="update", delete="destroy"),
    *route("conversations/<str:id>/messages", Messages, get="list", post="create"),
    *route("conversations/<str:id>/read", Conversations, post="read"),
]
