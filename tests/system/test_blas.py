"""BLAS uses one thread from the first that asks until the last has left."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from bitbox.system.blas import one_blas_thread


def threads() -> set[int]:
    others = ("opencv", "scipy")
    return {
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas" and not any(o in library["filepath"] for o in others)
    }


@pytest.fixture(autouse=True)
def two_threads():
    np.ones((4, 4)) @ np.ones((4, 4))
    with threadpool_limits(2, "blas"):
        if threads() != {2}:
            pytest.skip("this BLAS cannot be told how many threads to use")
        yield


def test_whoever_leaves_first_leaves_the_setting_to_the_other() -> None:
    first, second = contextlib.ExitStack(), contextlib.ExitStack()
    first.enter_context(one_blas_thread())
    second.enter_context(one_blas_thread())
    first.close()
    assert threads() == {1}
    second.close()
    assert threads() == {2}


def test_an_error_takes_it_back_and_it_can_be_used_again() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), one_blas_thread():
            raise ValueError("inside")
        assert threads() == {2}


BESIDE_A_LOADER = """
import _ctypes, shutil, sys, threading, time
from bitbox.system.blas import one_blas_thread

library = shutil.copy(_ctypes.__file__, sys.argv[1])  # one that is new to the process
end = time.monotonic() + 2
sys.setswitchinterval(1e-6)

def load():
    while time.monotonic() < end:
        _ctypes.dlclose(_ctypes.dlopen(library, 0))

def limit():
    while time.monotonic() < end:
        with one_blas_thread():
            pass

threads = [threading.Thread(target=work, daemon=True) for work in (load, limit)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
raise SystemExit(any(thread.is_alive() for thread in threads))
"""


def test_it_never_waits_for_a_thread_that_loads_a_library(tmp_path: Path) -> None:
    """The loader's lock and Python's were taken in either order, so a run could stand still."""
    command = [sys.executable, "-c", BESIDE_A_LOADER, str(tmp_path / "library.so")]
    assert subprocess.run(command, timeout=120).returncode == 0
