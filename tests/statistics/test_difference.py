"""Form: how far apart two people are, in the signals' own unit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bitbox.analysis.form import unit_of
from bitbox.correlation.plan import WindowPlan
from bitbox.social import imitation_quality
from bitbox.statistics.contrast import Circle
from bitbox.statistics.difference import difference
from bitbox.synthetic.signals import imitated_pair

PLAN = WindowPlan.from_seconds(900, 10.0, width=2.0, lag=1.0)
CIRCLE = Circle.of(PLAN)
STEPS = CIRCLE.allowed(PLAN)


def smooth(rng: np.random.Generator, n: int, d: int = 1) -> np.ndarray:
    raw = rng.standard_normal((950, n, d))
    return np.apply_along_axis(lambda v: np.convolve(v, np.hanning(25), "valid")[:900], 0, raw)


def by_loops(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Return the smallest median distance of each signal, and of all, by the definition."""
    a, b = (v - np.nanmedian(v, axis=0) for v in (x, y))
    found = []
    for lag in STEPS:
        apart = np.sqrt(((a - np.roll(b, lag, axis=0)) ** 2).sum(axis=2))
        apart = np.column_stack([apart, np.nanmean(apart, axis=1)])
        found.append(np.nanmedian(apart, axis=0))
    return list(np.min(found, axis=0))


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("gaps", [False, True])
def test_it_is_what_its_definition_says(dimension: int, gaps: bool) -> None:
    rng = np.random.default_rng(1)
    x, y = smooth(rng, 3, dimension), smooth(rng, 3, dimension)
    if gaps:
        x[30:90, 1], y[200:240, 2] = np.nan, np.nan
    found = difference(x, y, CIRCLE, STEPS, "mm", np.ones(3, dtype=bool))
    assert_allclose([*found.each, found.overall], by_loops(x, y), rtol=1e-12)
    again = difference(x, y, CIRCLE, STEPS, "mm", np.ones(3, dtype=bool), threads=1)
    assert np.array_equal(found.p, again.p, equal_nan=True)


def test_who_copies_with_a_delay_is_near_and_who_moves_less_is_not() -> None:
    rng = np.random.default_rng(2)
    y = smooth(rng, 2)
    x = np.roll(y, 5, axis=0) + 7.0  # half a second late, from another neutral
    x[:, 1] = 7.0 + (x[:, 1] - 7.0) / 2
    found = difference(x, y, CIRCLE, STEPS, "mm", np.ones(2, dtype=bool))
    assert found.each[0] == pytest.approx(0.0, abs=1e-9)
    assert found.each[1] == pytest.approx(np.median(np.abs(y[:, 1] - np.median(y[:, 1]))) / 2, 0.05)
    assert found.p[0] <= 0.05
    assert found.each[0] < found.chance[0]
    assert "mm apart (by chance" in str(found)


def test_angles_are_told_in_degrees_and_go_round() -> None:
    y = np.zeros((900, 1, 1))
    y[::2] = np.deg2rad(175.0)
    y[1::2] = np.deg2rad(-175.0)  # ten degrees further
    x = np.full((900, 1, 1), np.deg2rad(180.0))
    x[::50] = 0.0
    found = difference(x, y, CIRCLE, STEPS, "degrees", np.ones(1, dtype=bool))
    assert 0.0 <= found.each[0] <= 180.0
    assert found.unit == "degrees"
    pair = imitated_pair(3, duration=20, seed=1)
    radians = pair.participant.replace(units="rad")
    assert unit_of(radians, angular=True) == "degrees"
    assert unit_of(pair.participant, angular=True) == "SD"


def test_units_that_differ_have_no_distance_in_common() -> None:
    rng = np.random.default_rng(3)
    x, y = smooth(rng, 2), smooth(rng, 2)
    found = difference(x, y, CIRCLE, STEPS, "share, grey levels", np.ones(2, dtype=bool))
    assert np.isfinite(found.each).all()
    assert np.isnan(found.overall)
    assert "no unit in common" in str(found)


def test_what_is_not_tested_is_no_part_of_the_distance_over_all() -> None:
    rng = np.random.default_rng(4)
    x, y = smooth(rng, 2), smooth(rng, 2)
    y[:, 0] = x[:, 0]
    found = difference(x, y, CIRCLE, STEPS, "mm", np.array([True, False]))
    assert found.overall == pytest.approx(0.0, abs=1e-12)


def test_too_short_recordings_have_a_distance_and_no_p() -> None:
    rng = np.random.default_rng(5)
    plan = WindowPlan.from_seconds(60, 10.0, width=2.0, lag=1.0)
    circle = Circle.of(plan)
    x, y = smooth(rng, 2)[:60], smooth(rng, 2)[:60]
    found = difference(x, y, circle, circle.allowed(plan), "mm", np.ones(2, dtype=bool))
    assert np.isfinite(found.each).all()
    assert np.isnan(found.p).all()
    assert str(found).endswith("mm apart.")


def test_the_scorecard_tells_form_beside_course() -> None:
    participant, model, _ = imitated_pair(4, imitated=2, duration=120, seed=1)
    quality = imitation_quality(participant, model, seed=1)
    card = quality.scorecard
    assert (card["difference"] < card["difference_chance"])[:2].all()
    assert (card["difference_p"][:2] <= 0.05).all()
    assert quality.difference.unit == "SD"
    assert list(quality.difference.each) == list(card["difference"])
    half = participant.replace(values=participant.values / 2)
    smaller = imitation_quality(half, model, seed=1)
    assert_allclose(smaller.scorecard["shape"], card["shape"], atol=1e-6)  # the same course
    assert not np.allclose(smaller.scorecard["difference"], card["difference"], rtol=0.1)


def test_other_recordings_can_say_what_is_chance() -> None:
    rng = np.random.default_rng(6)
    y = smooth(rng, 2)
    x = np.roll(y, 4, axis=0)
    others = [(x, smooth(rng, 2)) for _ in range(24)]
    others[3][1][500:] = np.nan  # ends earlier
    found = difference(x, y, CIRCLE, STEPS, "mm", np.ones(2, dtype=bool), others)
    assert_allclose(found.p, 1 / 25)
    assert found.overall_p == pytest.approx(1 / 25)
    assert (found.each < found.chance).all()
    few = difference(x, y, CIRCLE, STEPS, "mm", np.ones(2, dtype=bool), others[:5])
    assert np.isnan(few.p).all()
