"""Text alike on both databases: SQLite knows neither the case nor the accents of É."""

import unicodedata
from collections.abc import Callable

_KEPT = 20_000  # characters whose other form is remembered


class ByCharacter(dict[int, str]):
    """A table for `str.translate` that works out each character at its first use. Nothing depends on the
    neighbours, so that no text can make it slow (normalizing sorts the accents that follow one another)."""

    def __init__(self, form: Callable[[str], str]) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, code: int) -> str:
        found = self._form(chr(code))
        if len(self) < _KEPT:
            self[code] = found
        return found


def _folded(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", char.casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part))


_FOLDED = ByCharacter(_folded)


def fold(text: str) -> str:
    """Case and accents folded: "Reclamación" → "reclamacion"."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)
