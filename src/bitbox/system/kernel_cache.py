"""Compiled kernels are kept on disk where that can be done; trouble there only costs time.

What numba keeps for the next process may be damaged, on a full disk, or somebody else's, and two
processes may write it at once. So each entry holds what it is of and a hash; one that does not
agree is as good as none, and the kernel is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])


def fingerprint(folder: Path) -> str:
    """Return what changes when any source file of a folder does.

    Numba keeps compiled code under a function's name, and looks only at the file that it is in; but
    kernels contain functions of other files. So this belongs into their names.
    """
    mark = 0
    for file in sorted(folder.glob("*.py")):
        mark = zlib.crc32(file.read_bytes(), mark)
    return f"{mark:08x}"


def compiled(function: F, **options: Any) -> F:
    """Compile a function when it is first called, and keep the result if that can be done.

    Parameters
    ----------
    function : callable
        What numba can compile.
    **options
        For `numba.njit`.

    Notes
    -----
    It is kept beside the module, or in the user's cache folder where that is read-only, or in the
    folder that NUMBA_CACHE_DIR names; where nothing can be written it is compiled by every process.
    """
    made: Any = njit(**options)(function)
    # Numba has no public way to be given a cache: `cache=True`, and `enable_caching`, always make
    # its own, which runs whatever bytes it finds, and fails on a full disk or a damaged index.
    # NUMBA_CACHE_LOCATOR_CLASSES only says where it lies, for all of a process.
    with contextlib.suppress(RuntimeError):  # numba found no place to keep it
        made._cache = _Cache(function)
    return cast(F, made)


def is_kept(kernel: Callable[..., Any]) -> bool:
    """Tell whether something of a kernel is kept: as a rule it then needs no compiling.

    True, too, where nothing can be kept: nobody else could compile it for this process.
    """
    cache = getattr(kernel, "_cache", None)
    return not isinstance(cache, _Cache) or cache.path.exists()


class _Entries(IndexDataCacheFile):  # type: ignore[misc]  # numba has no types
    """The entries of one function, each with what it is of and a hash."""

    def save(self, key: Any, data: Any) -> None:
        content = self._dump(data)
        entry = (key, self._source_stamp, hashlib.sha256(content).digest(), content)
        try:
            super().save(key, entry)
        except OSError:
            raise
        except Exception:  # noqa: BLE001  a damaged index fails as it likes
            self.flush()
            super().save(key, entry)

    def load(self, key: Any) -> Any:
        try:
            entry = super().load(key)
            if entry is None:
                return None
            of, stamp, digest, content = entry
            if (of, stamp) != (key, self._source_stamp):
                return None  # of another function: a process was killed, or two wrote at once
            if hashlib.sha256(content).digest() != digest:
                return None
            return pickle.loads(content)  # noqa: S301  as numba itself does
        except Exception:  # noqa: BLE001  a damaged entry fails as it likes
            return None


class _Cache(FunctionCache):  # type: ignore[misc]  # numba has no types
    """Numba's own, but for trouble with the disk."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp: Any = self._impl.locator.get_source_stamp()
        self._cache_file: Any = _Entries(self._cache_path, self._impl.filename_base, stamp)

    @property
    def path(self) -> Path:
        """The file that lists what is kept."""
        return Path(self._cache_path) / f"{self._impl.filename_base}.nbi"

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # full, or no longer ours
            super().save_overload(sig, data)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        with contextlib.suppress(OSError):
            return super().load_overload(sig, target_context)
        return None
