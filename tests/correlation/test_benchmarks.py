"""The benchmarks and the fuzzer run, on little."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import data, engine, fuzz, rounding

from bitbox.correlation.engine import correlate
from tests.correlation.test_engine import TOLERANCE


@pytest.mark.parametrize("seed", range(30))
def test_messy_signals_are_correlated_to_the_promised_accuracy(seed) -> None:
    error, what = fuzz.one(seed)
    assert error <= TOLERANCE, what


def test_a_difference_is_noticed() -> None:
    a, b = np.array([0.5, -0.5, np.nan]), np.array([0.5, 0.5, np.nan])
    assert fuzz.difference(a, b, polarity=True) == 0
    assert fuzz.difference(a, b, polarity=False) == 1
    assert fuzz.difference(a, np.array([0.5, np.nan, np.nan]), polarity=True) == np.inf
    assert fuzz.difference(a, b + 1, polarity=False) > 1


def test_the_yardstick_does_the_same() -> None:
    x, y = data.pair(300, 5)
    plan = data.main_plan(300)
    mean, std, lag = data.numpy_imitation(x, y, plan)
    got = correlate(x, y, plan)
    np.testing.assert_allclose(got.mean, mean, atol=TOLERANCE)
    np.testing.assert_allclose(got.std, std, atol=TOLERANCE)
    np.testing.assert_allclose(got.lag, lag, atol=1e-6)


def test_a_table_shows_times_and_ratios(capsys) -> None:
    jobs = {"one": lambda: sum(range(1000)), "two": lambda: sum(range(9000))}
    engine.table("Title", engine.take_turns(jobs, 3), "one")
    out = capsys.readouterr().out
    assert "Title" in out
    assert "two" in out
    assert "1.00" in out


@pytest.mark.parametrize("missing", [0.0, 0.02])
@pytest.mark.parametrize("kind", ["walk", "jumps"])
def test_coordination_is_accurate_where_single_precision_is_trusted(kind, missing) -> None:
    share, worst = rounding.compare((33, 8, missing), rounding.KINDS[kind], 1)
    assert 0.1 < share < 1.0  # both are met
    assert worst * rounding.UNIT <= TOLERANCE
