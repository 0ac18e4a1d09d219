"""One thread for BLAS: sums that are shared out among threads depend on how many there are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import numpy  # noqa: ICN001, F401  its BLAS is to be found below
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

# NumPy's BLAS; SciPy brings one of its own, which nothing here calls. It is looked for once, when
# this is imported, not by a thread at work: the search holds the lock of the system's loader while
# it calls Python, so beside a thread that is just loading a library both would wait for ever.
_BLAS = ThreadpoolController().select(user_api="blas")
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
            _restore.enter_context(_BLAS.limit(limits=1))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _restore.close()
