"""Memory that is free does not stay with the process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from bitbox.system import memory
from bitbox.system.memory import give_back


def held() -> int:
    """Return how many bytes the process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


@pytest.mark.skipif(memory._trim() is None, reason="the C library is not glibc")
def test_free_memory_goes_back_to_the_system() -> None:
    # smaller than what the library maps apart, and every other one stays
    small = [np.ones(8000) for _ in range(4000)]
    kept = small[::2]
    full = held()
    del small
    give_back()
    assert full - held() > 60e6
    assert all(array[0] == 1 for array in kept)


def test_another_c_library_has_nothing_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    memory._trim.cache_clear()
    assert memory._trim() is None
    give_back()
    memory._trim.cache_clear()


def test_a_command_that_ends_looks_through_nothing() -> None:
    code = """
        import gc, sys
        from bitbox.__main__ import main
        sys.argv = ["bitbox", "--version"]
        try:
            main()
        except SystemExit:
            print(gc.get_freeze_count() > 10_000, len(gc.get_objects()) < 1000)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True True"
