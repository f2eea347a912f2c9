"""Keeps a provider from telling its instructions: an answer that repeats a stretch of them is no answer.

It finds what is repeated letter by letter, forwards or backwards (case, accents, white space, punctuation and JSON's
line ends apart), which is what models that give in do; it cannot find what was translated or encoded.
"""

from collections import deque
from collections.abc import Iterable

from chatplatform.errors import ProviderUnavailable
from chatplatform.text import fold

#: Letters and digits in a row that are taken for a repetition; of shorter instructions all of them.
STRETCH = 80
_SHORTEST = 20


class Guard:
    """Takes an answer piece by piece and gives on what is certainly none of the instructions'."""

    def __init__(self, secrets: Iterable[str]) -> None:
        told = [plain for secret in secrets if len(plain := "".join(map(_Letters().of, secret))) >= _SHORTEST]
        #: Every stretch that no answer may have, by its length.
        self._secrets = [(length := min(STRETCH, len(plain)), _stretches(plain, length)) for plain in told]
        self._length = max((length for length, _ in self._secrets), default=0)
        self._letters_of, self._seen = _Letters(), ""
        self._held: deque[tuple[str, int]] = deque()  # characters, and how many letters each is
        self._letters = 0  # in what is held back

    def take(self, piece: str) -> str:
        """What may be shown now. Raises ProviderUnavailable."""
        if not self._secrets:
            return piece
        for char in piece:
            letters = self._letters_of.of(char)
            for letter in letters:
                self._seen = (self._seen + letter)[-self._length :]
                if any(self._seen[-length:] in stretches for length, stretches in self._secrets):
                    raise ProviderUnavailable("the answer repeats the instructions")
            self._held.append((char, len(letters)))
            self._letters += len(letters)
        shown = []
        while self._letters > self._length:
            char, count = self._held.popleft()
            self._letters -= count
            shown.append(char)
        return "".join(shown)

    def rest(self) -> str:
        """At the end: what was held back."""
        held = "".join(char for char, _ in self._held)
        self._held.clear()
        return held


def check(secrets: Iterable[str], text: str) -> None:
    """Raises ProviderUnavailable."""
    Guard(secrets).take(text)


class _Letters:
    """Of a text, character by character; the n of a `\\n` is none."""

    def __init__(self) -> None:
        self._escaping = False

    def of(self, char: str) -> str:
        escaped, self._escaping = self._escaping, char == "\\" and not self._escaping
        return "" if escaped and char in "nrt" else "".join(filter(str.isalnum, fold(char)))


def _stretches(plain: str, length: int) -> set[str]:
    forwards = {plain[at : at + length] for at in range(len(plain) - length + 1)}
    return forwards | {stretch[::-1] for stretch in forwards}
