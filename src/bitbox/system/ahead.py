"""Work that another process does ahead, because this one will need what it leaves on the disk."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from bitbox.errors import BackendError
from bitbox.system.elsewhere import NotStartedError, elsewhere

_working: threading.Thread | None = None


def begin(function: Callable[..., Any]) -> None:
    """Have another process call a function, see `elsewhere`; return at once.

    Where there is no other process nothing is done: whoever needs it does it then.
    """
    global _working

    def work() -> None:
        with contextlib.suppress(NotStartedError, BackendError):
            elsewhere(function, {}, lambda *_: None, lambda _: None)

    _working = threading.Thread(target=work, daemon=True)
    _working.start()


def wait() -> None:
    """Wait until it is done, if anything was begun."""
    if _working is not None:
        _working.join()
