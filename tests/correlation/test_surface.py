from __future__ import annotations

import math

import numpy as np
import pytest

from bitbox.correlation.engine import correlate
from bitbox.correlation.surface import LagSurface, lag_surface
from bitbox.errors import ParameterError
from tests import naive
from tests.correlation.test_engine import TOLERANCE, make_plan, smooth


@pytest.mark.parametrize("mode", ["imitation", "coordination"])
def test_every_lag_is_that_of_the_definition(mode) -> None:
    rng = np.random.default_rng(0)
    x, y = smooth(rng, (40, 2, 2)), smooth(rng, (40, 3, 2))
    x[5, 0], y[20:24, 1] = np.nan, np.nan
    plan = make_plan(40, 8, 9, 2, mode, causal=False)
    pairs = [(0, 1), (1, 2)]
    got = lag_surface(x, y, pairs, plan, threads=2)
    for w, q, p in np.ndindex(got.r.shape):
        i, j = pairs[p]
        every = naive.at_lag(x, y, i, j, plan.starts[w], 8, 2, plan.lags[q], mode)
        expected = max(every, key=lambda r: -1 if math.isnan(r) else abs(r))
        np.testing.assert_allclose(got.r[w, q, p], expected, atol=TOLERANCE)


def test_the_largest_is_what_correlate_chooses() -> None:
    rng = np.random.default_rng(1)
    x, y = smooth(rng, (100, 2)), smooth(rng, (100, 2))
    plan = make_plan(100, 12, 5, 4)
    surface = lag_surface(x, y, [(0, 0), (0, 1), (1, 0), (1, 1)], plan)
    values = correlate(x, y, plan, keep_windows=True).values
    np.testing.assert_allclose(
        np.abs(surface.r).max(axis=1), np.abs(values).reshape(-1, 4), atol=TOLERANCE
    )


def surface_of(*rows) -> LagSurface:
    r = np.array(rows, dtype=float)[:, :, None]
    lag = (r.shape[1] - 1) // 2
    plan = make_plan(2 * lag + 10 + len(rows) - 1, 10, 1, lag, causal=False)
    return LagSurface(r, np.array([[0, 0]]), plan)


def test_the_peak_nearest_zero_is_picked_not_the_highest() -> None:
    nan = np.nan
    surface = surface_of(
        [0.1, 0.9, 0.2, 0.3, 0.5, 0.4, 0.0],  # a higher peak farther away
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],  # a slope has no peak
        [0.0, 0.1, 0.5, 0.2, 0.5, 0.1, 0.0],  # equally near: the negative lag
        [nan, nan, nan, nan, nan, nan, nan],
    )
    r, lag = surface.peaks()
    np.testing.assert_allclose(r[:, 0], [0.5, nan, 0.5, nan])
    np.testing.assert_allclose(lag[:, 0] * 25, [1, nan, -1, nan])
    r, lag = surface.peaks(neighbours=2)
    np.testing.assert_allclose(r[:, 0], [0.5, nan, nan, nan])


def test_peaks_need_room() -> None:
    r, _ = surface_of([0.1, 0.5, 0.1]).peaks(neighbours=2)
    assert np.isnan(r).all()
    with pytest.raises(ParameterError, match="neighbours"):
        surface_of([0.1, 0.5, 0.1]).peaks(neighbours=0)


def test_pairs_that_are_not_there_are_refused() -> None:
    x = np.zeros((40, 2))
    with pytest.raises(ParameterError, match="indices below 2 and 2"):
        lag_surface(x, x, [(0, 2)], make_plan(40, 8, 9, 2))
