"""Folders for unfinished work, removed by whoever works there, or by the next if that one died.

Whoever works in such a folder holds a lock on a file in it. The system gives the lock back when a
process ends, however it ends, so what was left can be told from what is in use: on any machine
that shares the disk, as far as its file system knows locks.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from bitbox.system.interrupts import held_off

_LOCK = ".lock"
_IN_USE = ".in-use"
_STALE = timedelta(days=1)  # where no lock can tell: older than this belongs to no living run


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one at a time into the block, of all who lock the same folder.

    A signal that comes while the lock is held is heard afterwards, so that it never stays behind.

    Raises
    ------
    OSError
        The folder cannot be written to.

    Notes
    -----
    Where the file system knows no locks, nobody waits. Not to be nested.
    """
    path = folder / _LOCK
    while True:
        with held_off(), _opened(path) as file:
            # who had it before may have removed it meanwhile
            if _lock(file) is not False and _is_at(file, path):
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):
                        path.unlink()
                return
        time.sleep(0.01)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield file
    finally:
        os.close(file)


@contextlib.contextmanager
def unfinished(folder: Path, prefix: str) -> Iterator[Path]:
    """Make a folder for unfinished work inside another one, and remove it afterwards.

    Parameters
    ----------
    folder : Path
        Where; it must exist.
    prefix : str
        What its name begins with.

    Raises
    ------
    OSError
        It cannot be made.
    """
    place: Path | None = None
    try:
        with locked(folder):
            place = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
            owner = os.open(place / _IN_USE, os.O_RDWR | os.O_CREAT)
            _lock(owner)
        yield place
    finally:
        if place is not None:
            with held_off():
                _remove(place, owner)


def _remove(place: Path, owner: int) -> None:
    if sys.platform == "win32":  # an open file cannot be removed there
        os.close(owner)
        _clear(place)
    else:
        _clear(place)
        os.close(owner)


def _clear(place: Path) -> None:
    """Remove a folder; what tells whose it is goes last, so that a kill in between is noticed."""
    with contextlib.suppress(OSError):
        for path in place.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _IN_USE:
                path.unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


def tidy(folder: Path, prefix: str, mend: Callable[[Path], object] | None = None) -> None:
    """Remove what those who died left in a folder; what is in use stays.

    Parameters
    ----------
    folder : Path
        Where.
    prefix : str
        As for `unfinished`.
    mend : callable, optional
        Called with each folder before it is removed.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    if not any(folder.glob(f"{prefix}*")) and not (folder / _LOCK).exists():
        return
    with locked(folder):
        for place in folder.glob(f"{prefix}*"):
            if _is_left(place):
                if mend is not None:
                    mend(place)
                _clear(place)


def _is_left(place: Path) -> bool:
    """Tell whether nobody works in a folder any more."""
    try:
        file = os.open(place / _IN_USE, os.O_RDWR)
    except FileNotFoundError:  # just made by somebody who was killed then, or by an older version
        return _is_empty(place) or _is_old(place)
    except OSError:  # somebody else's, or no folder
        return False
    try:
        free = _lock(file)
        return _is_old(place) if free is None else free
    finally:
        os.close(file)


def _is_empty(place: Path) -> bool:
    try:
        return not any(place.iterdir())
    except OSError:
        return False


def _is_old(place: Path) -> bool:
    try:
        return time.time() - place.stat().st_mtime > _STALE.total_seconds()
    except OSError:
        return False


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: int) -> bool | None:
    """Lock an open file until it is closed: True, False where another has it, None: no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True
