"""What people write, made safe to stand in a prompt: nothing in it can be taken for a mark of the protocol, and
nothing is in it that people do not see.

Endpoints put a conversation's turns together with marks of their own (`<|im_end|>`, `<start_of_turn>`, `[INST]`,
`</s>`), and local ones take such a mark for what it looks like wherever it stands: a customer who writes it would
speak with the operator's voice. Characters without a shape hide instructions from staff who read along, and part
numbers that are to be masked.
"""

import re
from typing import Final

from chatplatform.text import ByCharacter

#: First and last of each stretch: joiners of writing are in none of them.
_UNSEEN: Final = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
#: What ends a line besides "\n".
_LINES: Final = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
#: They join letters of some scripts and emojis, but no plain ones.
_JOINERS = re.compile("(?<=[\x00-\x7f])[\u200c\u200d]")
#: `[INST]`, `[/INST]`, `[SYSTEM_PROMPT]`.
_IN_BRACKETS = re.compile(r"\[(/?[A-Z_]{2,30})\]")


def _shown(char: str) -> str:
    code = ord(char)
    if char in _LINES:
        return "\n"
    if any(first <= code <= last for first, last in _UNSEEN):
        return ""
    if char not in "\n\t" and (code < 0x20 or 0x7F <= code < 0xA0):
        return ""
    return {"<": "‹", ">": "›"}.get(char, char)


_SHOWN = ByCharacter(_shown)


def defuse(text: str) -> str:
    """The same to whoever reads it. `<` and `>` become `‹` and `›`, a word in capitals its round brackets."""
    return _IN_BRACKETS.sub(r"(\1)", _JOINERS.sub("", text.translate(_SHOWN)))
