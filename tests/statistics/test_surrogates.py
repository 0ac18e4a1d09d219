"""Surrogates break the coupling, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import InputError, ParameterError, TooShortError
from bitbox.statistics import surrogates as broken


def plan_of(seconds: float, **options: float) -> WindowPlan:
    return WindowPlan.from_seconds(int(seconds * 30), 30, **{"width": 1.1, **options})


def test_shifts_are_different_and_larger_than_lag_and_window() -> None:
    plan = plan_of(60)
    shifts = broken.circular_shifts(plan, 199)
    assert len(set(shifts.tolist())) == 199
    assert shifts.min() >= 66
    assert shifts.max() <= plan.n_places - 66


def test_two_sided_lags_need_larger_shifts() -> None:
    plan = WindowPlan.from_seconds(1800, 30, width=1.1, causal=False)
    assert broken.smallest_shift(plan) == 33 + 2 * 33


def test_all_shifts_are_used_where_there_are_no_more() -> None:
    plan = plan_of(10)
    shifts = broken.circular_shifts(plan, 999)
    assert_array_equal(shifts, np.arange(66, plan.n_places - 66 + 1))
    assert plan.n_places == 300 - 66 + 1


def test_shifts_are_spread_evenly_over_the_recording() -> None:
    plan = plan_of(60)
    shifts = broken.circular_shifts(plan, 99)
    assert set(np.diff(shifts)) <= {16, 17}
    assert_allclose(shifts, plan.n_places - shifts[::-1], atol=2)


def test_too_short_for_shifts_says_what_is_enough() -> None:
    with pytest.raises(TooShortError, match=r"at least 7\.17 s") as error:
        broken.circular_shifts(plan_of(4.5), 99)
    assert "4.50 s" in str(error.value)
    enough = plan_of((3 * 66 + 17) / 30)
    assert broken.can_shift(enough)
    assert len(broken.circular_shifts(enough, 99)) == 19
    assert not broken.can_shift(replace(enough, n_frames=enough.n_frames - 1))


@pytest.mark.parametrize("causal", [True, False])
def test_shifts_turn_the_circle_of_places(causal: bool) -> None:
    plan = replace(plan_of(10, step=0.1), causal=causal)
    own = plan.starts - plan.max_lag
    places = broken.circular_places(plan, np.arange(plan.n_places))
    assert_array_equal(places[0], own)
    assert_array_equal(np.sort(places, axis=0), np.arange(plan.n_places)[:, None] + 0 * own)
    assert places.max() + plan.n_frames_needed == plan.n_frames


@pytest.mark.parametrize("causal", [True, False])
def test_no_window_meets_frames_of_the_true_comparison(causal: bool) -> None:
    plan, rng = replace(plan_of(90), causal=causal), np.random.default_rng(0)
    shifted = broken.circular_places(plan, broken.circular_shifts(plan, 99))
    exchanged = broken.segment_places(plan, 50, rng)
    true = plan.starts - plan.max_lag
    for places in (shifted, exchanged):
        assert places.min() >= 0
        assert (np.abs(places - true) >= plan.n_frames_needed).all()
        assert (places + plan.n_frames_needed <= plan.n_frames).all()


def test_segments_stay_in_one_piece() -> None:
    plan = plan_of(130)
    places = broken.segment_places(plan, 20, np.random.default_rng(3))
    size = -(-4 * 66 // plan.step)
    n_segments = plan.n_windows // size
    assert plan.n_windows % size
    shift = (plan.step * np.arange(plan.n_windows) - places) % plan.n_places
    for row in shift:
        cuts = np.flatnonzero(row != np.roll(row, 1))  # the last segment goes on at the start
        assert len(cuts) == n_segments
        lengths = np.diff([*cuts, cuts[0] + plan.n_windows])
        assert lengths.min() >= size
        assert lengths.max() <= lengths.min() + 1
    assert len({tuple(row) for row in places}) == 20


def test_segments_meet_every_place_equally_often() -> None:
    plan = plan_of(60, step=0.1)
    places = broken.segment_places(plan, 20_000, np.random.default_rng(4))
    often = np.bincount(places[:, 30], minlength=plan.n_places)
    away = np.abs(np.arange(plan.n_places) - plan.step * 30)
    near = np.minimum(away, plan.n_places - away) < 66
    assert_array_equal(often == 0, near)
    assert stats.chisquare(often[~near]).pvalue > 0.01


def test_local_shifts_are_small_and_of_whole_segments() -> None:
    plan = plan_of(130)
    places = broken.local_places(plan, 4000, np.random.default_rng(5))
    assert places.min() >= 0
    assert (places + plan.n_frames_needed <= plan.n_frames).all()
    shift = plan.step * np.arange(plan.n_windows) - places
    assert np.abs(shift).max() == 20 * plan.fps
    assert np.abs(shift[shift != 0]).min() == 66
    size = broken.segment_size(plan)
    cuts = [np.flatnonzero(np.diff(row)) for row in shift]
    assert all((np.diff(where) >= size).all() for where in cuts)
    # in the middle of the recording all shifts are drawn alike, to either side, and none at times
    middle = shift[:, plan.n_windows // 2]
    allowed = np.r_[-600:-65, 66:601]
    moved = middle[middle != 0]
    assert stats.kstest(np.searchsorted(allowed, moved) / len(allowed), "uniform").pvalue > 0.01
    here = round(plan.window / 2) / (len(allowed) + round(plan.window / 2))
    assert stats.binomtest(int((middle == 0).sum()), len(middle), here).pvalue > 0.01
    assert (shift[:, 0] <= 0).all()  # at the start there is nothing before


def test_windows_too_long_for_local_shifts_say_so() -> None:
    plan = WindowPlan.from_seconds(30 * 60, 30.0, width=8.0, lag=3.0)  # too short as well
    with pytest.raises(ParameterError, match=r"at most 10 s together.*11.00 s"):
        broken.local_places(plan, 9, np.random.default_rng(0))


def test_too_short_for_segments_says_what_is_enough() -> None:
    with pytest.raises(TooShortError, match="at least") as error:
        broken.segment_places(plan_of(20), 99, np.random.default_rng(0))
    enough = float(str(error.value).split("at least ")[1].split(" s")[0])
    broken.segment_places(plan_of(enough + 0.02), 9, np.random.default_rng(0))
    with pytest.raises(TooShortError):
        broken.segment_places(plan_of(enough - 0.05), 9, np.random.default_rng(0))


@pytest.mark.parametrize("n_frames", [200, 201])
def test_random_phases_keep_spectra_and_cross_spectra(n_frames: int) -> None:
    rng = np.random.default_rng(0)
    signals = np.cumsum(rng.standard_normal((n_frames, 3, 2)), axis=0)
    signals[:, 1] += signals[:, 0]
    other = broken.phase_randomised(signals, rng)
    assert other.shape == signals.shape
    before, after = np.fft.rfft(signals, axis=0), np.fft.rfft(other, axis=0)
    assert_allclose(np.abs(after), np.abs(before), atol=1e-8)
    assert_allclose(
        after[:, 0, 0] * after[:, 1, 1].conj(), before[:, 0, 0] * before[:, 1, 1].conj(), atol=1e-6
    )
    assert_allclose(np.corrcoef(other[:, :, 0].T), np.corrcoef(signals[:, :, 0].T), atol=1e-9)
    assert not np.allclose(other, signals, atol=0.1)


def test_random_phases_refuse_gaps() -> None:
    signals = np.ones((50, 2, 1))
    signals[3, 1] = np.nan
    with pytest.raises(InputError, match="1 of 50 frames"):
        broken.phase_randomised(signals, np.random.default_rng(0))


@pytest.mark.parametrize(("kind", "n"), [("shuffle", 99), ("circular", 18), ("circular", 99.0)])
def test_nonsense_is_refused(kind: str, n: int) -> None:
    with pytest.raises(ParameterError):
        broken.check_surrogate(kind, n)
