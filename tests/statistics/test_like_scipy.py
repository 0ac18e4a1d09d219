"""What is done without SciPy, whose modules take long to load, is what SciPy does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from scipy.stats import false_discovery_control

from bitbox.statistics.inference import false_discovery
from bitbox.statistics.spectra import _power


@pytest.mark.parametrize("k", [1, 2, 40])
def test_false_discovery(k: int) -> None:
    p = np.random.default_rng(k).random(k).round(1).clip(0.1)  # with ties
    np.testing.assert_array_equal(false_discovery(p), false_discovery_control(p))


@pytest.mark.parametrize(("frames", "piece"), [(600, 300), (601, 301), (300, 300), (1000, 255)])
def test_power_spectrum(frames: int, piece: int) -> None:
    walk = np.random.default_rng(0).standard_normal((frames, 3, 2)).cumsum(axis=0)
    _, expected = welch(walk, fs=30.0, nperseg=piece, detrend="linear", axis=0)
    np.testing.assert_allclose(_power(walk, piece, 30.0), expected, rtol=1e-9)
