"""A dialect's side of the limits: whose call it is, and what every answer says of it."""

from collections.abc import Mapping
from math import ceil

from chatplatform.errors import TooManyCalls
from clients import rates
from clients.callers import Caller
from clients.rates import Limit, Standing


def limit_of(caller: Caller, of: str) -> Limit:
    """A user's is one through all dialects, a token's one of each class."""
    who = f"user:{caller.user_id}" if caller.user_id is not None else f"token:{caller.token_id}"
    return Limit(f"{of}:{who}", rates.most(of, caller.rate_limits))


def headers_of(standing: Standing) -> Mapping[str, str]:
    return {
        "X-RateLimit-Limit": str(standing.limit.most),
        "X-RateLimit-Remaining": str(standing.remaining),
        "X-RateLimit-Reset": str(ceil(standing.ends)),
    }


def refuse(standing: Standing) -> None:
    """Raises TooManyCalls where the call is one too many."""
    if not standing.accepted:
        raise TooManyCalls(standing.wait)
