from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitbox.correlation import jobs
from bitbox.correlation.engine import correlate
from bitbox.correlation.surrogates import (
    WindowStatistics,
    correlate_matched,
    each_surrogate,
    surrogate_statistics,
)
from bitbox.errors import InputError, ParameterError, SchemaError
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
    """Compare the statistics of one surrogate with those of r, (windows, ...)."""
    good = ~np.isnan(values)
    with np.errstate(all="ignore"):
        limited = np.sign(values) * np.minimum(np.abs(values), 1 - 1e-6)
        parts = values, np.abs(values), np.arctanh(limited), np.arctanh(np.abs(limited))
        r, abs_r, fisher, abs_fisher = (
            np.where(good, p, 0).sum(axis=0) / good.sum(axis=0) for p in parts
        )
    np.testing.assert_array_equal(got.n_valid, good.sum(axis=0))
    if polarity:  # where two lags are equally strong the sign is anybody's
        np.testing.assert_allclose(got.abs_r, abs_r, atol=TOLERANCE)
        np.testing.assert_allclose(got.abs_fisher, abs_fisher, atol=1e-2)
        np.testing.assert_allclose(got.r, r, atol=0.1)
    else:
        np.testing.assert_allclose(got.r, r, atol=TOLERANCE)
        np.testing.assert_allclose(got.fisher, fisher, atol=1e-2)  # steep near 1
        np.testing.assert_allclose(got.abs_r, abs_r, atol=0.1)


def only(got: WindowStatistics) -> WindowStatistics:
    """Return the first surrogate."""
    return WindowStatistics(*(getattr(got, name)[0] for name in vars(got)))


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
    with patch.object(jobs, "_JOB", 1.0):  # several jobs a stretch
        every = surrogate_statistics(x, y, plan, shifts=[shift], polarity=polarity, pairs="all")
    compare(only(every), values, polarity)
    matched = surrogate_statistics(x, y, plan, shifts=[shift], polarity=polarity)
    compare(only(matched), np.einsum("wii->wi", values), polarity)


@pytest.mark.parametrize("kind", KINDS)
def test_every_shift_has_every_window(kind) -> None:
    rng = np.random.default_rng(5)
    plan = make_plan(80, 9, 4, 2, *kind)
    x, y = smooth(rng, (80, 2)), smooth(rng, (80, 2))
    shifts = np.arange(-3, plan.n_places + 3)
    found = surrogate_statistics(x, y, plan, shifts=shifts, pairs="all")
    assert (found.n_valid == plan.n_windows).all()
    np.testing.assert_array_equal(found.r[:6], found.r[-6:])  # once around
    assert len(np.unique(found.r[:, 0, 0])) == plan.n_places


@pytest.mark.parametrize("which", [0, 1])
def test_infinity_is_refused_by_its_frame(which) -> None:
    plan = make_plan(100, 12, 5, 3)
    pair = np.random.default_rng(7).standard_normal((2, 100, 3, 1))
    pair[which, 70, 1] = np.inf
    with pytest.raises(InputError, match="frame 70 of signal 1"):
        list(each_surrogate(*pair, plan, shifts=[40]))


@given(seeds=st.tuples(st.integers(0, 999), st.integers(0, 999)), polarity=st.booleans())
@settings(max_examples=20, deadline=None)
def test_matched_pairs_are_the_diagonal(seeds, polarity) -> None:
    x, y = messy(seeds[0], 90, 4, 1), messy(seeds[1], 90, 4, 1)
    for mode in ("imitation", "coordination"):
        plan = make_plan(90, 10, 4, 3, mode, causal=False)
        whole = correlate(x, y, plan, polarity=polarity, keep_windows=True)
        got = correlate_matched(x, y, plan, polarity=polarity)
        diagonal = np.einsum("wii->wi", whole.values)
        score = np.abs if polarity else np.asarray
        np.testing.assert_allclose(score(got.values), score(diagonal), atol=TOLERANCE)
        same = got.lags == np.einsum("wii->wi", whole.lags)
        assert np.mean(same | np.isnan(got.lags)) > 0.97


@pytest.mark.parametrize("mode", ["imitation", "coordination"])
@pytest.mark.parametrize("causal", [True, False])
def test_permuted_windows(mode, causal) -> None:
    rng = np.random.default_rng(0)
    plan = make_plan(120, 12, 7, 3, mode, causal=causal)
    x, y = smooth(rng, (120, 3, 1)), smooth(rng, (120, 3, 1))
    order = rng.permutation(plan.n_windows)
    every = surrogate_statistics(x, y, plan, permutations=[order], pairs="all")
    matched = surrogate_statistics(x, y, plan, permutations=[order])
    np.testing.assert_allclose(np.diagonal(every.abs_r[0]), matched.abs_r[0], atol=TOLERANCE)
    by_hand = np.zeros((3, 3))
    span = np.arange(-plan.max_lag, plan.window + plan.max_lag)
    for w, s in enumerate(plan.starts):
        pieces = [
            np.pad(a, ((0, 9), (0, 0), (0, 0)), constant_values=np.nan)[t + span]
            for a, t in ((x, s), (y, plan.starts[order[w]]))
        ]
        one = make_plan(len(span), plan.window, 1, plan.max_lag, mode, causal)
        got = correlate(*pieces, one, keep_windows=True)
        by_hand += np.abs(got.values[0]) / plan.n_windows
    np.testing.assert_allclose(every.abs_r[0], by_hand, atol=TOLERANCE)


def test_the_identity_gives_the_observed_statistics() -> None:
    rng = np.random.default_rng(1)
    plan = make_plan(150, 15, 6, 4)
    x, y = smooth(rng, (150, 5)), smooth(rng, (150, 5))
    observed = correlate(x, y, plan).mean
    options = {"shifts": [0]}, {"permutations": [np.arange(plan.n_windows)]}
    for option in options:
        every = surrogate_statistics(x, y, plan, pairs="all", **option)
        np.testing.assert_allclose(every.r[0], observed, atol=TOLERANCE)
        matched = surrogate_statistics(x, y, plan, **option)
        np.testing.assert_allclose(matched.r[0], np.diagonal(observed), atol=TOLERANCE)


def test_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(2)
    plan = make_plan(900, 15, 6, 4)
    x, y = smooth(rng, (900, 5)), smooth(rng, (900, 5))
    shifts = np.arange(20, 60)
    one, two = (surrogate_statistics(x, y, plan, shifts=shifts, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.fisher, two.fisher)


def test_without_fisher_the_transformed_statistics_are_missing() -> None:
    rng = np.random.default_rng(3)
    plan = make_plan(100, 15, 6, 4)
    x = smooth(rng, (100, 2))
    (got,) = each_surrogate(x, x, plan, shifts=[7], fisher=False)
    assert np.isnan(got.fisher).all()
    assert not np.isnan(got.r).any()


def test_progress_is_told() -> None:
    rng = np.random.default_rng(4)
    plan = make_plan(300, 15, 6, 4)
    x = smooth(rng, (300, 2))
    seen = []
    surrogate_statistics(x, x, plan, shifts=[9, 30], progress=lambda *a: seen.append(a[1:]))
    assert seen[-1] == (plan.n_windows, plan.n_windows)


def test_senseless_arguments_are_refused() -> None:
    plan = make_plan(100, 15, 6, 4)
    x = np.zeros((100, 2))
    with pytest.raises(ParameterError, match="neither"):
        surrogate_statistics(x, x, plan)
    with pytest.raises(ParameterError, match="both"):
        surrogate_statistics(x, x, plan, shifts=[1], permutations=[[1]])
    with pytest.raises(ParameterError, match="whole numbers"):
        surrogate_statistics(x, x, plan, shifts=[0.5])
    with pytest.raises(ParameterError, match="indices"):
        surrogate_statistics(x, x, plan, permutations=[[0, 1]])
    with pytest.raises(ParameterError, match="'matched' or 'all'"):
        surrogate_statistics(x, x, plan, shifts=[1], pairs="some")
    with pytest.raises(SchemaError, match="matched"):
        surrogate_statistics(x, np.zeros((100, 3)), plan, shifts=[1])
