"""The whole matrix against chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bitbox.correlation.engine import correlate
from bitbox.correlation.plan import WindowPlan
from bitbox.statistics import matrix
from bitbox.statistics.null import both_ways
from bitbox.statistics.surrogates import circular_places, circular_shifts
from bitbox.statistics.windows import Rule
from tests import naive


def data(polarity: bool = False, n_frames: int = 240) -> matrix.Shifted:
    rng = np.random.default_rng(0)
    y = np.cumsum(rng.standard_normal((n_frames, 3, 1)), axis=0)
    x = np.roll(y, 4, axis=0) + 2 * rng.standard_normal(y.shape)
    x[50:60, 1] = np.nan
    plan = WindowPlan.from_seconds(n_frames, 30, width=0.6, step=0.3, lag=0.2)
    found = correlate(x, y, plan, polarity=polarity)
    observed = found.mean_abs if polarity else found.mean
    assert observed is not None
    return matrix.Shifted(x, y, observed, plan, polarity, 0.8)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("polarity", [True, False])
def test_shifts_turn_the_circle_of_places(polarity: bool, causal: bool) -> None:
    pairs = data(polarity)
    pairs = replace(pairs, plan=replace(pairs.plan, causal=causal))
    plan, shifts = pairs.plan, np.array([30, 90, 91, 200])
    for found, places in zip(pairs.null(shifts), circular_places(plan, shifts), strict=True):
        kept = []
        for start, place in zip(plan.starts, places, strict=True):
            own = start - plan.max_lag
            values, _ = naive.correlate(
                pairs.x[own : own + plan.n_frames_needed],
                pairs.y[place : place + plan.n_frames_needed],
                plan.window, plan.step, plan.max_lag, causal=causal, polarity=polarity,
            )  # fmt: skip
            kept += values
        assert len(kept) == plan.n_windows
        expected = np.nanmean(np.abs(kept) if polarity else kept, axis=0)
        assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("polarity", [True, False])
def test_the_diagonal_is_the_null_of_the_scorecard(polarity: bool, causal: bool) -> None:
    pairs = data(polarity)
    pairs = replace(pairs, plan=replace(pairs.plan, causal=causal))
    shifts = circular_shifts(pairs.plan, 40)
    rule = Rule.make(pairs.plan, polarity, 0.8)
    places = circular_places(pairs.plan, shifts)
    (_, of_scorecard), _ = both_ways(pairs.x, pairs.y, rule, places)
    of_matrix = [np.diagonal(shapes) for shapes in pairs.null(shifts)]
    assert_allclose(of_matrix, of_scorecard, atol=2e-6)


def test_rows_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = data()
    shifts = circular_shifts(pairs.plan, 29)
    whole = matrix.every_pair_test("abc", pairs, shifts)
    monkeypatch.setattr(matrix, "_MOST_VALUES", 29 * 3)
    monkeypatch.setattr(matrix, "_PAIRS", 2)
    in_rows = matrix.every_pair_test("abc", pairs, shifts)
    for name in ("shape", "z", "p", "p_fwer"):
        assert_allclose(getattr(in_rows, name), getattr(whole, name), atol=1e-6)
    assert (np.diag(whole.p_fwer) <= 0.05).all()
