"""MediaPipe starts without a word to the user."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_CHATTER = (
    "Created TensorFlow Lite XNNPACK delegate",
    "All log messages before absl::InitializeLog()",
    "GPU suport is not available",
    "inference_feedback_manager.cc",
    "landmark_projection_calculator.cc",
)
_starting = threading.Lock()


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Let one thread at a time start MediaPipe, and keep its messages from the user."""
    with _starting, _without_chatter():
        yield


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep the start-up messages of MediaPipe's C++ part from the user; pass on all others.

    They are written to the file descriptor itself, before any logging set-up is heard, so what
    comes through it meanwhile is kept back, and what is not known chatter is written afterwards.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no standard error: nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file.read().splitlines(keepends=True):
                if not any(known in line.decode(errors="replace") for known in _CHATTER):
                    os.write(2, line)
