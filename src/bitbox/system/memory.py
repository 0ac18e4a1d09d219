"""Memory that is free is given back to the system, where it would be kept for later."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def give_back() -> None:
    """Give the memory that is free back to the system.

    glibc and Arrow keep what middle-sized arrays took, for the next ones. After something large was
    done, the process would hold that on top of what it does next.
    """
    gc.collect()
    arrow: Any = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`, if that is the C library."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
