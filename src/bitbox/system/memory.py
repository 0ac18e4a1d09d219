"""Memory: what is free is given back, and a process of one job seldom looks for garbage."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

#: So many new objects are made before Python looks for garbage among them; and so often it does,
#: before it looks among older ones as well.
_MANY, _OFTEN = 50_000, 20


def collect_seldom() -> None:
    """Let Python seldom look for garbage: at the start of a process that does one thing and ends.

    Some 200,000 objects are made by imports, and stay. To look through all of them time and again
    while they become more takes longer than to write a report.
    """
    gc.set_threshold(_MANY, _OFTEN)


def collect_no_more() -> None:
    """Let nothing be looked through as the process ends: all that it has goes with it."""
    gc.freeze()


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
