from ..base import route
from .conversations import Conversations
from .events import Events

urlpatterns = [
    *route("", Conversations, post="create", get="list"),
    *route("events", Events, get="stream"),  # before the ids, none of which looks like it
    # The documented literal form, `conversation:{id}`, comes here too.
    *route("<str:conversation_id>", Conversations, get="retrieve", patch="update", delete="destroy"),
]
