"""How kernels are compiled: without the interpreter's lock, and kept on disk between runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bitbox.system.kernel_cache import compiled as kept
from bitbox.system.kernel_cache import fingerprint

F = TypeVar("F", bound=Callable[..., Any])


FINGERPRINT = fingerprint(Path(__file__).parent)


def part(function: F) -> F:
    """Compile a function that only kernels call, without what Python needs to call it.

    That would be a third of the work for one with many arrays.
    """
    return _compiled(function, {"no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def kernel(function: F) -> F:
    """Compile a kernel when it is first called; keep the result beside the module.

    Where the package's own folder is read-only numba keeps it in the user's cache folder (or in
    NUMBA_CACHE_DIR); where nothing at all can be written it is compiled anew in every process.
    """
    return _compiled(function, {"no_cfunc_wrapper": True})


def _compiled(function: F, options: dict[str, Any]) -> F:
    function.__qualname__ = f"{function.__qualname__}_{FINGERPRINT}"
    return kept(function, nogil=True, error_model="numpy", **options)
