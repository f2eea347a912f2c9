"""The contract files as rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT.parent / "shared" / "contracts"
_ABBREVIATIONS = ("e.g.", "i.e.", "etc.", "vs.", "cf.")
_OPENS, _CLOSES = "([{", ")]}"
_LABEL = 48


class NoSuchRow(LookupError):
    """A fragment that stands in no row, or in several."""


@dataclass(frozen=True)
class Row:
    file: str  # the contract's file name without its end
    section: str  # the heading's first words; "intro" before the first one
    number: int  # from 1 within the section
    text: str  # as it stands there, the code block after it included

    @property
    def position(self) -> str:
        return f"{self.file} · {self.section} · {self.number}"

    @property
    def label(self) -> str:
        """How the row begins, for a reader to find it by."""
        words = re.sub(r"[*`]", "", self.text.split("\n")[0]).strip()
        return words if len(words) <= _LABEL else f"{words[:_LABEL].rstrip()}…"


@cache
def rows() -> tuple[Row, ...]:
    """Every row of every contract; none where the contracts are not beside the project."""
    return tuple(row for path in sorted(CONTRACTS.glob("*.md")) for row in read(path.stem, path.read_text()))


@cache
def find(mark: str) -> Row:
    """The one row of `file: fragment`. Case, white space, `*` and backticks do not count."""
    file, _, fragment = mark.partition(":")
    wanted = _plain(fragment)
    found = [row for row in rows() if row.file == file and wanted and wanted in _plain(row.text)]
    if len(found) != 1:
        places = ", ".join(row.position for row in found) or "no row"
        raise NoSuchRow(f"the contract fragment {mark!r} stands in {places}")
    return found[0]


def read(file: str, text: str) -> Iterator[Row]:
    """The rows of one contract's Markdown, in order."""
    section, number = "intro", 0
    for heading, block in _blocks(text):
        if heading is not None:
            section, number = heading, 0
        for row in block:
            number += 1
            yield Row(file, section, number, row)


def _blocks(text: str) -> Iterator[tuple[str | None, list[str]]]:
    """A section's rows so far, each beginning with its heading (None: goes on)."""
    heading, found, prose, code = None, [], [], None

    def end_of_prose() -> None:
        found.extend(_sentences(" ".join(prose)))
        prose.clear()

    for line in text.splitlines():
        if line.startswith("```"):
            end_of_prose()
            if code is not None and found:
                found[-1] += "\n" + "\n".join(code)
            code = [] if code is None else None
        elif code is not None:
            code.append(line)
        elif line.startswith("|"):
            end_of_prose()
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
            if re.fullmatch(r"[|:\s-]+", line):
                found.pop()  # what stood above it was the header
            else:
                found.append(" | ".join(cells))
        elif line.startswith("#"):
            end_of_prose()
            yield heading, found
            heading, found = (None if line.startswith("# ") else _short(line)), []
        elif line.startswith("- "):
            end_of_prose()
            prose.append(line[2:])
        elif not line.strip():
            end_of_prose()
        else:
            prose.append(line.strip())
    end_of_prose()
    yield heading, found


def _short(heading: str) -> str:
    """`## Errors (exact)` → `errors`"""
    return re.split(r"[:(]", re.sub(r"[#`]", "", heading))[0].strip().lower()


def _sentences(text: str) -> Iterator[str]:
    """Split at a full stop before white space, not within code, brackets or a **title.**"""
    start = depth = 0
    in_code = False
    for at, character in enumerate(text):
        if character == "`":
            in_code = not in_code
        elif in_code:
            continue
        elif character in _OPENS:
            depth += 1
        elif character in _CLOSES:
            depth -= 1
        elif character in ".!?" and depth == 0 and text[at + 1 : at + 2].isspace():
            sentence = text[start : at + 1]
            if not sentence.endswith(_ABBREVIATIONS):
                yield sentence.strip()
                start = at + 1
    if text[start:].strip():
        yield text[start:].strip()


@cache
def _plain(text: str) -> str:
    return " ".join(re.sub(r"[*`]", "", text).casefold().split())
