"""What can go wrong in the domain. No HTTP here: each dialect puts these into its own words."""

from collections.abc import Mapping, Sequence

Fields = Mapping[str, Sequence[str]]


class DomainError(Exception):
    """Base of all refusals; `code` is what programs switch on, `fields` what is wrong where."""

    code = "error"

    def __init__(self, message: str, *, fields: Fields | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}


class Invalid(DomainError):
    """The input is not acceptable, whoever sends it."""

    code = "invalid"


class NotFound(DomainError):
    """Unknown, foreign and deleted are the same."""

    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")
        self.what = what


class Forbidden(DomainError):
    """The caller may see it but not do this to it."""

    code = "forbidden"


class Conflict(DomainError):
    """Not possible in the present state."""

    code = "conflict"


class TransitionRefused(Conflict):
    """The state machine has no such change; the message names both states."""

    code = "transition"

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"Cannot change status from {old} to {new}")
        self.old, self.new = old, new


class ConversationClosed(Conflict):
    code = "closed"

    def __init__(self) -> None:
        super().__init__("Conversation is closed")


class InvalidParticipant(DomainError):
    """Unknown person, the same twice, not a participant, or without the right to write."""

    code = "participant"


class LimitReached(DomainError):
    """A documented maximum is reached."""

    code = "limit"


class MessageTooLarge(DomainError):
    """Over 65,536 UTF-8 bytes of text."""

    code = "message_size"

    def __init__(self) -> None:
        super().__init__("Message is larger than 65536 bytes")
