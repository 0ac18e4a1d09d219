"""Results on disk: found again by what they were made from, and never half-written.

An entry is one file, ``{recording}_{what}_{key}-{checksum}.{parquet|npz|npy|txt}``. The key is
a hash of the input's content and of every setting and version that shaped the numbers, so an entry
can be found without trusting names or dates. The checksum is that of the file's own bytes. An
entry is written to a temporary name, flushed to the disk and renamed, so a final name never stands
for an unfinished file; a file damaged later (an interrupted copy, a full synchronising disk) fails
its checksum. Nothing is ever changed in place, so any number of processes can share a folder
without locks: the worst that can happen is that two of them make the same file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bitbox.errors import InputError, OutputError, ParameterError
from bitbox.face_backend.mesh_track import parts
from bitbox.files import replacing
from bitbox.provenance import hash_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.signals import Signals

_DIGITS = 16  # hexadecimal digits of key and checksum in a file name: 64 bits each
_ENTRY = re.compile(
    rf"(?P<recording>.+)_(?P<what>[a-z0-9-]+)_(?P<key>[0-9a-f]{{{_DIGITS}}})"
    rf"-(?P<sum>[0-9a-f]{{{_DIGITS}}})\.(?:parquet|npz|npy|txt)"
)
_TEMPORARY = re.compile(r"\.[0-9a-f]+\.tmp.*")  # also what bitbox.files leaves if killed
_SETTINGS = ".bitbox-cache.json"
_STALE = timedelta(days=1)  # a temporary file older than this belongs to no living run
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
FOREVER = "forever"


def make_key(parts: Mapping[str, object]) -> str:
    """Return the key of a result: a hash of everything that shaped it.

    Parameters
    ----------
    parts : Mapping
        Names and JSON-like values: hash of the input, settings, versions.

    Returns
    -------
    str
        SHA-256 of the parts, independent of their order, as 64 hexadecimal digits.
    """
    text = json.dumps(parts, sort_keys=True, allow_nan=False, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def parse_period(period: str) -> timedelta | None:
    """Return a retention period such as ``'6 months'`` as a time span.

    Parameters
    ----------
    period : str
        A whole number and ``days``, ``weeks``, ``months`` (30 days) or ``years`` (365 days), or
        ``'forever'``.

    Returns
    -------
    timedelta or None
        None for ``'forever'``.

    Raises
    ------
    ParameterError
        The text is not such a period.
    """
    text = period.strip().lower() if isinstance(period, str) else ""
    if text == FOREVER:
        return None
    match = re.fullmatch(r"(\d{1,5})\s*(day|week|month|year)s?", text)
    if match is None or int(match[1]) == 0:
        raise ParameterError(
            "The retention period was not understood.",
            expected="a whole number of days, weeks, months or years, such as '6 months', "
            "or 'forever'",
            got=repr(period),
        )
    return timedelta(days=int(match[1]) * _UNIT_DAYS[match[2]])


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


class Cache:
    """The stored results of one output folder.

    Parameters
    ----------
    folder : path, optional
        The folder; None keeps nothing until :meth:`open` names one.

    Notes
    -----
    Results are kept for ever unless a retention period is set, because their keys make them
    unable to go stale: a changed video, setting or version has another key.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder: Path | None = None
        self._wanted: str | None = None
        if folder is not None:
            self.open(folder)

    def open(self, folder: str | Path) -> None:
        """Use a folder, made if need be, and tidy it.

        Removes expired entries, and what killed runs left behind more than a day ago.

        Raises
        ------
        OutputError
            The folder cannot be made or written to.
        """
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / _temporary_name()
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OutputError(
                f"The output folder {str(path)!r} cannot be written to ({error.strerror}).",
                todo="Choose another output folder, or ask for permission to write to this one.",
            ) from error
        self.folder = path
        if self._wanted is not None:
            self._save_retention(path, self._wanted)
        self._tidy(path)

    @classmethod
    def at(cls, folder: str | Path) -> Cache:
        """Return the stored results of a folder to look at, changing nothing.

        Raises
        ------
        InputError
            There is no such folder.
        """
        if not Path(folder).is_dir():
            raise InputError(
                f"There is no folder {str(folder)!r}.", todo="Check the name of the output folder."
            )
        cache = cls()
        cache.folder = Path(folder)
        return cache

    def close(self) -> None:
        """Keep nothing until a folder is opened again."""
        self.folder = None

    @property
    def retention(self) -> str:
        """How long results are kept, such as ``'1 year'``; ``'forever'`` if never set."""
        if self.folder is None:
            return self._wanted or FOREVER
        path = self.folder / _SETTINGS
        try:
            period = json.loads(path.read_text(encoding="utf-8"))["retention"]
            parse_period(period)
        except FileNotFoundError:
            return FOREVER
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InputError(
                f"The cache settings {str(path)!r} cannot be read.",
                todo="Delete that file: the retention period is then 'forever' until it is "
                "set again.",
            ) from error
        return str(period)

    def change_retention_period(self, period: str) -> None:
        """Set how long results of this folder are kept.

        Parameters
        ----------
        period : str
            Such as ``'3 days'``, ``'2 weeks'``, ``'6 months'``, ``'1 year'`` or ``'forever'``.
            Older results are not read again and are removed when the folder is next used.

        Raises
        ------
        ParameterError
            The period was not understood.
        OutputError
            The folder cannot be written to.

        Notes
        -----
        The period is kept in the folder, for later runs too. Called before a folder is chosen,
        it applies to each folder that is opened.
        """
        parse_period(period)
        self._wanted = period.strip()
        if self.folder is not None:
            self._save_retention(self.folder, self._wanted)

    def entries(self) -> list[Entry]:
        """Return the stored results, by name."""
        return sorted(self._walk(), key=lambda entry: entry.path.name)

    def clear(self, *, expired_only: bool = False, recording: str | None = None) -> list[Path]:
        """Remove stored results and return the paths of what was removed.

        Parameters
        ----------
        expired_only : bool
            Only those older than the retention period.
        recording : str, optional
            Only those of the recording of this name (without folder and suffix).

        Notes
        -----
        Only files that this store wrote, as their names tell, are touched.
        """
        removed = []
        for entry in self.entries():
            if expired_only and not entry.expired:
                continue
            if recording is not None and entry.recording != recording:
                continue
            _unlink(entry.path)
            removed.append(entry.path)
        return removed

    def find(self, what: str, key: str) -> Path | None:
        """Return a complete, undamaged and unexpired entry, or None."""
        for entry in self._walk():
            if entry.what != what or entry.key != key[:_DIGITS] or entry.expired:
                continue
            try:
                intact = _checksum(entry.path) == _parse(entry.path)["sum"]
            except FileNotFoundError:  # cleared by another process in this moment
                continue
            if intact:
                return entry.path
            _unlink(entry.path)  # damaged after it was written; nobody is writing under this name
        return None

    def write(
        self, recording: str, what: str, key: str, suffix: str, save: Callable[[Path], object]
    ) -> Path | None:
        """Store a result and return its path, or None where there is no folder.

        Parameters
        ----------
        recording, what, key : str
            Name of the recording, what the result is, and its key.
        suffix : {".parquet", ".npz", ".npy", ".txt"}
            The kind of file.
        save : callable
            Called with the path to write to.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        if self.folder is None:
            return None
        temporary = self.folder / _temporary_name(suffix)
        try:
            save(temporary)
            _flush(temporary)
            name = f"{_short(recording)}_{what}_{key[:_DIGITS]}-{_checksum(temporary)}{suffix}"
            path = self.folder / name
            os.replace(temporary, path)
            _flush_folder(self.folder)
        except OSError as error:
            raise OutputError(
                f"Results cannot be written to {str(self.folder)!r} ({error.strerror}).",
                todo="Check that the disk is not full and that the folder may be written to.",
            ) from error
        finally:
            _unlink(temporary)
        return path

    def write_signals(self, recording: str, what: str, key: str, signals: Signals) -> Path | None:
        """Store Signals as one Parquet file."""
        return self.write(recording, what, key, ".parquet", signals.to_parquet)

    def read_signals(self, what: str, key: str) -> Signals | None:
        """Return stored Signals, or None if there are none."""
        from bitbox.signals import Signals

        path = self.find(what, key)
        return None if path is None else Signals.from_parquet(path)

    def write_arrays(
        self, recording: str, what: str, key: str, arrays: Mapping[str, NDArray[np.generic]]
    ) -> Path | None:
        """Store named arrays, without loss, as one NumPy archive."""
        return self.write(recording, what, key, ".npz", lambda path: np.savez(path, **arrays))

    def read_arrays(self, what: str, key: str) -> dict[str, NDArray[np.generic]] | None:
        """Return stored arrays, or None if there are none."""
        path = self.find(what, key)
        if path is None:
            return None
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def write_mesh(self, recording: str, key: str, mesh: NDArray[np.float32]) -> Path | None:
        """Store a mesh over time as one NumPy file, without bringing all of it into memory."""
        from numpy.lib import format as npy

        def save(path: Path) -> None:
            with path.open("wb") as file:
                header = npy.header_data_from_array_1_0(mesh)  # type: ignore[no-untyped-call]
                npy.write_array_header_2_0(file, header)  # type: ignore[no-untyped-call]
                for part in parts(mesh):
                    file.write(np.ascontiguousarray(mesh[part]).tobytes())

        return self.write(recording, "mesh", key, ".npy", save)

    def read_mesh(self, key: str) -> NDArray[np.float32] | None:
        """Return a stored mesh, or None; it stays on the disk until a part of it is used."""
        path = self.find("mesh", key)
        if path is None:
            return None
        mesh: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        return mesh

    def _walk(self) -> Iterator[Entry]:
        if self.folder is None or not self.folder.is_dir():
            return
        period = parse_period(self.retention)
        now = datetime.now(UTC)
        for path in self.folder.iterdir():
            match = _ENTRY.fullmatch(path.name)
            if match is None:
                continue
            try:
                facts = path.stat()
            except FileNotFoundError:
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

    def _tidy(self, folder: Path) -> None:
        self.clear(expired_only=True)
        for path in folder.iterdir():
            if _TEMPORARY.fullmatch(path.name) is None:
                continue
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _STALE.total_seconds():
                    path.unlink()

    def _save_retention(self, folder: Path, period: str) -> None:
        with replacing(folder / _SETTINGS) as temporary:
            temporary.write_text(json.dumps({"retention": period}), encoding="utf-8")


def _temporary_name(suffix: str = "") -> str:
    return f".{secrets.token_hex(8)}.tmp{suffix}"


def _parse(path: Path) -> re.Match[str]:
    match = _ENTRY.fullmatch(path.name)
    if match is None:
        raise ValueError(path.name)
    return match


def _checksum(path: Path) -> str:
    return hash_file(path)[:_DIGITS]


def _short(recording: str) -> str:
    # A file name may have 255 bytes; 60 characters of UTF-8 leave room for the rest.
    return recording[:40] or "recording"


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    # A rename reaches the disk with its folder; only POSIX systems can open one.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
