"""Ids as this dialect shows them: what it is, and the row's uuid as 32 hexadecimal digits."""

import re
from uuid import UUID

_SHAPE = re.compile(r"([a-z]+)_([0-9a-f]{32})", re.ASCII)
#: Where an id has the wrong shape: a uuid that no row has.
NOBODY = UUID(int=0)


def shown(kind: str, uuid: UUID) -> str:
    """`shown("conv", …)` is `conv_0190c6…`."""
    return f"{kind}_{uuid.hex}"


def parse(kind: str, text: str) -> UUID:
    """The uuid of an id of this kind; an id of another shape is one that nobody has."""
    match = _SHAPE.fullmatch(text)
    return UUID(match[2]) if match and match[1] == kind else NOBODY
