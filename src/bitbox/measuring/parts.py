"""Long arrays on the disk, gone through a part at a time."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

_PART = 500  # frames worked on at once


def parts(mesh: NDArray[Any]) -> Iterator[slice]:
    """Yield slices of some frames each, and let go of the memory of those gone through."""
    for start in range(0, len(mesh), _PART):
        yield slice(start, start + _PART)
        file: Any = mesh.base
        if isinstance(file, mmap.mmap) and hasattr(file, "madvise"):
            file.madvise(mmap.MADV_DONTNEED)
