"""How long steps report how far they are."""

from __future__ import annotations

from collections.abc import Callable

#: Called as ``progress(task, done, total)``; `total` is None where it is not known.
Progress = Callable[[str, int, int | None], None]
