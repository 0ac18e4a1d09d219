"""p, q and z against hand-made and exact cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bitbox.statistics.inference import (
    Alike,
    against_the_rest,
    autocorrelation_time,
    family_wise,
    fisher_mean,
    infer,
    largest_z,
    least_p,
    likeness,
    likeness_of_segments,
    rank_p,
    standardise,
)


def test_p_counts_surrogates_and_what_was_observed() -> None:
    null = np.arange(1.0, 10.0)[:, None]
    assert rank_p(np.array([5.5]), null)[0] == pytest.approx(5 / 10)
    assert rank_p(np.array([99.0]), null)[0] == pytest.approx(1 / 10)
    assert rank_p(np.array([9.0]), null)[0] == pytest.approx(2 / 10)  # a tie counts against
    # three neighbours worth one: what was observed stands for three, two of which reach it
    assert rank_p(np.array([5.5]), null, 3.0)[0] == pytest.approx((4 + 2) / 12)


def test_p_against_exact_enumeration() -> None:
    """All arrangements of a permutation test: p is the exact share."""
    x = np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    y = np.array([2.0, 1.0, 4.0, 3.0, 8.0])
    arrangements = [np.dot(x, y[list(order)]) for order in itertools.permutations(range(5))]
    exact = np.mean([a >= np.dot(x, y) for a in arrangements])
    identity_out = np.array(arrangements[1:])[:, None]  # what was observed is added back by + 1
    assert rank_p(np.array([np.dot(x, y)]), identity_out)[0] == pytest.approx(exact)


def test_p_is_uniform_when_all_is_exchangeable() -> None:
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((20, 4000))
    p = rank_p(draws[0], draws[1:])
    share = np.array([(p <= k / 20 + 1e-12).mean() for k in range(1, 21)])
    assert_allclose(share, np.arange(1, 21) / 20, atol=0.025)


def test_family_wise_p_keeps_its_level_for_dependent_signals() -> None:
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(400):
        shared = rng.standard_normal((100, 1))
        draws = (0.6 * shared + 0.8 * rng.standard_normal((100, 10))) * np.arange(1, 11)
        result = infer(draws[0], draws[1:])
        rejected += result.p_fwer.min() <= 0.05
        assert (result.p_fwer >= result.p - 0.03).all()
    assert stats.binomtest(rejected, 400, 0.05).pvalue > 0.01


def test_family_wise_p_is_that_of_the_largest_z() -> None:
    null = np.array([[0.0, 10.0], [1.0, 30.0], [2.0, 20.0]])
    result = infer(np.array([1.4, 50.0]), null)
    assert_allclose(result.chance_mean, [1, 20])
    assert_allclose(result.chance_sd, [1, 10])
    assert_allclose(result.z, [0.4, 3.0])
    # largest z of the surrogates, each against the other three values: -1.53, 0.16, 1.66
    assert_allclose(largest_z(np.array([1.4, 50.0]), null), [-1.5275, 0.1601, 1.6641], atol=1e-4)
    assert_allclose(result.p_fwer, [2 / 4, 1 / 4])
    assert_allclose(result.p, [2 / 4, 1 / 4])
    assert_allclose(result.q_fdr, stats.false_discovery_control(result.p))


def test_every_arrangement_is_standardised_alike() -> None:
    """Whichever of the m + 1 is called observed, the z of all are the same."""
    rng = np.random.default_rng(4)
    draws = rng.gamma(2.0, size=(12, 3))
    for k in range(12):
        null = np.delete(draws, k, axis=0)
        z = np.insert(against_the_rest(draws[k], null), k, infer(draws[k], null).z, axis=0)
        if k == 0:
            first = z
        assert_allclose(z, first, rtol=1e-12)


@pytest.mark.parametrize(("m", "n"), [(19, 5), (39, 20)])
def test_family_wise_p_is_exact_with_few_surrogates(m: int, n: int) -> None:
    rng = np.random.default_rng(5)
    draws = rng.standard_normal((4000, m + 1, n)) ** 3  # heavy tails
    smallest = np.array([infer(d[0], d[1:]).p_fwer.min() for d in draws])
    for k in range(1, m + 1, 3):
        expected = k / (m + 1)
        error = 4 * np.sqrt(expected * (1 - expected) / 4000)
        assert np.mean(smallest <= expected + 1e-12) == pytest.approx(expected, abs=error)


def test_untested_signals_are_nan_and_do_not_count() -> None:
    rng = np.random.default_rng(2)
    null = rng.standard_normal((99, 3))
    null[:, 1] = np.nan
    result = infer(np.array([3.0, np.nan, 0.0]), null)
    alone = infer(np.array([3.0, 0.0]), null[:, [0, 2]])
    for name in ("z", "p", "p_fwer", "q_fdr"):
        values = getattr(result, name)
        assert np.isnan(values[1])
        assert_allclose(values[[0, 2]], getattr(alone, name))


def test_surrogates_without_a_value_are_left_out() -> None:
    null = np.array([[1.0], [np.nan], [3.0]])
    mean, sd, _ = standardise(np.array([2.0]), null)
    assert_allclose([mean[0], sd[0]], [2.0, np.sqrt(2)])
    assert rank_p(np.array([2.0]), null)[0] == pytest.approx(2 / 3)


def test_a_null_that_never_varies_has_no_z() -> None:
    result = infer(np.array([1.0, 0.5]), np.tile([1.0, 0.2], (19, 1)))
    assert np.isnan(result.z).all()
    assert np.isnan(result.p_fwer).all()
    assert_allclose(result.p, [1.0, 1 / 20])


def test_fisher_mean() -> None:
    r = np.array([0.2, 0.9, np.nan])
    assert fisher_mean(r) == pytest.approx(np.tanh(np.mean(np.arctanh([0.2, 0.9]))))
    assert np.isnan(fisher_mean(np.array([np.nan])))
    assert 0.999 < fisher_mean(np.ones(3)) < 1
    assert fisher_mean(np.array([1.0, -1.0])) == pytest.approx(0.0)


def smooth_noise(rng: np.random.Generator, m: int, n: int, alike: int) -> np.ndarray:
    """A circle of m values in which each is the mean of `alike` neighbours."""
    white = rng.standard_normal((m, n))
    return np.mean([np.roll(white, k, axis=0) for k in range(alike)], axis=0)


def test_neighbouring_shifts_are_not_independent() -> None:
    rng = np.random.default_rng(3)
    assert autocorrelation_time(rng.standard_normal((1000, 20))) < 1.1
    assert 8 < autocorrelation_time(smooth_noise(rng, 1000, 20, 10)) < 12
    assert autocorrelation_time(np.ones((50, 2))) == 1


def test_how_alike_shifts_are() -> None:
    rng = np.random.default_rng(8)
    triangle = 1 - np.arange(10) / 10
    found = likeness(smooth_noise(rng, 2000, 30, 10), np.arange(2000) + 50, 50)
    assert found.k == pytest.approx(10, abs=1)
    assert found.in_mean == pytest.approx(2 * triangle.sum() - 1, abs=2)
    assert found.in_variance == pytest.approx(2 * (triangle**2).sum() - 1, abs=0.5)
    near = likeness(smooth_noise(rng, 2000, 30, 10), 3 * np.arange(2000), 9)  # two rows missing
    assert near.in_mean == pytest.approx(1 + 2 * (0.9 + 0.8), abs=0.1)
    sparse = likeness(rng.standard_normal((100, 3)), 20 * np.arange(100), 20)
    assert sparse[1:3] == (1, 1)
    assert likeness(np.ones((19, 2)), np.arange(19), 5)[:3] == (1, 1, 1)
    assert likeness_of_segments(Alike(4.0, 3.0, 3.0), 100, 200, 5)[:3] == (1, 6, 2)
    assert likeness_of_segments(Alike(4.0, 3.0, 3.0), 100, 100, 1)[:3] == (1, 3, 3)
    assert likeness_of_segments(Alike(), 100, 100, 5)[:3] == (1, 1, 1)


def test_what_was_observed_and_surrogates_are_on_one_scale() -> None:
    """Wherever z = f(whole circle) is larger, so is the z of a surrogate as if it was observed."""
    rng = np.random.default_rng(7)
    observed, null = rng.standard_normal(2) + 2, rng.standard_normal((40, 2))
    null[5, 1] = np.nan
    alike = Alike(2.5, 1.7, 3.1)
    z = against_the_rest(observed, null, alike)
    assert np.isnan(z[5, 1])
    for j in (0, 1):
        values = np.append(null[np.isfinite(null[:, j]), j], observed[j])
        in_mean, in_variance = (np.append(np.ones(len(values) - 1), w) for w in alike[1:3])
        mean = np.average(values, weights=in_mean)
        whole = (values - mean) / np.sqrt(np.average((values - mean) ** 2, weights=in_variance))
        own = np.append(z[np.isfinite(z[:, j]), j], infer(observed, null).z[j])
        assert (np.argsort(whole) == np.argsort(own)).all()
        # a surrogate that lies where what was observed lies has its z
        same = null.copy()
        same[0, j] = observed[j]
        assert against_the_rest(observed, same, alike)[0, j] == pytest.approx(
            infer(observed, same).z[j]
        )


def test_what_was_observed_counts_for_its_neighbours() -> None:
    largest = np.array([0.0, 1.0, 2.0, np.nan, 3.0])
    assert_allclose(family_wise(np.array([1.5, 9.0, np.nan]), largest), [3 / 5, 1 / 5, np.nan])
    assert_allclose(family_wise(np.array([1.5, 9.0]), largest, 3.0), [4 / 7, 2 / 7])
    assert least_p(99) == pytest.approx(1 / 100)
    assert least_p(99, 5.0) == pytest.approx(3 / 104)


def test_family_wise_p_keeps_its_level_where_shifts_are_alike() -> None:
    """On a circle, the neighbours of what was observed being no surrogates."""
    rng = np.random.default_rng(6)
    smallest, careless, own = [], [], []
    for _ in range(1500):
        circle = smooth_noise(rng, 300, 15, 8)
        null = circle[15:-14]
        alike = likeness(null, np.arange(len(null)), 15)
        smallest.append(infer(circle[0], null, alike).p_fwer.min())
        careless.append(infer(circle[0], null).p_fwer.min())
        own.append(infer(circle[0], null, alike).p[0])
    for level in (0.05, 0.1, 0.2):
        error = 3 * np.sqrt(level * (1 - level) / 1500)
        assert np.mean(np.array(smallest) <= level) == pytest.approx(level, abs=error)
        assert np.mean(np.array(own) <= level) == pytest.approx(level, abs=error)
    assert np.mean(np.array(careless) <= 0.05) > 0.075


def test_whether_anything_can_be_told() -> None:
    assert Alike().can_tell(19)
    assert not Alike().can_tell(18)
    assert Alike(5.0).can_tell(55)
    assert not Alike(5.0).can_tell(54)
    # where k came out small among few shifts, half a window's frames decide
    rng = np.random.default_rng(7)
    found = likeness(rng.standard_normal((200, 3)), np.arange(200), 50, window=60)
    assert found.k < 2
    assert found.at_least == pytest.approx(30)
    assert not found.can_tell(200)
    assert found.can_tell(280)
