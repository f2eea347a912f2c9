"""Lines of files of any size, plain or gzip, one at a time."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import IO, cast

MAX_LINE = 8 * 1024 * 1024  # bytes of one line; longer ones are skipped without being kept in memory
_GZIP = b"\x1f\x8b"


class UnreadableFile(Exception):
    """Nothing more can be read of a file: it is not there, cut off, or damaged."""


def numbered_lines(path: str, on_read: Callable[[int], None] = lambda size: None) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number, None for one that is too long; `-` is standard input.

    `on_read` is told the bytes of the file (as it is stored) that were read since.
    """
    try:
        with _open(path) as stored:
            told = 0
            for numbered in _lines(_plain(stored)):
                position = stored.tell() if stored.seekable() else told
                on_read(position - told)
                told = position
                yield numbered
    except (OSError, EOFError, zlib.error) as error:  # gzip.BadGzipFile is an OSError
        raise UnreadableFile(getattr(error, "strerror", None) or str(error)) from error


def _open(path: str) -> io.BufferedReader:
    return sys.stdin.buffer if path == "-" else open(path, "rb")  # type: ignore[return-value]


def _plain(stored: io.BufferedReader) -> IO[bytes]:
    """By content, not by name."""
    return cast(IO[bytes], gzip.open(stored) if stored.peek(2)[:2] == _GZIP else stored)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE)
        yield number, None
