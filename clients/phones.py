"""Phone numbers: E.164 without the plus (contract `whatsapp.md`), wherever they come in."""

import re

#: 1 to 15 digits, not beginning with 0, a leading + allowed.
PHONE = r"\+?([1-9][0-9]{0,14})"
_PHONE = re.compile(PHONE, re.ASCII)
_PUNCTUATION = str.maketrans("", "", " \N{NO-BREAK SPACE}()-./")


def phone_digits(text: str) -> str | None:
    """The digits of a number, None of what is none."""
    match = _PHONE.fullmatch(text)
    return match[1] if match else None


def typed_phone_digits(text: str) -> str | None:
    """The same of a number as people write it: `+1 (202) 555-0123`."""
    return phone_digits(text.translate(_PUNCTUATION))
