"""MediaPipe without Matplotlib: it imports that to draw, and nothing here draws with it."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        _remove(self.__name__)
        return getattr(importlib.import_module(self.__name__), name)


@contextlib.contextmanager
def without_drawing() -> Iterator[None]:
    """Give Matplotlib to what is imported meanwhile only when it draws."""
    late = [] if "matplotlib" in sys.modules else ["matplotlib", "matplotlib.pyplot"]
    for name in late:
        sys.modules[name] = _Later(name)
        top, _, part = name.rpartition(".")
        if top:
            setattr(sys.modules[top], part, sys.modules[name])
    try:
        yield
    finally:
        for name in late:
            _remove(name)


def _remove(name: str) -> None:
    """Let the module itself be imported from now on."""
    top = name.partition(".")[0]
    for own in [own for own in sys.modules if own.partition(".")[0] == top]:
        if isinstance(sys.modules[own], _Later):
            del sys.modules[own]
