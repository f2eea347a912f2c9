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


class KeyReused(Conflict):
    """An Idempotency-Key came again with another request."""

    code = "key_reused"

    def __init__(self) -> None:
        super().__init__("Idempotency-Key was used for another request")


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "key_in_use"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running")


class InvalidParticipant(DomainError):
    """Unknown person, the same twice, not a participant, or without the right to write."""

    code = "participant"


class LimitReached(DomainError):
    """A documented maximum is reached."""

    code = "limit"


class TooManyCalls(DomainError):
    """More than a limit lets in; `wait` is in whole seconds."""

    code = "rate"

    def __init__(self, wait: int) -> None:
        super().__init__("Too many requests")
        self.wait = wait


class MessageTooLarge(DomainError):
    """Over 65,536 UTF-8 bytes of text."""

    code = "message_size"

    def __init__(self) -> None:
        super().__init__("Message is larger than 65536 bytes")


class FileTooLarge(DomainError):
    """An upload over its limit, or over what was announced."""

    code = "file_size"


class StoreAway(DomainError):
    """The store of the files does not answer."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("Service unavailable")


class ProviderFailed(DomainError):
    """An AI provider gave no answer. `why` is for staff and the log; the tokens are those that may be billed."""

    code = "provider"
    said = "AI provider unavailable"

    def __init__(self, why: str, *, tokens_in: int = 0, tokens_out: int = 0) -> None:
        super().__init__(self.said)
        self.why, self.tokens_in, self.tokens_out = why, tokens_in, tokens_out


class ProviderUnavailable(ProviderFailed):
    """Away, refusing, or answering what is no answer."""


class ProviderTimedOut(ProviderFailed):
    code = "provider_timeout"
    said = "AI provider timed out"


class ProviderBusy(TooManyCalls):
    """This process waits for as many providers as it may."""

    code = "provider_busy"

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.message = "Too many AI calls at the same time"


class SpendingLimitReached(TooManyCalls):
    """The client's money for AI providers is spent until its month ends."""

    code = "spending"

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.message = "AI spending limit reached"
