"""The statements of a send, each compiled once (see `chatplatform.db.prepared`)."""

from django.db.models import Case, DateTimeField, F, When

from chatplatform.db.prepared import Insert, Param, Update, integer
from conversations.models import Conversation, Participant

from .models import Message
from .search.text import stems
from .text import said

#: Every column of a conversation that a message may move; all are written each time, by one statement.
_FIGURES = (
    "status", "status_changed_at", "metadata", "session_started_at", "last_seq", "message_count", "last_message_at",
    "last_message_seq", "last_message_text", "activity_at", "updated_at",
    "owner_unread", "staff_unread", "waiting_since",
)  # fmt: skip
_insert_message = Insert(Message)
_save_figures = Update(
    lambda: (
        Conversation.objects.filter(pk=integer("id")),
        {name: Param(name, Conversation._meta.get_field(name)) for name in _FIGURES},  # type: ignore[arg-type]
    )
)
_unread = Case(
    When(user_id__isnull=True, then=F("unread_count")),
    When(user_id=integer("sender"), then=F("unread_count")),
    default=F("unread_count") + integer("unread"),
)
#: Its place in everyone's list, and `unread` more unread for the users (not agents, not contacts) who
#: did not write it; `sender` is their id, 0 for nobody.
touch_participants = Update(
    lambda: (
        Participant.objects.present().filter(conversation_id=integer("conversation")),
        {"activity_at": Param("at", DateTimeField()), "unread_count": _unread},
    )
)


def insert(message: Message, row: Conversation) -> None:
    """Stores a new message of a locked conversation and gives it its id."""
    language = row.search_language  # type: ignore[attr-defined]
    message.search = stems(said(message.type, message.text, message.content), language)
    values = {field.attname: getattr(message, field.attname) for field in message._meta.concrete_fields}
    values.pop("id")
    message.pk = _insert_message(**values)
    message._state.adding = False


def save_figures(conversation: Conversation) -> None:
    _save_figures(id=conversation.pk, **{name: getattr(conversation, name) for name in _FIGURES})
