"""Personal data that a provider need not have: card numbers, e-mail addresses, phone numbers.

Every pattern is bounded, so that no text of a customer's can make one slow.
"""

import re
import unicodedata

CARD, EMAIL, PHONE = "[card number]", "[e-mail address]", "[phone number]"
_EMAIL = re.compile(r"[^\s@<>()\[\]\",;:]{1,64}@[^\s@<>()\[\]\",;:]{1,253}")
_CARD = re.compile(r"(?<!\d)\d(?:[\s._\-]{0,2}\d){12,18}(?!\d)")
_RUN = re.compile(r"(?<![\w.])\+?\(?\d(?:[ .\-/()]{0,3}\d){6,40}")


def mask(text: str) -> str:
    """Cards are known by their check digit; a run of 7 to 15 digits, parted or not, is taken for a phone number."""
    text = _EMAIL.sub(EMAIL, text)
    text = _CARD.sub(lambda found: CARD if _is_card(found[0]) else found[0], text)
    return _RUN.sub(lambda found: PHONE if 7 <= _digits(found[0]) <= 15 else found[0], text)


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)


def _is_card(text: str) -> bool:
    digits = [unicodedata.digit(char) for char in text if char.isdigit()]
    total = sum(digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0
