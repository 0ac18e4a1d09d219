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
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bitbox.errors import InputError, OutputError
from bitbox.files import flush, flush_folder, reason
from bitbox.measuring.parts import parts
from bitbox.measuring.retention import FOREVER, parse_period, read_period, save_period
from bitbox.measuring.store_entry import (
    DIGITS,
    Entry,
    entries,
    file_name,
    is_intact,
    leftovers,
    remove_damaged,
    temporary_name,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.signals import Signals

T = TypeVar("T")

_STALE = timedelta(days=1)  # a temporary file older than this belongs to no living run


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

    Examples
    --------
    >>> from bitbox.face_backend import Cache
    >>> cache = Cache('output')
    >>> cache.retention
    'forever'
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

        Examples
        --------
        >>> from bitbox.face_backend import Cache
        >>> cache = Cache()
        >>> cache.open('output')
        >>> cache.folder.name
        'output'
        """
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / temporary_name()
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:
            raise OutputError(
                f"The output folder {str(path)!r} cannot be written to ({reason(error)}).",
                todo="Choose another output folder, or ask for permission to write to this one.",
            ) from error
        self.folder = path
        if self._wanted is not None:
            save_period(path, self._wanted)
        self._tidy(path)

    @classmethod
    def at(cls, folder: str | Path) -> Cache:
        """Return the stored results of a folder to look at, changing nothing.

        Raises
        ------
        InputError
            There is no such folder.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> _ = processor.detect_faces()
        >>> from bitbox.face_backend import Cache
        >>> [entry.recording for entry in Cache.at('output').entries() if entry.what == 'rectangle']
        ['participant']
        """
        if not Path(folder).is_dir():
            raise InputError(
                f"There is no folder {str(folder)!r}.", todo="Check the name of the output folder."
            )
        cache = cls()
        cache.folder = Path(folder)
        return cache

    def close(self) -> None:
        """Keep nothing until a folder is opened again.

        Examples
        --------
        >>> from bitbox.face_backend import Cache
        >>> cache = Cache('output')
        >>> cache.close()
        >>> cache.entries()
        []
        """
        self.folder = None

    @property
    def retention(self) -> str:
        """How long results are kept, such as ``'1 year'``; ``'forever'`` if never set."""
        if self.folder is None:
            return self._wanted or FOREVER
        return read_period(self.folder)

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

        Examples
        --------
        >>> from bitbox.face_backend import Cache
        >>> cache = Cache('output')
        >>> cache.change_retention_period('2 weeks')
        >>> cache.retention
        '2 weeks'
        """
        parse_period(period)
        self._wanted = period.strip()
        if self.folder is not None:
            save_period(self.folder, self._wanted)

    def entries(self) -> list[Entry]:
        """Return the stored results, by name.

        Examples
        --------
        >>> from bitbox.face_backend import Cache
        >>> Cache('new folder').entries()
        []
        """
        if self.folder is None:
            return []
        found = entries(self.folder, parse_period(self.retention))
        return sorted(found, key=lambda entry: entry.path.name)

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

        Raises
        ------
        OutputError
            A file cannot be removed.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> _ = processor.detect_faces()
        >>> removed = processor.cache.clear(recording='participant')
        >>> processor.cache.entries()
        []
        """
        removed = []
        for entry in self.entries():
            if expired_only and not entry.expired:
                continue
            if recording is not None and entry.recording != recording:
                continue
            try:
                entry.path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{entry.path} cannot be removed ({reason(error)}).",
                    todo="Ask whoever it belongs to, or close the program that has it open.",
                ) from error
            removed.append(entry.path)
        return removed

    def find(self, what: str, key: str) -> Path | None:
        """Return a complete, undamaged and unexpired entry, or None."""
        for entry in self.entries():
            if entry.what != what or entry.key != key[:DIGITS] or entry.expired:
                continue
            if is_intact(entry.path):
                return entry.path
            remove_damaged(entry.path)  # where that is allowed
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
        temporary = self.folder / temporary_name(suffix)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)  # somebody may have removed it
            save(temporary)
            flush(temporary)
            path = self.folder / file_name(recording, what, key, temporary, suffix)
            if not is_intact(path):
                os.replace(temporary, path)
                flush_folder(self.folder)
        except OSError as error:
            cause = error.__cause__ if isinstance(error, OutputError) else error
            raise OutputError(
                f"Results cannot be written to {str(self.folder)!r} ({reason(cause or error)}).",
                todo="Check that the disk is not full and that the folder may be written to.",
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink()
        return path

    def write_signals(self, recording: str, what: str, key: str, signals: Signals) -> Path | None:
        """Store Signals as one Parquet file."""
        return self.write(recording, what, key, ".parquet", signals.to_parquet)

    def read(self, what: str, key: str, load: Callable[[Path], T]) -> tuple[T, Path] | None:
        """Return what a stored file holds, and its path, or None if there is none.

        Parameters
        ----------
        what, key : str
            What the result is, and its key.
        load : callable
            Called with the path to read.
        """
        path = self.find(what, key)
        if path is None:
            return None
        try:
            return load(path), path
        except (OSError, InputError):
            if is_intact(path):
                raise
            return None  # cleared by another process in this moment

    def read_signals(self, what: str, key: str) -> Signals | None:
        """Return stored Signals, or None if there are none."""
        from bitbox.signals import Signals

        found = self.read(what, key, Signals.from_parquet)
        return None if found is None else found[0]

    def write_arrays(
        self, recording: str, what: str, key: str, arrays: Mapping[str, NDArray[np.generic]]
    ) -> Path | None:
        """Store named arrays, without loss, as one NumPy archive."""
        return self.write(recording, what, key, ".npz", lambda path: np.savez(path, **arrays))

    def read_arrays(self, what: str, key: str) -> dict[str, NDArray[np.generic]] | None:
        """Return stored arrays, or None if there are none."""

        def load(path: Path) -> dict[str, NDArray[np.generic]]:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}

        found = self.read(what, key, load)
        return None if found is None else found[0]

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

        def load(path: Path) -> NDArray[np.float32]:
            mesh: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
            return mesh

        found = self.read("mesh", key, load)
        return None if found is None else found[0]

    def _tidy(self, folder: Path) -> None:
        old = [entry.path for entry in self.entries() if entry.expired]
        for path in (*old, *leftovers(folder, _STALE)):
            with suppress(OSError):  # removed meanwhile, or somebody else's
                path.unlink()
