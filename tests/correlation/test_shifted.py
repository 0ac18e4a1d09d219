from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitbox.correlation import task
from bitbox.correlation.engine import correlate
from bitbox.correlation.shifted import WindowStatistics, each_shift
from bitbox.errors import InputError, ParameterError
from tests.correlation.test_engine import TOLERANCE, make_plan, smooth

#: Mode, and whether lags are one-sided.
KINDS = ("imitation", True), ("imitation", False), ("coordination", False)


def messy(seed: int, frames: int, n: int, d: int) -> np.ndarray:
    """Signals with an offset, gaps, stillness and jumps."""
    rng = np.random.default_rng(seed)
    out = smooth(rng, (frames, n, d))
    kind = rng.integers(5)
    if kind == 1:
        out += 1e6
    if kind == 2:
        out[rng.random((frames, n)) < 0.05] = np.nan
    if kind == 3:
        out[frames // 3 : frames // 2] = 1.0
    if kind == 4:
        out[frames // 2 :] *= 1e-7
    return out


def displaced(x, y, plan, polarity, shift: int) -> np.ndarray:
    """Chosen r, (windows, n1, n2): each window with its margins, and a place of y, cut out.

    By `correlate`, which is compared with plain loops elsewhere.
    """
    needed = plan.n_frames_needed
    one = make_plan(needed, plan.window, 1, plan.max_lag, plan.mode, plan.causal)
    found = []
    for own in range(0, plan.n_places, plan.step):
        place = (own - shift) % plan.n_places
        pieces = x[own : own + needed], y[place : place + needed]
        found.append(correlate(*pieces, one, polarity=polarity, keep_windows=True).values[0])
    return np.array(found)


def compare(got: WindowStatistics, values: np.ndarray, polarity: bool) -> None:
    """Compare the statistics of one shift with those of r, (windows, n1, n2)."""
    good = ~np.isnan(values)
    with np.errstate(all="ignore"):
        r, abs_r = (
            np.where(good, p, 0).sum(axis=0) / good.sum(axis=0) for p in (values, np.abs(values))
        )
    np.testing.assert_array_equal(got.n_valid, good.sum(axis=0))
    # With polarity, where two lags are equally strong, the sign is anybody's.
    np.testing.assert_allclose(got.abs_r, abs_r, atol=TOLERANCE if polarity else 0.1)
    np.testing.assert_allclose(got.r, r, atol=0.1 if polarity else TOLERANCE)


@given(
    seeds=st.tuples(st.integers(0, 999), st.integers(0, 999)),
    shift=st.integers(-150, 150),
    step=st.integers(1, 9),
    d=st.integers(1, 3),
    kind=st.sampled_from(KINDS),
    polarity=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_shift_turns_the_circle_of_places(seeds, shift, step, d, kind, polarity) -> None:
    plan = make_plan(100, 12, step, 3, *kind)
    x, y = messy(seeds[0], 100, 3, d), messy(seeds[1], 100, 3, d)
    values = displaced(x, y, plan, polarity, shift)
    with patch.object(task, "_JOB", 1.0):  # several jobs a stretch
        (got,) = each_shift(x, y, plan, [shift], polarity=polarity)
    compare(got, values, polarity)


@pytest.mark.parametrize("kind", KINDS)
def test_every_shift_has_every_window(kind) -> None:
    rng = np.random.default_rng(5)
    plan = make_plan(80, 9, 4, 2, *kind)
    x, y = smooth(rng, (80, 2)), smooth(rng, (80, 2))
    found = list(each_shift(x, y, plan, np.arange(-3, plan.n_places + 3)))
    assert all((one.n_valid == plan.n_windows).all() for one in found)
    r = np.array([one.r for one in found])
    np.testing.assert_array_equal(r[:6], r[-6:])  # once around
    assert len(np.unique(r[:, 0, 0])) == plan.n_places


@pytest.mark.parametrize("which", [0, 1])
def test_infinity_is_refused_by_its_frame(which) -> None:
    plan = make_plan(100, 12, 5, 3)
    pair = np.random.default_rng(7).standard_normal((2, 100, 3, 1))
    pair[which, 70, 1] = np.inf
    with pytest.raises(InputError, match="frame 70 of signal 1"):
        list(each_shift(*pair, plan, [40]))


def test_no_shift_gives_the_observed_statistics() -> None:
    rng = np.random.default_rng(1)
    plan = make_plan(150, 15, 6, 4)
    x, y = smooth(rng, (150, 5)), smooth(rng, (150, 5))
    observed = correlate(x, y, plan)
    (got,) = each_shift(x, y, plan, [0])
    np.testing.assert_allclose(got.r, observed.mean, atol=TOLERANCE)
    np.testing.assert_allclose(got.abs_r, observed.mean_abs, atol=TOLERANCE)


def test_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(2)
    plan = make_plan(900, 15, 6, 4)
    x, y = smooth(rng, (900, 5)), smooth(rng, (900, 5))
    one, two = (list(each_shift(x, y, plan, np.arange(20, 60), threads=n)) for n in (1, 3))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.r, b.r)


def test_shifts_are_whole_frames() -> None:
    x = np.zeros((100, 2))
    for wrong in ([0.5], [[1]]):
        with pytest.raises(ParameterError, match="whole numbers"):
            list(each_shift(x, x, make_plan(100, 15, 6, 4), wrong))
