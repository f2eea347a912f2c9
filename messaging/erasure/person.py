"""By what a contact can be recognised in what others wrote."""

import json
import re
from dataclasses import dataclass
from typing import Any

from chatplatform.text import fold
from clients.models import Contact

_SHORTEST = 3  # characters: shorter ones are in every text


@dataclass(frozen=True, slots=True)
class Person:
    """The names, numbers, addresses and the id that a contact has or had."""

    words: tuple[str, ...]
    #: Finds any of the words in a folded text.
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, contact: Contact) -> "Person":
        given = dict.fromkeys((contact.name, contact.phone, contact.email, contact.contact_id, *contact.former))
        words = tuple(word for word in given if len(word) >= _SHORTEST)
        names = "|".join(re.escape(fold(word)) for word in words)
        return cls(words, re.compile(rf"(?<!\w)(?:{names})(?!\w)"))

    def is_in(self, value: Any) -> bool:
        """Whether a text, or anything within a JSON value, names them; case and accents apart, whole words only."""
        if not value or not self.words:
            return False
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return self.pattern.search(fold(text)) is not None

    def is_in_answer(self, body: str) -> bool:
        """Whether an answer, as it was sent, shows one of these."""
        return any(json.dumps(word, ensure_ascii=False)[1:-1] in body for word in self.words)
