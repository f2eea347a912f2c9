"""The contract rows that no test holds, and why: the one list of what later issues build, and the few
rows that state nothing which could be tested."""

from dataclasses import dataclass

from .contracts import find


@dataclass(frozen=True)
class Later:
    """A row of a later issue. `partly`: the rest of the row is built, and tests hold that."""

    mark: str
    issue: int
    capability: str
    partly: bool = False


LATER: list[Later] = [
    # accounts, whatsapp
    # assistant
    # behaviour
    # platform
    # workspace
]

#: Rows that state nothing which could be tested → why.
NOTHING_TO_TEST = {
    "README: Each file here is one dialect's contract": "says what the files are",
    "README: mapping.md says which field is which": "points to the other files, whose rows have tests",
    "behaviour: What the store does, whichever door": "the title of the file",
    "behaviour: A dialect's file decides its own words": "says which file decides what",
}


def excused() -> set[str]:
    """The positions of the rows that need no test (yet)."""
    return {find(mark).position for mark in [*(later.mark for later in LATER if not later.partly), *NOTHING_TO_TEST]}
