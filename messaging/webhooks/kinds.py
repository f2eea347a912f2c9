"""What an endpoint can be told of (contracts `workspace`, `behaviour`)."""

from collections.abc import Iterable

from chatplatform.errors import Invalid
from conversations.events import Kind

#: What an endpoint that names none is told of, in the order of the contract.
ALL = tuple(
    kind.value
    for kind in (
        Kind.CREATED,
        Kind.UPDATED,
        Kind.PARTICIPANT_ADDED,
        Kind.PARTICIPANT_REMOVED,
        Kind.MESSAGE_CREATED,
        Kind.MESSAGE_UPDATED,
    )
)
#: By name only.
BY_NAME = (Kind.DELETED.value, Kind.READ.value)
KINDS = (*ALL, *BY_NAME)
#: The event of a test call; nobody subscribes to it.
TEST = "webhook.test"


def clean_events(names: Iterable[str]) -> list[str]:
    """Each once, in the order of the contract; none: all. Raises Invalid."""
    wanted = set(names)
    if not wanted <= set(KINDS):
        raise Invalid("Validation error", fields={"events": [f"Must be among {', '.join(KINDS)}."]})
    return [kind for kind in KINDS if kind in wanted]


def is_wanted(kind: str, events: Iterable[str]) -> bool:
    """By an endpoint with this choice of events."""
    return kind in (events or ALL)
