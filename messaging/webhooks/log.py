"""What may be shown of the log of deliveries."""

from collections.abc import Mapping

_SIGNATURE = "webhook-signature"


def shown_head(headers: Mapping[str, str]) -> dict[str, str]:
    """The head of a request without the signature's value."""
    return {name: "…" if name.lower() == _SIGNATURE else value for name, value in headers.items()}
