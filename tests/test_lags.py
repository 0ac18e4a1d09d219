from __future__ import annotations

import numpy as np
import pytest

from bitbox.errors import ParameterError
from bitbox.signals import Signals
from bitbox.social import lag_surface
from tests import naive
from tests.correlation.test_engine import TOLERANCE, smooth


def people() -> tuple[Signals, Signals]:
    rng = np.random.default_rng(3)
    made = []
    for _ in range(2):
        values = smooth(rng, (60, 3))
        values[20, 1] = np.nan
        made.append(
            Signals(
                values=values,
                time=np.arange(60) / 25,
                names=("a", "b", "c"),
                kind="expression",
                schema="test",
                units="",
                backend="test",
            )
        )
    return made[0], made[1]


@pytest.mark.parametrize("causality", [True, False])
def test_every_lag_is_that_of_the_definition(causality: bool) -> None:
    x, y = people()
    options = {"width": 0.4, "lag": 0.12, "step": 0.2, "causality": causality, "max_gap": 0.0}
    got = lag_surface(x, y, [("a", "b"), ("c", "c")], **options)
    assert got.dims == ("window", "lag", "pair")
    assert got.participant_signal.values.tolist() == ["a", "c"]
    assert got.model_signal.values.tolist() == ["b", "c"]
    lags = np.arange(-3, 1 if causality else 4)
    np.testing.assert_allclose(got.lag, lags / 25)
    starts = naive.starts(60, 10, 5, 3, not causality)
    np.testing.assert_allclose(got.window, (np.array(starts) + 4.5) / 25)
    data = [s.values[:, :, None] for s in (x, y)]
    for w, q, p in np.ndindex(len(starts), len(lags), 2):
        i, j = [(0, 1), (2, 2)][p]
        (r,) = naive.at_lag(*data, i, j, starts[w], 10, 3, lags[q])
        np.testing.assert_allclose(got.values[w, q, p], r, atol=TOLERANCE)


def test_without_pairs_signals_of_one_name_meet() -> None:
    x, y = people()
    got = lag_surface(x, y, width=0.4, lag=0.1)
    assert got.participant_signal.values.tolist() == got.model_signal.values.tolist() == list("abc")


def test_a_signal_that_is_not_there_is_named() -> None:
    x, y = people()
    with pytest.raises(ParameterError, match=r"Y does not have.*'nose'"):
        lag_surface(x, y, [("a", "nose")], width=0.4, lag=0.1)
    other = y.replace(names=("d", "e", "f"))
    with pytest.raises(ParameterError, match="No signal of X"):
        lag_surface(x, other, width=0.4, lag=0.1)
