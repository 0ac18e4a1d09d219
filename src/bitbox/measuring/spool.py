"""What a video gives, frame by frame, on the disk: too much for memory, and gone when it is done.

While a face is followed an hour of video takes some 2.4 GB. They lie beside the results rather
than in the system's folder for temporary files, which may be small or in memory, and whether there
is room for them is asked before the first frame. The files have no name as long as they are in
use (on Windows the system removes them), so a killed process leaves nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import OutputError
from bitbox.files import reason
from bitbox.system.elsewhere import ask

_lock = threading.Lock()
_rooms: list[Room] = []


class Room:
    """The room that a recording needs on a disk and has not used yet.

    Parameters
    ----------
    folder : Path
        Where.
    left : int
        Bytes.
    """

    def __init__(self, folder: Path, left: int) -> None:
        self.device = os.stat(folder).st_dev
        self.left = left

    def use(self, size: int) -> None:
        """Take note that some of it was used."""
        self.left = max(0, self.left - size)


@contextlib.contextmanager
def room_for(size: int, folder: Path | None, what: str) -> Iterator[Room]:
    """Keep room on a disk, as far as this process is concerned.

    Parameters
    ----------
    size : int
        Bytes that will be needed; 0 where that is not known.
    folder : Path or None
        On whose disk; None: that of temporary files.
    what : str
        What for.

    Raises
    ------
    OutputError
        There is less, or others of this process will need it.
    """
    place = spool_folder(folder)
    refusal = ask((size, folder, what))  # of the process that this one works for
    if refusal is not None:
        raise refusal
    room = _keep(size, folder, place, what)
    try:
        yield room
    finally:
        with _lock:
            _rooms.remove(room)


def _keep(size: int, folder: Path | None, place: Path, what: str) -> Room:
    with _lock:
        room = Room(place, size)
        free = shutil.disk_usage(place).free
        promised = sum(other.left for other in _rooms if other.device == room.device)
        if size > free - promised:
            raise OutputError(
                f"There is not enough room on the disk of {place} to measure {what}.",
                expected=f"{size / 1e9:.2f} GB while it is measured",
                got=f"{max(0, free - promised) / 1e9:.2f} GB"
                + (f", as {promised / 1e9:.2f} GB are for another recording" * bool(promised)),
                todo=_todo(folder),
            )
        _rooms.append(room)
        return room


@contextlib.contextmanager
def answering() -> Iterator[Callable[[tuple[int, Path | None, str]], OutputError | None]]:
    """Keep room for what another process measures, as long as that is waited for.

    Gives what answers its question whether there is any: nothing, or the error that says no.
    """
    kept: list[Room] = []

    def answer(question: tuple[int, Path | None, str]) -> OutputError | None:
        size, folder, what = question
        try:
            kept.append(_keep(size, folder, spool_folder(folder), what))
        except OutputError as refusal:
            return refusal
        return None

    try:
        yield answer
    finally:
        with _lock:
            for room in kept:
                _rooms.remove(room)


def spool_folder(folder: Path | None) -> Path:
    """Return the folder for what is measured, made anew if somebody removed it."""
    if folder is None:
        return Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Spool:
    """Rows of numbers in a file without a name.

    A context manager. The array that `array` returns lives on the disk as long as it is used; the
    system brings into memory what is looked at, and can drop it again.

    Parameters
    ----------
    kind : dtype
        Of the numbers.
    shape : tuple of int
        Of a row.
    folder : Path or None
        Where; None: where temporary files are.
    room : Room, optional
        Told what is used.
    """

    def __init__(
        self,
        kind: type[np.generic],
        shape: tuple[int, ...],
        folder: Path | None = None,
        room: Room | None = None,
    ) -> None:
        self._kind = kind
        self._shape = shape
        self._folder = folder
        self._room = room
        self._count = 0

    def __enter__(self) -> Spool:
        with self._or_say_why():
            self._file = tempfile.TemporaryFile(
                dir=spool_folder(self._folder), prefix=".", suffix=".tmp"
            )
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written was told when it was
            self._file.close()

    def append(self, row: NDArray[Any]) -> None:
        """Add a row.

        Raises
        ------
        OutputError
            The disk is full, for instance.
        """
        content = np.ascontiguousarray(row, dtype=self._kind)
        try:  # and not by `_or_say_why`, which takes longer than this
            self._file.write(content.data)
        except OSError as error:
            raise self._unkept(error) from error
        if self._room is not None:
            self._room.use(content.nbytes)
        self._count += 1

    def drop(self, rows: Sequence[int] | NDArray[np.int64]) -> None:
        """Take some rows back: they are NaN."""
        lost = np.full(self._shape, np.nan, dtype=self._kind).tobytes()
        with self._or_say_why():
            for row in rows:
                self._file.seek(int(row) * len(lost))
                self._file.write(lost)
            self._file.seek(0, os.SEEK_END)

    def array(self) -> NDArray[Any]:
        """Return all rows, shape (rows, ...), read-only."""
        with self._or_say_why():
            self._file.flush()
            return np.memmap(self._file, self._kind, mode="r", shape=(self._count, *self._shape))

    @contextlib.contextmanager
    def _or_say_why(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unkept(error) from error

    def _unkept(self, error: OSError) -> OutputError:
        place = self._folder or tempfile.gettempdir()
        return OutputError(
            f"What is measured cannot be kept in {place}: {reason(error)}.",
            todo=_todo(self._folder),
        )


def _todo(folder: Path | None) -> str:
    if folder is None:
        return (
            "Make room there, name another folder with the environment variable TMPDIR, or give "
            "an output folder."
        )
    return "Make room, or choose an output folder on another disk."
