"""CSV, as spreadsheets write it: records with the number of the line that each begins on."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from ..fields import json_problem
from .files import UnreadableFile
from .lines import BadLine, shown

_DELIMITERS = ",;\t"


def records(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[tuple[int, dict[str, Any] | BadLine]]:
    """Each record by the names of the first line's columns, or what is wrong with it; an empty cell is None.

    Raises UnreadableFile where nothing can be made of the rest: no usable first line, or a quote that is
    opened and never closed.
    """
    text = _Text(lines)
    reader = csv.reader(text, delimiter=text.delimiter(), strict=True)
    header: list[str] | None = None
    while True:
        began = text.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error) or "field limit" in str(error):
                raise UnreadableFile(f"a quote of line {began} is never closed") from error
            if header is None:
                raise UnreadableFile("the first line does not name the columns") from error
            yield began, BadLine("a quote or a line break where none can be")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells)
        else:
            yield began, _record(header, cells)


class _Text:
    """The lines as text. What is not UTF-8 is marked by lone surrogates and found with the record."""

    def __init__(self, lines: Iterable[tuple[int, bytes | None]]) -> None:
        self._lines = iter(lines)
        self._first = self._next()
        self.number = 0

    def delimiter(self) -> str:
        """The commonest in the first line."""
        return max(_DELIMITERS, key=lambda mark: (self._first or "").count(mark))

    def __iter__(self) -> "_Text":
        return self

    def __next__(self) -> str:
        line, self._first = (self._first, None) if self.number == 0 else (self._next(), None)
        if line is None:
            raise StopIteration
        self.number += 1
        return line

    def _next(self) -> str | None:
        numbered = next(self._lines, None)
        if numbered is None:
            return None
        if numbered[1] is None:
            raise UnreadableFile(f"line {numbered[0]} is longer than 8 MiB")
        line = numbered[1].decode("utf-8", "surrogateescape")
        return line.removeprefix("\ufeff") if numbered[0] == 1 else line


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if any(json_problem(name) for name in names):
        raise UnreadableFile("the first line is not UTF-8 text")
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise UnreadableFile(f"two columns are named {shown(twice)}")
    return names


def _record(header: list[str], cells: list[str]) -> dict[str, Any] | BadLine:
    if len(cells) != len(header):
        return BadLine(f"{len(cells)} columns, the first line has {len(header)}")
    for cell in cells:
        if problem := json_problem(cell):
            return BadLine("not UTF-8" if "surrogates" in problem else problem)
    return {name: cell if cell.strip() else None for name, cell in zip(header, cells, strict=True) if name}
