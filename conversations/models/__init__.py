"""What: conversations, who takes part, their tags, states, sessions and events.

The columns carry the domain's own words; `docs/model.md` says which field of which dialect is which.
"""

from .conversation import Conversation
from .history import Event, SessionHistory, StateChange
from .participant import Participant
from .tags import ConversationTag, Tag

__all__ = ["Conversation", "ConversationTag", "Event", "Participant", "SessionHistory", "StateChange", "Tag"]
