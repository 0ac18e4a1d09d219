"""One core for each recording that is measured: small images and matrices, on all cores, lose time.

OpenCV and BLAS by themselves split every call among all cores. A face is so small that waiting for
the other cores costs more processor time than it saves, and these are busy with the other video of
a pair. And a sum that is split comes out a little differently for every number of cores.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from bitbox.system.blas import one_blas_thread

_lock = threading.Lock()
_inside = 0
_threads = 1


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Let OpenCV and BLAS use one thread.

    The setting is that of the whole process. The first to come makes it, and the last to leave
    takes it back, since recordings that are measured side by side neither start nor end together.
    """
    import cv2

    global _inside, _threads
    with one_blas_thread():
        with _lock:
            if _inside == 0:
                _threads = cv2.getNumThreads()
                cv2.setNumThreads(1)
            _inside += 1
        try:
            yield
        finally:
            with _lock:
                _inside -= 1
                if _inside == 0:
                    cv2.setNumThreads(_threads)
