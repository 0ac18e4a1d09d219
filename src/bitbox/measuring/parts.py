"""Long arrays on the disk, gone through a part at a time.

What is looked at stays mapped until it is let go of. So a long array is never asked for one column
or for some rows of all of it at once: that would bring nearly all of it into memory.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PART = 500  # frames worked on at once


def parts(array: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of some frames each, and let go of the memory of those gone through."""
    for start in range(0, len(array), _PART):
        yield slice(start, start + _PART)
        _let_go(array)


def rows(array: NDArray[Any], wanted: NDArray[np.intp]) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield copies of some wanted rows each, with their places among these."""
    for part in parts(wanted):
        values = array[wanted[part]]
        _let_go(array)
        yield part, values


def picked(array: NDArray[Any], wanted: NDArray[np.intp]) -> NDArray[Any]:
    """Return a copy of wanted rows."""
    found = np.empty((len(wanted), *array.shape[1:]), dtype=array.dtype)
    for part, values in rows(array, wanted):
        found[part] = values
    return found


def spread(frames: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of some frames, spread evenly."""
    return frames[:: max(1, -(-len(frames) // most))]


def is_finite(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell for each row whether it begins with a number, as rows that are not missing do."""
    flat = array.reshape(len(array), -1)
    return np.concatenate([np.zeros(0, bool), *(np.isfinite(flat[p, 0]) for p in parts(array))])


def _let_go(array: NDArray[Any]) -> None:
    file: Any = array.base
    if isinstance(file, mmap.mmap) and hasattr(file, "madvise"):
        file.madvise(mmap.MADV_DONTNEED)
