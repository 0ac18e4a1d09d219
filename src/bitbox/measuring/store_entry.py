"""The files of the store: what their names say, and whether they are what they were."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bitbox.provenance import hash_file

DIGITS = 16  # hexadecimal digits of key and checksum in a file name: 64 bits each
_ENTRY = re.compile(
    rf"(?P<recording>.+)_(?P<what>[a-z0-9-]+)_(?P<key>[0-9a-f]{{{DIGITS}}})"
    rf"-(?P<sum>[0-9a-f]{{{DIGITS}}})\.(?:parquet|npz|npy|txt)",
    re.DOTALL,
)
# also what bitbox.files and bitbox.measuring.spool leave if killed
_TEMPORARY = re.compile(r"\.[0-9a-f]+\.tmp.*|\.[0-9a-z_]{8}\.tmp")


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored result.

    Parameters
    ----------
    path : Path
        The file.
    recording : str
        Name of the recording, without folder and suffix.
    what : str
        What the file holds, such as ``'pose'`` or ``'mesh'``.
    key : str
        First digits of the hash of all that shaped it.
    size : int
        Bytes.
    modified : datetime
        When it was written (UTC).
    expired : bool
        Whether it is older than the folder's retention period.
    """

    path: Path
    recording: str
    what: str
    key: str
    size: int
    modified: datetime
    expired: bool


def entries(folder: Path, period: timedelta | None) -> Iterator[Entry]:
    """Yield the stored results of a folder; other processes may change it meanwhile."""
    now = datetime.now(UTC)
    for path in _files(folder):
        match = _ENTRY.fullmatch(path.name)
        if match is None:
            continue
        try:
            facts = path.stat()
        except OSError:
            continue
        modified = datetime.fromtimestamp(facts.st_mtime, UTC)
        yield Entry(
            path=path,
            recording=match["recording"],
            what=match["what"],
            key=match["key"],
            size=facts.st_size,
            modified=modified,
            expired=period is not None and now - modified > period,
        )


def leftovers(folder: Path, age: timedelta) -> Iterator[Path]:
    """Yield temporary files that were last written to longer ago than `age`."""
    limit = datetime.now(UTC) - age
    for path in _files(folder):
        if _TEMPORARY.fullmatch(path.name) is None:
            continue
        with suppress(OSError):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < limit:
                yield path


def file_name(recording: str, what: str, key: str, path: Path, suffix: str) -> str:
    """Return the name under which a finished file is stored."""
    # A file name may have 255 bytes; 40 characters of UTF-8 leave room for the rest.
    return f"{recording[:40] or 'recording'}_{what}_{key[:DIGITS]}-{_checksum(path)}{suffix}"


def temporary_name(suffix: str = "") -> str:
    """Return a name for an unfinished file."""
    return f".{secrets.token_hex(8)}.tmp{suffix}"


def is_intact(path: Path) -> bool:
    """Tell whether a stored file is there, may be read and is what was written."""
    match = _ENTRY.fullmatch(path.name)
    try:
        return match is not None and _checksum(path) == match["sum"]
    except OSError:  # cleared by another process in this moment, or somebody else's
        return False


def remove_damaged(path: Path) -> None:
    """Remove a stored file that is not what was written, but none that another process mended."""
    aside = path.with_name(temporary_name())
    with suppress(OSError):
        os.replace(path, aside)
        match = _ENTRY.fullmatch(path.name)
        if match is not None and _checksum(aside) == match["sum"]:
            os.replace(aside, path)
    with suppress(OSError):
        aside.unlink()


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:  # removed, or not to be looked into
        return


def _checksum(path: Path) -> str:
    return hash_file(path)[:DIGITS]
