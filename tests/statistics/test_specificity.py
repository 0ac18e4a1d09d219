"""Specificity: pairs of one name less the others, restated in loops, and what it can tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from validation.task_recordings import FPS, NOBODY, simulate

from bitbox.correlation.plan import WindowPlan
from bitbox.social import imitation_quality
from bitbox.statistics.card import imitated, in_time
from bitbox.statistics.contrast import contrast
from bitbox.statistics.inference import INDEPENDENT
from bitbox.statistics.specificity import judged, specificity, why_untold
from bitbox.synthetic.signals import imitated_pair
from tests.signals_of import named

FloatArray = NDArray[np.float64]


def by_loops(
    x: FloatArray, y: FloatArray, plan: WindowPlan, polarity: bool, latency: int
) -> list[float]:
    """Return d of all windows and signals at one latency, as means over windows in errors."""
    windows = []
    for v in (x, y):
        n, w = v.shape[1], plan.window
        places = len(v) - w + 1
        away = np.full((places, n, w), np.nan)
        for p in range(places):
            for i in range(n):
                part = v[p : p + w, i, 0]
                if np.isfinite(part).mean() >= 0.8:
                    away[p, i] = np.where(np.isfinite(part), part - np.nanmean(part), 0.0)
        norm = np.sqrt((away**2).sum(axis=2))
        scale = np.nanquantile(norm, 0.95, axis=0)
        windows.append(away / np.maximum(norm, scale)[:, :, None])
    a, b = windows
    n, places = a.shape[1], len(a)
    found: list[list[float]] = [[] for _ in range(n)]
    for s in range(0, places, plan.step):
        r = a[s] @ b[(s - latency) % places].T
        r = np.abs(r) if polarity else r
        rows, columns = np.isfinite(a[s, :, 0]), np.isfinite(b[(s - latency) % places, :, 0])
        for i in range(n):
            if not (rows[i] and columns[i] and rows.sum() > 1 and columns.sum() > 1):
                continue
            k = [j for j in range(n) if j != i and rows[j]]
            j = [j for j in range(n) if j != i and columns[j]]
            found[i].append(r[i, i] - r[i, j].mean() - r[k, i].mean() + r[np.ix_(k, j)].mean())
    return [np.mean(d) / (np.std(d) / np.sqrt(len(d) - 1)) for d in found]


@pytest.mark.parametrize("polarity", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_the_contrast_is_what_its_definition_says(polarity: bool, gaps: bool) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 120, 3, 1)).cumsum(axis=1)
    if gaps:
        x[30:45, 1], y[50:70, 0] = np.nan, np.nan
        x[80:90], y[5:8] = np.nan, np.nan
    plan = WindowPlan.from_seconds(120, 10.0, width=1.5, step=0.5, lag=1.0)
    found = contrast(x, y, plan, polarity, 0.8)
    circle = found.circle
    assert (circle.rate, circle.window, circle.places) == (10.0, 15, 106)
    for latency in (0, 4, -7, 50):
        expected = by_loops(x, y, plan, polarity, latency)
        assert_allclose(found.t[latency, :3], expected, rtol=1e-9)


@pytest.mark.parametrize("polarity", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_in_small_parts_and_of_few_latencies_it_is_the_same(
    monkeypatch: pytest.MonkeyPatch, polarity: bool, threads: int
) -> None:
    x, y = np.random.default_rng(1).standard_normal((2, 200, 3, 2))
    x[30:60, 1], y[100:120] = np.nan, np.nan
    plan = WindowPlan.from_seconds(200, 10.0, width=1.0, lag=0.5)
    whole = contrast(x, y, plan, polarity, 0.8)
    monkeypatch.setattr("bitbox.statistics.contrast._WINDOWS", 5)
    monkeypatch.setattr("bitbox.statistics.contrast._PLACES", 17)
    assert_allclose(contrast(x, y, plan, polarity, 0.8).t, whole.t, rtol=1e-9)
    some = np.array([-3, 0, 1, 2, 50, 120, 188])
    found = contrast(x, y, plan, polarity, 0.8, some, threads)
    assert_allclose(found.t[some], whole.t[some], rtol=1e-9)
    assert np.isnan(np.delete(found.t, some, axis=0)).all()
    assert_allclose(found.largest(some[1:4]), whole.largest(some[1:4]), rtol=1e-9)


def test_one_signal_has_no_specificity() -> None:
    x = np.random.default_rng(1).standard_normal((200, 1, 1)).cumsum(axis=0)
    assert "single signal" in str(why_untold(x, x))
    plan = WindowPlan.from_seconds(200, 10.0, width=1.0, lag=0.5)
    found = contrast(x, x, plan, False, 0.8)
    steps = found.circle.steps(0.0, 0.5)
    assert specificity(found, steps, np.ones((1, 1)), np.array([True])) is None


def test_where_one_movement_is_all_there_is_it_says_that_it_cannot_be_told() -> None:
    rng = np.random.default_rng(1)
    participant, model, _ = imitated_pair(1, duration=60, seed=1)
    noise = rng.standard_normal((2, len(model.values), 3))
    one_moves = [
        named(np.concatenate([person.values, 0.1 * other], axis=1))
        for person, other in zip((participant, model), noise, strict=True)
    ]
    as_one = [
        named(person.values @ np.array([[1.0, 0.5, 2.0]]) + 0.02 * other)
        for person, other in zip((participant, model), noise, strict=True)
    ]
    for people, why in ((one_moves, "no more than one signal"), (as_one, "move as one")):
        found = imitation_quality(*people, n_surrogates=199, seed=1)
        assert found.headline.in_time >= 1
        assert found.headline.imitated == 0
        assert np.isnan(found.headline.share)
        assert "in time with the model" in str(found.headline)
        assert why in str(found.headline)
        assert found.scorecard[["specific_p", "specific_p_fwer"]].isna().all(axis=None)
        assert "specificity-untold" in {finding.code for finding in found.findings}
        assert "no signal is called imitated" in found.methods()


@pytest.mark.parametrize("name", ["whole face at every prompt", "nods and shakes"])
def test_who_moves_at_every_prompt_is_in_time_and_does_not_imitate(name: str) -> None:
    """Of eight such recordings no more than one is called imitation; in time are half or more."""
    design = next(design for design in NOBODY if design.name.startswith(name))
    timed, imitated = 0, 0
    for k in range(8):
        task = simulate(design, np.random.default_rng((1512, k)))
        pair = named(task.participant, FPS), named(task.model, FPS)
        head = imitation_quality(*pair, n_surrogates=499, seed=1).headline
        timed += head.in_time > 0
        imitated += head.imitated > 0
    assert timed >= 4
    assert imitated <= 1


def test_imitated_is_what_is_specific_and_in_time_by_itself() -> None:
    card = pd.DataFrame(
        {
            "p": [0.04, 0.06, 0.01, 0.01, np.nan],
            "p_fwer": [0.2, 0.2, 0.03, 0.2, np.nan],
            "specific_p_fwer": [0.05, 0.01, 0.2, 0.2, np.nan],
        }
    )
    np.testing.assert_array_equal(imitated(card), [True, False, False, False, False])
    np.testing.assert_array_equal(in_time(card), [True, False, True, False, False])


def test_which_movements_is_asked_after_whether_there_is_any() -> None:
    rng = np.random.default_rng(0)
    null = rng.standard_normal((999, 4))
    seen = np.array([5.0, 0.0, 0.0, 1.5])  # the last one: all signals together
    _, overall, signals = judged(seen, null, np.ones(3, dtype=np.bool_), lambda _: INDEPENDENT)
    assert 0.05 < overall < 0.1
    assert signals.p[0] < 0.01
    assert signals.p_fwer[0] == overall
