"""How kernels are compiled: without the interpreter's lock, and kept on disk between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a kernel when it is first called; keep the result beside the module.

    Where the package's own folder is read-only numba keeps it in the user's cache folder (or in
    NUMBA_CACHE_DIR); where nothing at all can be written it is compiled anew in every process.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(F, njit(cache=True, **options)(function))
    except RuntimeError:  # numba found no place to keep it
        return cast(F, njit(**options)(function))
