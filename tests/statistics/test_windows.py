"""The table of best correlations against the plain loops of naive.py."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from bitbox.correlation.geometry import register_file
from bitbox.correlation.plan import WindowPlan
from bitbox.statistics import filters, kernels
from bitbox.statistics.surrogates import circular_places
from bitbox.statistics.windows import Pair, Rule, Windows, mean_over, still
from tests import naive

T = 240


@njit
def largest(registers, values, at):  # type: ignore[no-untyped-def]
    return filters.largest(registers, values, at)


def recording(seed: int, d: int) -> np.ndarray:
    """A random walk with gaps, a pause and a scattering of lost frames."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_normal((T, d)), axis=0) + 1e4
    walk[50:60] = np.nan
    walk[100:130] = walk[100]
    walk[rng.random(T) < 0.05] = np.nan
    return walk


def chosen_naively(x, y, plan: WindowPlan, polarity: bool) -> tuple[np.ndarray, np.ndarray]:
    pairs = [
        naive.choose(
            x[:, None],
            y[:, None],
            0,
            0,
            int(start),
            plan.window,
            plan.max_lag,
            causal=plan.causal,
            polarity=polarity,
        )
        for start in plan.starts
    ]
    r, lag = np.array(pairs).T
    return r, lag


@pytest.mark.parametrize("polarity", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("d", [1, 2])
def test_what_is_observed_is_the_definition(d: int, causal: bool, polarity: bool) -> None:
    x, y = recording(1, d), recording(2, d)
    plan = WindowPlan.from_seconds(T, 30, width=0.6, step=0.3, lag=0.2, causal=causal)
    pair = Pair(x, y, Rule.make(plan, polarity, 0.8))
    r, lag = chosen_naively(x, y, plan, polarity)
    found, found_lag = pair.observed()
    assert 0 < np.isfinite(r).sum() < len(r)
    assert_allclose(found, r, atol=1e-9)
    assert_array_equal(found_lag, lag)


@pytest.mark.parametrize("polarity", [True, False])
def test_a_shift_in_the_table_is_a_shift_of_the_recording(polarity: bool) -> None:
    x, y = recording(3, 1), recording(4, 1)
    plan = WindowPlan.from_seconds(T, 30, width=0.6, step=0.3, lag=0.2)
    pair = Pair(x, y, Rule.make(plan, polarity, 0.8))
    pair.x_still[:] = False
    for shift in (30, 101):
        places = circular_places(plan, np.array([shift]))
        # y moved within the recording, and y from its last places: windows before and after shift
        late, early = np.roll(y, shift, axis=0), np.roll(y, shift - plan.n_places, axis=0)
        later = plan.starts - plan.max_lag >= shift
        assert 0 < later.sum() < plan.n_windows
        r = np.where(later, *(chosen_naively(x, a, plan, polarity)[0] for a in (late, early)))
        r = np.abs(r) if polarity else r
        mean, count = mean_over(pair, places)
        kept = np.isfinite(r)
        assert count[0] == kept.sum()
        assert_allclose(mean[0], r[kept].mean(), atol=1e-9)


def test_an_offset_costs_no_accuracy() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, T, 1))
    plan = WindowPlan.from_seconds(T, 30, width=0.6, lag=0.2)
    rule = Rule.make(plan, False, 0.8)
    near, _ = Pair(x, y, rule).observed()
    far, _ = Pair(x + 1e6, y - 1e6, rule).observed()
    assert_allclose(far, near, atol=1e-8)


def test_windows_in_which_neither_moves_do_not_count() -> None:
    t = np.arange(T) / 30
    # the two share the flicker of a lamp, and nothing else; x moves once, y at another time
    flicker = 0.01 * np.sin(2 * np.pi * 7 * t)
    x = (flicker + np.where((t > 1) & (t < 2), np.sin(np.pi * (t - 1)) ** 2, 0))[:, None]
    y = (flicker + np.where((t > 5) & (t < 6), np.sin(np.pi * (t - 5)) ** 2, 0))[:, None]
    plan = WindowPlan.from_seconds(T, 30, width=0.5, step=0.25, lag=0.0)
    rule = Rule.make(plan, False, 0.8)
    pair = Pair(x, y, rule)
    r, _ = pair.observed()
    assert np.nanmedian(r) > 0.99  # what would be called a perfect match
    counted, n = mean_over(pair, rule.own_places[None])
    moving = [
        i
        for i, s in enumerate(plan.starts)
        if max(np.std(x[s : s + 15]), np.std(y[s : s + 15])) > 0.05
    ]
    assert n[0] <= len(moving) + 4
    assert counted[0] < 0.6
    both = pair.x_still & pair.y_still[rule.own_places]
    assert both.sum() == plan.n_windows - n[0] > plan.n_windows / 2


def test_stillness_is_relative_and_drift_does_not_hide_it() -> None:
    movement = np.concatenate([np.full(80, 0.01), np.full(20, 1.0)])
    assert_array_equal(still(movement), movement < 0.05)
    assert_array_equal(still(1000 * movement), still(movement))
    assert not still(np.ones(10)).any()
    assert not still(np.full(5, np.nan)).any()


def test_a_window_with_a_gap_is_not_complete() -> None:
    x = np.arange(30.0)[:, None]
    x[4] = np.nan
    rule = Rule.make(WindowPlan.from_seconds(30, 10, width=1.0, lag=0.5), False, 0.8)
    windows = Windows(x, rule)
    _, present, usable, starts, _ = windows.as_x
    assert_array_equal(starts, [5, 10, 15, 20])
    assert usable.all()
    assert present.all()
    first = [np.nanstd(x[s : s + 10]) for s in range(21)]
    assert_allclose(windows.movement, first)
    assert_array_equal(windows.as_y[5], [4])
    before = windows.as_y[6]
    assert_array_equal(before[:31], np.arange(31) > 4)  # the same at all later frames


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 13, 20])
@pytest.mark.parametrize("signless", [False, True])
def test_the_largest_of_some_values(width: int, signless: bool) -> None:
    values = np.random.default_rng(0).standard_normal(20 + kernels.PAD)
    values[3:7], registers = np.nan, register_file()
    for first in range(20 - width + 1):
        some = values[first : first + width]
        expected = np.fmax.reduce(np.abs(some) if signless else some, initial=-np.inf)
        assert largest(registers, values, (first, width, int(signless))) == expected


@pytest.mark.parametrize("polarity", [True, False])
def test_few_places_give_what_all_of_them_give(polarity: bool) -> None:
    """Of long recordings only the places that shifts need are computed."""
    x, y = recording(7, 1), recording(8, 1)
    plan = WindowPlan.from_seconds(T, 30, width=0.6, step=0.3, lag=0.2)
    pair = Pair(x, y, Rule.make(plan, polarity, 0.8))
    many = circular_places(plan, np.arange(30, 190, 2))
    few = np.array([3, 40, 77])
    assert len(few) * (plan.max_lag + 1 + kernels._OVERHEAD) < plan.n_places
    assert len(many) * (plan.max_lag + 1 + kernels._OVERHEAD) > plan.n_places
    mean, count = mean_over(pair, many)
    found, found_count = mean_over(pair, many[few])
    assert_array_equal(found_count, count[few])
    assert_allclose(found, mean[few], atol=1e-12)


def test_the_same_movement_gives_the_same_bits_wherever_it_lies() -> None:
    """A surrogate that is as good as what was observed counts as such, however it is computed."""
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((T, 1)), np.tile(rng.standard_normal((40, 1)), (6, 1))
    plan = WindowPlan.from_seconds(T, 30, width=0.7, step=0.3, lag=0.2)
    pair = Pair(x, y, Rule.make(plan, False, 0.8))
    places = np.repeat(np.arange(plan.n_places)[:, None], plan.n_windows, axis=1)
    everywhere, _ = mean_over(pair, places)
    assert_array_equal(everywhere[40:], everywhere[:-40])
    for place in (3, 40, 77, 180):
        assert mean_over(pair, places[place : place + 1])[0] == everywhere[place]
