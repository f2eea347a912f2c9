"""Keeps a provider from telling its instructions: an answer that repeats a stretch of them is no answer.

It finds what is repeated letter by letter (case and white space apart), which is what models that give in do; it
cannot find what was translated or encoded.
"""

from collections import deque

from chatplatform.errors import ProviderUnavailable

#: Letters in a row that are taken for a repetition; of shorter instructions all of them.
STRETCH = 80
_SHORTEST = 20


class Guard:
    """Takes an answer piece by piece and gives on what is certainly none of the instructions'."""

    def __init__(self, secret: str) -> None:
        plain = "".join(secret.casefold().split())
        self._length = min(STRETCH, len(plain))
        on = self._length >= _SHORTEST
        self._secret = {plain[at : at + self._length] for at in range(len(plain) - self._length + 1)} if on else set()
        self._seen: deque[str] = deque(maxlen=self._length)
        self._held: deque[str] = deque()
        self._letters = 0  # in what is held back

    def take(self, piece: str) -> str:
        """What may be shown now. Raises ProviderUnavailable."""
        if not self._secret:
            return piece
        for char in piece:
            self._held.append(char)
            for letter in "".join(char.casefold().split()):
                self._seen.append(letter)
                self._letters += 1
                if "".join(self._seen) in self._secret:
                    raise ProviderUnavailable("the answer repeats the instructions")
        shown = []
        while self._letters > self._length:
            char = self._held.popleft()
            self._letters -= len("".join(char.casefold().split()))
            shown.append(char)
        return "".join(shown)

    def rest(self) -> str:
        """At the end: what was held back."""
        held = "".join(self._held)
        self._held.clear()
        return held


def check(secret: str, text: str) -> None:
    """Raises ProviderUnavailable."""
    Guard(secret).take(text)
