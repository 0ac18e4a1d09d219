"""One thread for BLAS: sums that are shared out among threads depend on how many there are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_restore = contextlib.ExitStack()


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread, so that results do not depend on the number of cores.

    The setting is that of the whole process. The first to come makes it, and the last to leave
    takes it back, since what is done side by side neither starts nor ends together.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _limit()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _restore.close()


def _limit() -> None:
    # SciPy brings a BLAS of its own, which nothing here calls.
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    _restore.enter_context(threadpool_limits(1, "blas"))
