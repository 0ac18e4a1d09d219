"""The gain finds the size of a movement in spite of noise."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.statistics.gain import gain, noise_variance

FPS, T, W = 30, 3000, 33


def movement(seed: int, d: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    kernel = np.hanning(31)
    raw = rng.standard_normal((T + 30, d))
    smooth = np.apply_along_axis(np.convolve, 0, raw, kernel, "valid")
    return smooth / smooth.std()


def measured(x: np.ndarray, y: np.ndarray) -> float:
    starts = np.arange(0, T - W, 15)
    return gain(x, y, starts, np.zeros(len(starts), dtype=int), W)


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("true", [0.3, 1.0, 2.0, -0.5])
def test_noise_of_both_leaves_it_unbiased(true: float, noise: float, d: int) -> None:
    rng = np.random.default_rng(7)
    y = movement(1, d)
    x = true * y + noise * rng.standard_normal(y.shape)
    y = y + noise * rng.standard_normal(y.shape)
    assert measured(x, y) == pytest.approx(true, abs=0.03)


def test_noise_variance_is_that_of_white_noise() -> None:
    rng = np.random.default_rng(0)
    y = movement(2) + 0.2 * rng.standard_normal((T, 1))
    assert noise_variance(y) == pytest.approx(0.04, rel=0.1)
    y[100:200] = np.nan
    assert noise_variance(y) == pytest.approx(0.04, rel=0.1)
    assert noise_variance(movement(2)) < 1e-4
    assert noise_variance(y[:5]) == 0


def test_white_movement_is_not_taken_for_noise() -> None:
    y = np.random.default_rng(1).standard_normal((T, 1))
    assert measured(0.5 * y, y) == pytest.approx(0.5)


def test_missing_frames_and_offsets_do_not_matter() -> None:
    y = movement(3)
    x = 0.7 * y + 1e5
    x[500:520] = np.nan
    y[700] = np.nan
    assert measured(x, y) == pytest.approx(0.7, abs=1e-3)


def test_undefined_is_nan() -> None:
    y = movement(4)
    empty = np.array([], dtype=int)
    assert np.isnan(gain(y, y, empty, empty, W))
    assert np.isnan(measured(y, np.ones_like(y)))
