from __future__ import annotations

import numpy as np
import pytest
from benchmarks.data import main_plan, pair
from hypothesis import given, settings
from hypothesis import strategies as st

from bitbox.correlation import careful
from bitbox.correlation.engine import correlate
from bitbox.correlation.geometry import float32_limit
from bitbox.correlation.plan import WindowPlan
from bitbox.errors import InputError, ParameterError, SchemaError
from tests import naive

TOLERANCE = 2e-6


def make_plan(n, width, step, lag, mode="imitation", causal=True) -> WindowPlan:
    return WindowPlan(n, 25.0, width, step, lag, mode, causal and mode == "imitation")


def check(x, y, plan, polarity=True, min_valid=0.8, **options):
    """Compare the engine with the loops: values, the lags they stand for, and the statistics."""
    got = correlate(
        x, y, plan, polarity=polarity, min_valid=min_valid, keep_windows=True, **options
    )
    values, lags = naive.correlate(
        x, y, plan.window, plan.step, plan.max_lag, plan.mode, plan.causal, polarity, min_valid
    )
    values, lags = np.array(values), np.array(lags)
    mine = np.rint(got.lags * plan.fps)
    np.testing.assert_array_equal(np.isnan(got.values), np.isnan(values))
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(values))
    score = np.abs if polarity else np.asarray
    np.testing.assert_allclose(score(got.values), score(values), rtol=0, atol=TOLERANCE)
    assert np.nanmax(np.abs(got.values), initial=0) <= 1
    for w, i, j in np.argwhere((mine != lags) & ~np.isnan(values)):
        near = naive.at_lag(
            x, y, i, j, plan.starts[w], plan.window, plan.max_lag, int(mine[w, i, j]), plan.mode,
            min_valid,
        )  # fmt: skip
        assert np.nanmin(np.abs(np.array(near) - got.values[w, i, j])) <= TOLERANCE
    check_statistics(got)
    alone = correlate(x, y, plan, polarity=polarity, min_valid=min_valid, **options)
    np.testing.assert_array_equal(alone.n_valid, got.n_valid)
    np.testing.assert_allclose(alone.mean_abs, got.mean_abs, rtol=0, atol=TOLERANCE)
    return got


def check_statistics(got) -> None:
    for i, j in np.ndindex(got.mean.shape):
        mean, std, count = naive.statistics(got.values[:, i, j])
        lag, _, _ = naive.statistics(got.lags[:, i, j])
        np.testing.assert_allclose(got.mean[i, j], mean, rtol=0, atol=1e-7)
        np.testing.assert_allclose(got.std[i, j], std, rtol=0, atol=1e-6)
        np.testing.assert_allclose(got.lag[i, j], lag, rtol=0, atol=1e-9)
        assert got.n_valid[i, j] == count


def smooth(rng: np.random.Generator, shape) -> np.ndarray:
    """Autoregressive noise of unit variance, roughly."""
    out = rng.standard_normal(shape)
    for t in range(1, shape[0]):
        out[t] = 0.8 * out[t - 1] + 0.6 * out[t]
    return out


@st.composite
def cases(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n1, n2, d = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    width, step, lag = draw(st.integers(3, 9)), draw(st.integers(1, 5)), draw(st.integers(0, 3))
    mode = draw(st.sampled_from(["imitation", "coordination"]))
    plan = make_plan(
        width + 2 * lag + draw(st.integers(0, 12)), width, step, lag, mode, draw(st.booleans())
    )
    x, y = smooth(rng, (plan.n_frames, n1, d)), smooth(rng, (plan.n_frames, n2, d))
    for data in (x, y):
        data *= 10.0 ** draw(st.integers(-8, 8))
        data += draw(st.sampled_from([0.0, 1.0, 1e3, 1e6]))
        if draw(st.booleans()):
            data[rng.random(data.shape) < draw(st.sampled_from([0.02, 0.1, 0.5]))] = np.nan
        if draw(st.booleans()):
            data[rng.random(len(data)) < draw(st.sampled_from([0.02, 0.1]))] = np.nan
        if draw(st.booleans()):
            start = rng.integers(plan.n_frames)
            data[start : start + rng.integers(12)] = data[start]
        if draw(st.booleans()):
            data[rng.integers(plan.n_frames) :] *= 10.0 ** draw(st.integers(-7, 7))
    return x, y, plan, draw(st.booleans()), draw(st.sampled_from([0.8, 0.5, 1.0, 0.0]))


@given(cases())
@settings(max_examples=200, deadline=None)
def test_engine_equals_the_definition(case) -> None:
    x, y, plan, polarity, min_valid = case
    check(x, y, plan, polarity, min_valid)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_small_integers_full_of_ties_and_stillness(data) -> None:
    width, lag = data.draw(st.integers(3, 5)), data.draw(st.integers(0, 2))
    mode = data.draw(st.sampled_from(["imitation", "coordination"]))
    plan = make_plan(width + 2 * lag + 3, width, 1, lag, mode, data.draw(st.booleans()))
    number = st.sampled_from([0.0, 0.0, 1.0, 1.0, -1.0, np.nan])
    shape = (plan.n_frames, 2, 1)
    x, y = (
        np.array(data.draw(st.lists(number, min_size=n, max_size=n))).reshape(shape)
        for n in [plan.n_frames * 2] * 2
    )
    check(x, y, plan, data.draw(st.booleans()), data.draw(st.sampled_from([0.8, 0.5])))


@pytest.mark.parametrize("polarity", [True, False])
def test_an_exact_tie_goes_to_the_lag_nearest_zero_then_the_negative(polarity) -> None:
    rng = np.random.default_rng(0)
    y = np.tile(rng.standard_normal(4), 10)[:, None]
    plan = make_plan(40, 8, 3, 6, causal=False)
    for shift, expected in [(0, 0), (1, -1), (2, -2), (3, 1)]:
        x = np.roll(y, shift, axis=0)
        got = correlate(x, y, plan, polarity=polarity, keep_windows=True)
        np.testing.assert_array_equal(np.rint(got.lags * plan.fps), expected)


def test_negative_lag_means_that_the_participant_follows() -> None:
    rng = np.random.default_rng(1)
    model = smooth(rng, (300, 2))
    participant = np.roll(model, 5, axis=0)
    got = correlate(participant[20:], model[20:], make_plan(280, 30, 15, 8, causal=False))
    np.testing.assert_allclose(np.diag(got.lag), -5 / 25)
    np.testing.assert_allclose(np.diag(got.mean), 1, atol=TOLERANCE)


def test_swapping_the_roles_negates_the_lags() -> None:
    rng = np.random.default_rng(2)
    x, y = smooth(rng, (200, 3)), smooth(rng, (200, 4))
    for mode in ("imitation", "coordination"):
        plan = make_plan(200, 20, 7, 5, mode, causal=False)
        if mode == "imitation":
            continue  # the window stays with the first argument
        one, two = correlate(x, y, plan), correlate(y, x, plan)
        np.testing.assert_allclose(one.mean, two.mean.T, atol=TOLERANCE)
        np.testing.assert_allclose(one.lag, -two.lag.T, atol=1e-6)


def test_affine_changes_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    x, y = smooth(rng, (200, 3)), smooth(rng, (200, 4))
    plan = make_plan(200, 20, 7, 5)
    one = correlate(x, y, plan, keep_windows=True)
    two = correlate(-3e4 * x + 1e6, 1e-3 * y - 7, plan, keep_windows=True)
    np.testing.assert_allclose(one.values, -two.values, atol=TOLERANCE)


def test_rotating_vectors_together_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    x, y = smooth(rng, (200, 3, 2)), smooth(rng, (200, 4, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    plan = make_plan(200, 20, 7, 5)
    one, two = correlate(x, y, plan), correlate(x @ turn, y @ turn, plan)
    np.testing.assert_allclose(one.mean, two.mean, atol=TOLERANCE)


def test_a_still_signal_is_undefined_everywhere() -> None:
    rng = np.random.default_rng(5)
    x, y = smooth(rng, (100, 2)), smooth(rng, (100, 2))
    x[:, 0] = 0.1 + 0.2
    x[::2, 0] = 0.3
    got = correlate(x, y, make_plan(100, 10, 5, 3), keep_windows=True)
    for part in (got.mean, got.std, got.lag, got.values[:, 0], got.lags[:, 0]):
        assert np.isnan(part[0] if part.shape == (2, 2) else part).all()
    assert got.n_valid[0].tolist() == [0, 0]


def test_moving_only_where_the_other_is_missing_is_still() -> None:
    x, y = np.zeros((10, 1)), np.arange(10.0)[:, None]
    x[4], y[4] = 1.0, np.nan
    got = correlate(x, y, make_plan(10, 10, 1, 0))
    assert np.isnan(got.mean).all()


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e300])
def test_extreme_magnitudes(scale: float) -> None:
    rng = np.random.default_rng(6)
    x, y = smooth(rng, (60, 2)), smooth(rng, (60, 2))
    check((x * scale)[:, :, None], (y * scale)[:, :, None], make_plan(60, 10, 5, 3))


def test_arrays_that_do_not_fit_are_refused() -> None:
    plan, x = make_plan(60, 10, 5, 3), np.zeros((60, 2))
    with pytest.raises(SchemaError, match=r"60 frames, but got 59"):
        correlate(x[1:], x, plan)
    with pytest.raises(SchemaError, match="coordinates"):
        correlate(x, np.zeros((60, 2, 2)), plan)
    with pytest.raises(SchemaError, match="shape"):
        correlate(x[:, 0], x, plan)
    with pytest.raises(ParameterError, match="from 0 to 1"):
        correlate(x, x, plan, min_valid=80)
    x[7, 1] = np.inf
    with pytest.raises(InputError, match="frame 7 of signal 1"):
        correlate(np.zeros((60, 2)), x, plan)


def test_sums_start_right_in_a_quiet_window_after_a_loud_one() -> None:
    rng = np.random.default_rng(4332)
    x, y = (smooth(rng, (60, n, 1)) for n in (6, 9))
    y[20:] *= 1e-10
    y[rng.random(60) < 0.1] = np.nan
    y[[22, 30]] = np.nan  # a first window without enough frames is not looked at closely
    check(x, y, make_plan(60, 3, 1, 9, "coordination"))


@pytest.mark.parametrize("polarity", [True, False])
@pytest.mark.parametrize("share", [0.03, 0.3])
def test_the_order_of_signals_does_not_matter(polarity, share) -> None:
    """Which signals share a tile decides how it is done, not what comes out."""
    rng = np.random.default_rng(7)
    plan = make_plan(260, 20, 7, 5)
    x, y = smooth(rng, (260, 37, 1)), smooth(rng, (260, 45, 1))
    for data in (x, y):
        for signal in np.flatnonzero(rng.random(data.shape[1]) < share):
            start = rng.integers(240)
            data[start : start + 12, signal] = np.nan
    y[100:, 3] += 1e3  # too far from its centre where it jumps
    first, second = rng.permutation(37), rng.permutation(45)
    options = {"polarity": polarity, "keep_windows": True}
    got = correlate(x, y, plan, **options)
    other = correlate(x[:, first], y[:, second], plan, **options)
    straight = got.values[:, first[:, None], second]
    np.testing.assert_allclose(other.values, straight, atol=TOLERANCE)
    same = other.lags == got.lags[:, first[:, None], second]
    assert np.mean(same | np.isnan(straight)) > 0.999
    check(x, y[:, :12], plan, polarity)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("lost", ["one", "two", "several", "many", "slow"])
def test_any_number_of_missing_frames(lost: str, d: int) -> None:
    """Of many frames, what is taken out of sums is much larger."""
    rng = np.random.default_rng(0)
    x, y = (smooth(rng, (140, n, d)) + 1.0 for n in (33, 34))
    most = {"one": 1, "two": 2, "several": 5}.get(lost, 25)
    if lost == "slow":
        x, y = np.cumsum(x - 1.0, axis=0), np.cumsum(y - 1.0, axis=0)
    for signals in (x, y):
        for j in range(0, signals.shape[1], 2):
            for start in range(int(rng.integers(20)), 110, 45):
                run = lost in {"many", "slow"}
                frames = start + (np.arange(most) if run else rng.permutation(20)[:most])
                signals[frames, j] = np.nan
    check(x, y, make_plan(140, 60, 35, 3), min_valid=0.3)


def lose_frames(rng: np.random.Generator, x, y, lost: str) -> None:
    for data in {"x": [x], "y": [y]}.get(lost, [x, y]):
        data[rng.random(len(data)) < 0.03] = np.nan
        if lost == "gap":
            start = rng.integers(40, 90)
            data[start : start + 10] = np.nan
    if lost == "never":
        x[:, 2], y[:, 17] = np.nan, np.nan


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("lost", ["x", "y", "both", "gap", "never"])
def test_frames_that_all_signals_miss(lost, d) -> None:
    rng = np.random.default_rng(3)
    x, y = smooth(rng, (150, 11, d)), smooth(rng, (150, 18, d)) + 1.0
    lose_frames(rng, x, y, lost)
    check(x, y, make_plan(150, 30, 11, 5), min_valid=0.7)


@pytest.mark.parametrize("registers", ["wide", "narrow"])
def test_what_is_left_after_frames_that_all_miss_may_be_little(registers, monkeypatch) -> None:
    monkeypatch.setenv("BITBOX_REGISTERS", registers)
    rng = np.random.default_rng(4)
    x, y = (smooth(rng, (150, 10, 1)) for _ in range(2))
    x[70, 4], y[71, 5] = 100.0, 1e4  # most of what moves is where the other is missing
    x[72], y[70] = np.nan, np.nan
    x[100, 3] = np.nan  # and one misses a frame by itself
    check(x, y, make_plan(150, 20, 7, 5))


def test_windows_are_kept_in_the_precision_of_their_values() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 60, 3))
    got = correlate(x, y, make_plan(60, 15, 5, 4), keep_windows=True)
    assert got.values is not None
    assert got.lags is not None
    assert got.values.dtype == np.float32
    assert got.lags.dtype == np.float64
    assert set(np.unique(got.lags)) <= {lag / 25.0 for lag in range(-4, 1)}


@pytest.mark.parametrize("step", [1, 4, 7, 11, 12])
@pytest.mark.parametrize("d", [1, 3])
def test_any_number_of_windows_that_overlap_more_or_less(step: int, d: int) -> None:
    rng = np.random.default_rng(step)
    for windows in (1, 2, 3, 8, 9):
        plan = make_plan(12 + 3 + step * (windows - 1), 12, step, 3)
        assert plan.n_windows == windows
        check(*(smooth(rng, (plan.n_frames, 9, d)) for _ in range(2)), plan)


@pytest.mark.parametrize("windows", [3, 4, 9, 10, 11])
def test_sums_count_every_window_once_wherever_something_is_odd(windows: int) -> None:
    rng = np.random.default_rng(windows)
    plan = make_plan(20 + 4 + 8 * (windows - 1), 20, 8, 4)
    for where in range(0, plan.n_frames, 3):
        x, y = (smooth(rng, (plan.n_frames, 10, 1)) for _ in range(2))
        x[where, 3] = np.nan
        kept, summed = (correlate(x, y, plan, keep_windows=keep) for keep in (True, False))
        for name in ("n_valid", "mean", "std", "lag", "mean_abs"):
            np.testing.assert_allclose(
                getattr(summed, name), getattr(kept, name), rtol=0, atol=TOLERANCE
            )


def test_a_signal_that_is_never_there_among_complete_ones() -> None:
    rng = np.random.default_rng(0)
    x, y = (smooth(rng, (90, 10, 1)) for _ in range(2))
    x[:, 3], y[:, 9] = np.nan, np.nan
    got = check(x, y, make_plan(90, 12, 5, 3))
    assert (got.n_valid == 0).sum() == 19


@pytest.mark.parametrize("step", [5, 20])
@pytest.mark.parametrize("share", [0.5, 0.98, 1.02, 1.5, 5.0])
def test_accurate_on_both_sides_of_the_border_of_single_precision(step: int, share: float) -> None:
    """y jumps where only the first lags reach; so the other windows lie off the centre."""
    rng = np.random.default_rng(1)
    plan = make_plan(20 + 6 + 2 * step, 20, step, 6)
    limit = float32_limit(20)
    for sign in (-1.0, 1.0):
        # Values that repeat, whose rounding errors add up.
        x, y = (rng.choice([-1.0, 1.0], (plan.n_frames, 16, 1)) for _ in range(2))
        y[:3] += sign * np.sqrt(share * limit) * 26 / 3
        check(x, y, plan)


@pytest.mark.parametrize("kind", ["noise", "walk", "drift", "offset"])
def test_nothing_is_odd_about_ordinary_signals(kind: str, monkeypatch) -> None:
    """The main case of the benchmarks stays in single precision, done the plain way."""
    real, found = careful.windows, []
    monkeypatch.setattr(careful, "windows", lambda *a: (found.append(real(*a)), found[-1])[1])
    x, y = pair()
    if kind == "walk":
        x, y = x.cumsum(axis=0), y.cumsum(axis=0)
    y += {"drift": np.arange(9000)[:, None, None] / 10, "offset": 1e6}.get(kind, 0.0)
    got = correlate(x, y, main_plan())
    assert (got.n_valid == got.plan.n_windows).all()
    assert found
    assert set(found) == {(0, 0)}
