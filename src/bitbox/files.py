"""Files: what may be read, and writing so that a name never holds half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bitbox.errors import InputError, OutputError


def reason(error: BaseException) -> str:
    """Return why something failed, as a phrase; never nothing.

    Parameters
    ----------
    error : BaseException
        An `OSError` of the system, or one that a library made up, which often has no ``strerror``.
    """
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def flush(path: str | os.PathLike[str]) -> None:
    """Bring a file's content to the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: str | os.PathLike[str]) -> None:
    """Bring the names in a folder to the disk, where the system can do that (POSIX)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_folder(path: str | Path) -> Path:
    """Make a folder, with those that it lies in, unless it is there.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{folder} cannot be made: {reason(error)}.",
            todo="Choose a folder that you may write to and that has space.",
        ) from error
    return folder


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; put it in place of `path` when the block succeeds.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target = Path(path)
    if not target.name or "\0" in str(target):
        raise OutputError(f"{str(path)!r} names no file that could be written.")
    temporary = target.with_name(f".{secrets.token_hex(6)}.tmp{target.suffix}")
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{target} cannot be written: {reason(error)}.",
            todo="Choose a folder that exists, that you may write to and that has space.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def arrow_file(content: bytes) -> Any:
    """Return a pyarrow file whose memory belongs to Arrow.

    Arrow's own threads let go of what they read from, sometimes while the interpreter already
    ends. Memory that belongs to Python needs the interpreter for that, and the process aborts
    ("terminate called without an active exception").
    """
    import pyarrow as pa

    memory = pa.BufferOutputStream(pa.system_memory_pool())
    memory.write(content)
    return pa.BufferReader(memory.getvalue())


def require_file(
    path: str | Path, expected: str, *, error: type[InputError] = InputError
) -> os.stat_result:
    """Check that a path names a file that can be read from its beginning, as often as need be.

    A pipe gives its content once, a device gives what it likes, and both can wait for ever.

    Parameters
    ----------
    path : path
        What the user named.
    expected : str
        What should be there, such as ``"a video file"``.
    error : type
        The kind of error to raise.

    Returns
    -------
    os.stat_result
        Of the file, links followed.

    Raises
    ------
    InputError
        If there is nothing of that name, it cannot be looked at, or it is no regular file.
    """
    path = Path(path)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise error(f"There is no file {path}.", todo="Check the name and the folder.") from None
    except (OSError, ValueError) as problem:
        raise error(
            f"{str(path)!r} cannot be opened ({reason(problem)}).",
            todo="Check the name and the folder.",
        ) from None
    if stat.S_ISREG(status.st_mode):
        return status
    is_folder = stat.S_ISDIR(status.st_mode)
    raise error(
        f"{path} is not a file.",
        expected=expected,
        got=_KINDS.get(stat.S_IFMT(status.st_mode), "something else"),
        todo=None if is_folder else "Save what comes out of it to a file first, and name that.",
    )


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
