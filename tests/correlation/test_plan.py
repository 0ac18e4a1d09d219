from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitbox.correlation.plan import WindowPlan, seconds_to_frames
from bitbox.errors import ParameterError, TooShortError
from tests import naive


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [(1.1, 30, 33), (0.5, 30, 15), (0.55, 30, 16), (0.25, 30, 8), (0.1, 25, 2), (0.27, 30, 8)],
)
def test_a_half_frame_goes_to_the_even_one(seconds: float, fps: float, frames: int) -> None:
    assert seconds_to_frames(seconds, fps) == frames


def test_defaults_follow_the_width() -> None:
    plan = WindowPlan.from_seconds(9000, 30, width=1.1)
    assert (plan.window, plan.step, plan.max_lag) == (33, 16, 33)


@given(
    n=st.integers(3, 200),
    width=st.integers(3, 40),
    step=st.integers(1, 20),
    lag=st.integers(0, 20),
    mode=st.sampled_from(["imitation", "coordination"]),
    causal=st.booleans(),
)
def test_starts_are_those_of_the_definition(n, width, step, lag, mode, causal) -> None:
    two_sided = mode == "coordination" or not causal
    expected = naive.starts(n, width, step, lag, two_sided)
    options = {"width": width / 25, "step": step / 25, "lag": lag / 25}
    if not expected:
        with pytest.raises(TooShortError):
            WindowPlan.from_seconds(n, 25, **options, mode=mode, causal=causal)
        return
    plan = WindowPlan.from_seconds(n, 25, **options, mode=mode, causal=causal)
    assert plan.starts.tolist() == expected
    assert plan.n_windows == len(expected)
    nets = sorted({b - a for a, b in naive.shifts(lag, mode, causal)})
    assert plan.lags.tolist() == nets
    np.testing.assert_allclose(plan.centres, [(s + (width - 1) / 2) / 25 for s in expected])
    np.testing.assert_allclose(plan.lag_seconds, np.array(nets) / 25)


def test_too_short_says_seconds_and_frames() -> None:
    with pytest.raises(TooShortError, match=r"2\.200 s \(66 frames.*got 2\.000 s \(60 frames\)"):
        WindowPlan.from_seconds(60, 30, width=1.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0.05}, r"at least 3 frames \(0\.1 s\), but got 2 frames \(0\.0667 s\)"),
        ({"width": float("nan")}, "width of the window"),
        ({"width": -1}, "width of the window"),
        ({"width": 1, "lag": -0.1}, "0 or more"),
        ({"width": 1, "step": 0}, "step between windows"),
        ({"width": 1, "mode": "mimicry"}, "'imitation' or 'coordination'"),
    ],
)
def test_senseless_arguments_are_refused(options, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        WindowPlan.from_seconds(900, 30, **options)


def test_a_senseless_rate_is_refused() -> None:
    with pytest.raises(ParameterError, match="frame rate"):
        WindowPlan.from_seconds(900, 0, width=1)
