"""One pattern of movements that is nearly all that two people share, and what it means."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from validation.task_recordings import FPS, IMITATORS, NOBODY, Design, simulate

from bitbox.analysis.result import ImitationQuality
from bitbox.correlation.plan import WindowPlan
from bitbox.social import imitation_quality
from bitbox.statistics.contrast import Circle, Windowed
from bitbox.statistics.pattern import shared_pattern
from tests.signals_of import named

PLAN = WindowPlan.from_seconds(120, fps=10, width=2.0, step=0.5, lag=0.5)


def people(rank: int, *, noise: float = 0.0, seed: int = 1, d: int = 1):
    """Return two people, (120, 4, d), who share so many movements in all their signals."""
    rng = np.random.default_rng(seed)
    course, weights = rng.normal(size=(120, rank, d)), rng.normal(size=(2, rank, 4))
    return [
        np.einsum("trd,rn->tnd", course, w) + noise * rng.normal(size=(120, 4, d)) for w in weights
    ]


def test_it_is_what_its_definition_says() -> None:
    x, y = people(2, noise=0.3)
    found = shared_pattern(x, y, PLAN, 0.8)
    circle = Circle.of(PLAN)
    sides = [Windowed(v, circle.window, 0.8).side(np.arange(circle.places)) for v in (x, y)]
    best = (0.0, np.zeros(0))
    for lag in range(6):
        table = np.zeros((4, 4))
        for start in range(0, circle.places, circle.step):
            if start >= lag:
                table += sides[0].windows[start] @ sides[1].windows[start - lag].T
        sizes = np.linalg.svd(table)[1]
        best = max(best, (sizes[0], sizes), key=lambda one: one[0])
    assert found.share == pytest.approx(best[1][0] ** 2 / np.sum(best[1] ** 2))
    weights = found.weights
    assert found.signals == pytest.approx(weights.sum() ** 2 / np.sum(weights**2))
    np.testing.assert_array_equal(found.members, weights >= weights.max() / 4)


def test_ten_minutes_of_joints_take_little_memory() -> None:
    plan = WindowPlan.from_seconds(9000, fps=15, width=2.0, step=1.0, lag=1.2)
    x, y = np.random.default_rng(1).normal(size=(2, 9000, 33, 3))
    tracemalloc.start()
    shared_pattern(x, y, plan, 0.8)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 80e6


@pytest.mark.parametrize("d", [1, 3])
def test_a_single_movement_is_all(d: int) -> None:
    x, y = people(1, d=d)
    x[7, 2] = np.nan
    assert shared_pattern(x, y, PLAN, 0.8).share == pytest.approx(1.0, abs=1e-3)
    assert shared_pattern(*people(3, d=d), PLAN, 0.8).share < 0.9


def test_one_signal_that_goes_with_its_own_is_none() -> None:
    x, y = people(1, noise=0.0)
    for person in (x, y):
        person[:, 1:] = np.random.default_rng(len(person)).normal(size=person[:, 1:].shape) * 1e-3
    y[:, 1:] = np.random.default_rng(5).normal(size=y[:, 1:].shape)
    found = shared_pattern(x, y, PLAN, 0.8)
    assert found.signals < 2
    assert not found.is_all


def seen(design: Design, k: int) -> ImitationQuality:
    task = simulate(design, np.random.default_rng((9191, 4, k)))
    pair = named(task.participant, fps=FPS), named(task.model, fps=FPS)
    return imitation_quality(*pair, n_surrogates=199, seed=1)


@pytest.mark.parametrize("k", [1, 5, 15])
def test_laughing_together_is_not_imitating(k: int) -> None:
    quality = seen(NOBODY[4], k)
    assert quality.headline.specific_p > 0.05
    assert quality.headline.imitated == 0
    assert (quality.scorecard["specific_p_fwer"].dropna() > 0.05).all()
    assert "one-pattern" in {finding.code for finding in quality.findings}
    assert "one pattern of movements" in quality.methods()
    assert quality.specificity is not None
    assert "outside their one pattern" in str(quality.specificity)


def test_imitating_several_expressions_still_is() -> None:
    quality = seen(IMITATORS[1], 2)
    assert quality.headline.specific_p <= 0.05
    assert "one-pattern" not in {finding.code for finding in quality.findings}
    assert "one pattern" not in quality.methods()
