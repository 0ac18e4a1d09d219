"""How many cores this process may run on, and what is busy on them beside one another."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

_busy: ContextVar[int] = ContextVar("_busy", default=1)


def cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def beside_others(count: int) -> Iterator[None]:
    """Say that what this thread does meanwhile is one of so many such jobs at once."""
    before = _busy.set(count)
    try:
        yield
    finally:
        _busy.reset(before)


def is_core_left() -> bool:
    """Tell whether there are more cores than jobs: whether a helper of this one would find one."""
    return cores() > _busy.get()
