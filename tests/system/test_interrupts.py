"""What a signal ends, and when."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from bitbox.system.interrupts import Stopped, ending_in_order


@pytest.mark.parametrize(
    "file", ["<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"]
)
def test_python_importing_is_not_interrupted_but_right_after(file: str) -> None:
    """It may hold the lock of all imports then, and other threads would wait for ever."""
    source = """
def holding_a_lock():
    signal.raise_signal(signal.SIGTERM)
    steps.append("lock given back")
"""
    steps: list[str] = []
    names: dict[str, Any] = {"signal": signal, "steps": steps}
    exec(compile(source, file, "exec"), names)  # noqa: S102
    with pytest.raises(Stopped) as stopped, ending_in_order():  # noqa: PT012
        names["holding_a_lock"]()
        assert steps == ["lock given back"]
        time.sleep(60)
    assert stopped.value.number == signal.SIGTERM


def test_anything_else_is_interrupted_at_once() -> None:
    with pytest.raises(Stopped), ending_in_order():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("went on")
