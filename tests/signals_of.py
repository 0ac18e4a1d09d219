"""Signals made of numbers, for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.signals import Signals


def named(values: NDArray[np.float64], fps: float = 30.0) -> Signals:
    """Return units u0, u1, ... of these values, (T, n), in a schema of their own."""
    return Signals(
        values=values,
        time=np.arange(len(values)) / fps,
        names=tuple(f"u{k}" for k in range(values.shape[1])),
        kind="expression",
        schema="own",
        units="au",
        backend="test",
    )
