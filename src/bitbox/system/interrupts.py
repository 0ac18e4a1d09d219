"""How a run ends when it is told to: by Ctrl-C, by a terminating signal, by a closed terminal."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeAlias

_Handler: TypeAlias = "Callable[[int, FrameType | None], Any] | int | None"

#: Interrupted, terminated, hung up. Windows knows no SIGHUP.
ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_BURST = 1.0  # seconds in which further signals are of the same wish to end
_AGAIN = 0.01  # seconds until a signal that came at a bad moment is sent again


class Stopped(KeyboardInterrupt):
    """The process was told to end; it tidies up and does.

    Parameters
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """130 for an interrupt, 143 for a termination, 129 where the terminal was closed."""
        return 128 + self.number


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Raise `Stopped` in the main thread when a signal asks for the end.

    An interrupt does so even if whoever started the process had it ignored, as shells do for what
    runs in the background. A hang-up that is ignored, as by ``nohup``, stays so. Signals that come
    within a second of one that was heard (shells and terminals send several) are not heard, since
    they would only disturb the tidying up. One that finds Python's import machinery at work is
    heard a moment later: an exception between taking its lock and being ready to give it back would
    let every other thread that imports wait for ever.
    """
    heard: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
            _send_again(number)
            return
        now = time.monotonic()
        if not heard or now - heard[-1] > _BURST:
            heard.append(now)
            raise Stopped(number)

    former: dict[int, _Handler] = {}
    try:
        for number in ENDING:
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                former[number] = signal.signal(number, stop)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _send_again(number: int) -> None:
    """Send a signal to the main thread in a moment, from a thread that keeps nothing waiting."""
    main = threading.main_thread().ident

    def send() -> None:
        if hasattr(signal, "pthread_kill") and main is not None:
            signal.pthread_kill(main, number)
        else:
            signal.raise_signal(number)

    later = threading.Timer(_AGAIN, send)
    later.daemon = True
    later.start()


@contextlib.contextmanager
def held_off() -> Iterator[None]:
    """Let no signal end the block; one that comes meanwhile is heard right after it.

    Notes
    -----
    Only the main thread hears signals, so in any other there is nothing to hold off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    former: dict[int, _Handler] = {}
    try:
        for number in ENDING:
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):
                former[number] = handler
                signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
