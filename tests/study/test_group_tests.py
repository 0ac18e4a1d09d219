"""Tests over people are exact where they can be, hold their level, and agree with SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bitbox.study.group_tests import against_zero, between
from bitbox.study.reliability import retest, split_half

RANDOM = np.random.default_rng(20)


class TestAgainstZero:
    def test_exact_where_there_are_few(self) -> None:
        values = RANDOM.normal(0.5, 1, (9, 1))
        found = against_zero(values, seed=1)
        expected = stats.permutation_test(
            (values[:, 0],),
            lambda v, axis: v.mean(axis=axis),
            vectorized=True,
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert found.n_permutations == 2**9
        assert found.p[0] == pytest.approx(expected.pvalue)
        assert found.t[0] == pytest.approx(stats.ttest_1samp(values[:, 0], 0).statistic)

    def test_missing_people_count_nowhere(self) -> None:
        values = RANDOM.normal(0.5, 1, (9, 2))
        values[3:, 1] = np.nan
        found = against_zero(values, seed=1)
        assert found.n[0].tolist() == [9, 3]
        assert found.t[1] == pytest.approx(stats.ttest_1samp(values[:3, 1], 0).statistic)

    def test_two_people_are_no_group(self) -> None:
        found = against_zero(np.ones((2, 1)), seed=1)
        assert np.isnan([found.t[0], found.p[0], found.g[0]]).all()

    def test_correcting_for_all_makes_no_p_smaller(self) -> None:
        found = against_zero(RANDOM.normal(0.3, 1, (20, 8)), seed=1, permutations=499)
        assert (found.p_fwer >= found.p).all()

    def test_hedges_g(self) -> None:
        values = np.arange(1.0, 11.0)[:, None]
        found = against_zero(values, seed=1, permutations=99)
        assert found.g[0] == pytest.approx(values.mean() / values.std(ddof=1) * (1 - 3 / 35))
        assert found.low[0] < found.g[0] < found.high[0]


class TestBetween:
    def test_agrees_with_scipy(self) -> None:
        first, second = RANDOM.normal(1, 1, (5, 1)), RANDOM.normal(0, 2, (4, 1))
        found = between(first, second, seed=1)
        expected = stats.permutation_test(
            (first[:, 0], second[:, 0]),
            lambda a, b: abs(stats.ttest_ind(a, b, equal_var=False).statistic),
            n_resamples=np.inf,
            alternative="greater",
        )
        assert found.n_permutations == 126
        assert found.p[0] == pytest.approx(expected.pvalue)
        welch = stats.ttest_ind(first[:, 0], second[:, 0], equal_var=False).statistic
        assert found.t[0] == pytest.approx(welch)
        assert found.estimate[0] == pytest.approx(first.mean() - second.mean())

    def test_the_same_seed_gives_the_same(self) -> None:
        groups = RANDOM.normal(0, 1, (20, 3)), RANDOM.normal(0, 1, (20, 3))
        found = [between(*groups, seed=seed, permutations=199) for seed in (1, 1, 2)]
        np.testing.assert_array_equal(found[0].p, found[1].p)
        assert (found[0].p != found[2].p).any()

    def test_level(self) -> None:
        """Over 33 signals that go together, any p_fwer <= .05 in one of twenty studies."""
        random = np.random.default_rng(5)
        hits = 0
        for k in range(100):
            groups = [random.normal(size=(n, 12)) + random.normal(size=(n, 1)) for n in (8, 14)]
            groups[1] *= 2  # unequal variances in groups of unequal size
            found = between(*groups, seed=k, permutations=199)
            hits += bool((found.p_fwer <= 0.05).any())
        assert hits <= 12


class TestReliability:
    def test_shrout_and_fleiss(self) -> None:
        """Their own example (1979, table 2): four judges, six targets."""
        ratings = [
            [9, 2, 5, 8],
            [6, 1, 3, 2],
            [8, 4, 6, 8],
            [7, 1, 2, 6],
            [10, 5, 6, 9],
            [6, 2, 4, 7],
        ]
        assert retest(np.array(ratings, float), seed=1).value == pytest.approx(0.29, abs=0.005)

    def test_spearman_and_brown(self) -> None:
        first, second = RANDOM.normal(size=(2, 30)) + RANDOM.normal(size=30)
        r = np.corrcoef(first, second)[0, 1]
        found = split_half(first, second, seed=1)
        assert found.value == pytest.approx(2 * r / (1 + r))
        assert found.low < found.value < found.high

    def test_people_without_all_values_are_left_out(self) -> None:
        values = RANDOM.normal(size=(12, 2))
        values[4, 1] = np.nan
        whole = retest(np.delete(values, 4, axis=0), seed=1)
        assert retest(values, seed=1) == whole
        assert whole.n == 11

    def test_four_people_are_too_few(self) -> None:
        assert np.isnan(split_half(np.arange(4.0), np.arange(4.0), seed=1).value)
