"""Values that no movement has: held ones, empty rows written as numbers, lost decimal marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.findings import Finding
from bitbox.readers.oddities import oddities

N = 900
FloatArray = NDArray[np.float64]


def movements(columns: int = 3, digits: int = 4, seed: int = 0) -> FloatArray:
    """Smooth movements from 0 to about 5, as a table holds them."""
    noise = np.random.default_rng(seed).normal(size=(N + 20, columns))
    smooth = np.apply_along_axis(np.convolve, 0, noise, np.ones(21) / 21, "valid")
    return np.asarray(np.round(np.clip(5 * smooth, 0, 5), digits))


def told(values: FloatArray) -> list[Finding]:
    names = [f"s{k}" for k in range(values.shape[1])]
    return list(oddities(Path("a.csv"), names, values, np.arange(len(values)) + 2))


@pytest.mark.parametrize("columns", [1, 2, 17])
@pytest.mark.parametrize("digits", [1, 2, 4, 12])
@pytest.mark.parametrize("seed", range(5))
def test_movements_are_fine(columns: int, digits: int, seed: int) -> None:
    assert told(movements(columns, digits, seed)) == []


def test_whoever_keeps_still_is_fine() -> None:
    values = movements()
    values[200:600] = values[200] + np.random.default_rng(1).normal(0, 2e-4, (400, 3)).round(4)
    assert told(values) == []


def test_switches_and_ratings_are_fine() -> None:
    rows = np.arange(N)
    assert told(np.column_stack([rows // 50 % 2, rows // 90 % 5])) == []


def test_a_lower_rate_that_was_filled_up() -> None:
    (finding,) = told(movements()[np.arange(N) // 3 * 3])
    assert finding.code == "held-values"
    assert "up to 2 at once" in finding.message


def test_the_last_value_goes_on() -> None:
    values = movements() + 1
    values[300:340] = values[299]
    (finding,) = told(values)
    assert finding.code == "held-values"
    assert "up to 40 at once, from line 302 on" in finding.message


def test_doubled_rows() -> None:
    values = np.random.default_rng(3).normal(size=(N, 2)).cumsum(axis=0).round(3)
    values = np.insert(values, np.arange(50, N, 100), 0, axis=0)
    doubled = np.arange(50, N, 100) + np.arange(9)
    values[doubled] = values[doubled - 1]
    (finding,) = told(values)
    assert "9 of 909 rows" in finding.message


@pytest.mark.parametrize("number", [0, -1])
def test_rows_of_one_number(number: int) -> None:
    values = movements() + 1
    values[300:320] = number
    (finding,) = told(values)
    assert finding.code == "rows-of-zeros"
    assert f"in 20 of 900 rows all values are {number}, first in line 302" in finding.message


def test_a_face_at_rest_is_fine() -> None:
    values = movements()
    values[300:320] = 0
    assert told(values) == []  # each of them is 0 now and then


def test_a_lost_decimal_mark() -> None:
    values = movements()
    values[400, 1] = 1234
    (finding,) = told(values)
    assert finding.code == "far-values"
    assert "column 's1' is 1234 in line 402, while 98 % of it lie from 0 to" in finding.message


def test_a_rare_movement_is_fine() -> None:
    values = 0.02 + movements() / 500
    values[400:404, 0] += 0.9  # a single blink
    assert told(values) == []
