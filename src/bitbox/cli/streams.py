"""Standard output and error that never end a run, whatever they cannot write."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, TextIO

#: How characters are written where the output's encoding lacks them.
_PLAIN = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212─━", "-"),
    **dict.fromkeys("\u2018\u2019\u201a", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    **dict.fromkeys("│┃", "|"),
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "×": "x",
    "±": "+-",
    "→": "->",
    "←": "<-",
    "°": " deg",
    "…": "...",
    "·": ".",
    "•": "*",
    "²": "2",
    "³": "3",
    "µ": "u",
    "μ": "u",
    "ß": "ss",
}


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks with what every encoding has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_plain(character) for character in lacking), error.end


def _plain(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return base if base.isprintable() and base else "?"


codecs.register_error("bitbox-plain", _plainly)


class Stream:
    """A text stream that keeps its first failure instead of raising it.

    The reader of a pipe may have left (``bitbox ... | head``), the disk may be full, the terminal
    may be gone: none of that is a reason to lose what was measured.

    Parameters
    ----------
    stream : text stream
        What to write to.

    Attributes
    ----------
    failure : OSError or None
        The first failure. Nothing is written after it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write text, if that is still possible."""
        if self.failure is None:
            try:
                return self.stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, if that is still possible."""
        if self.failure is None:
            try:
                self.stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.failure = error
        # what is still in the buffer has to go somewhere, or Python fails at its exit
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def lasting_streams() -> Iterator[tuple[Stream, Stream]]:
    """Put such streams in place of standard output and error.

    Those that are closed (``>&-``) are opened to nowhere, since otherwise the next file that is
    opened would get their number, and with it what libraries print.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    former = sys.stdout, sys.stderr
    opened = [
        stream or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  closed by the exit
        for stream in former
    ]
    for stream in opened:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="bitbox-plain")
    out, err = (Stream(stream) for stream in opened)
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = opened
