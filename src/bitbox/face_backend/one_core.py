"""One core for each recording that is tracked: small images and matrices, on all cores, lose time.

OpenCV and BLAS by themselves split every call among all cores. A face is so small that waiting for
the other cores costs more processor time than it saves, and these are busy with the other video of
a pair.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_restore = contextlib.ExitStack()


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Let OpenCV and BLAS use one thread.

    The setting is that of the whole process. The first to come makes it, and the last to leave
    takes it back, since recordings that are tracked side by side neither start nor end together.
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
    import cv2
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    _restore.callback(cv2.setNumThreads, cv2.getNumThreads())
    cv2.setNumThreads(1)
    _restore.enter_context(threadpool_limits(1, "blas"))
