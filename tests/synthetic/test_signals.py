"""Pairs of synthetic signals are what their truth says."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.synthetic.signals import PROCESSES, imitated_pair, independent_pair, movements


def lag_of_peak(x: NDArray[np.float64], y: NDArray[np.float64], most: int) -> tuple[int, float]:
    """The shift of x behind y, in frames, at which they correlate most; by plain loops."""
    best, shift = -2.0, 0
    for lag in range(-most, most + 1):
        a = x[most + lag : len(x) - most + lag]
        b = y[most : len(y) - most]
        r = float(np.corrcoef(a, b)[0, 1])
        if r > best:
            best, shift = r, lag
    return shift, best


@pytest.mark.parametrize("process", PROCESSES)
def test_planted_delay_and_gain_are_found(process: Any) -> None:
    pair = imitated_pair(
        3, duration=120, delay=0.4, gain=0.5, own=0, noise=0, process=process, seed=3
    )
    for k in range(3):
        shift, r = lag_of_peak(pair.participant.values[:, k], pair.model.values[:, k], 30)
        assert shift == 12
        assert r > 0.999
        x, y = pair.participant.values[12:, k], pair.model.values[:-12, k]
        assert np.polyfit(y, x, 1)[0] == pytest.approx(0.5, abs=0.01)


def test_each_signal_has_its_own_delay_gain_and_fate() -> None:
    pair = imitated_pair(
        3,
        duration=200,
        imitated=(True, False, True),
        delay=(0.2, 0.3, -0.5),
        gain=(1.0, 1.0, 0.6),
        own=0.2,
        process="autocorrelated",
    )
    truth = pair.truth
    assert truth.imitated == (True, False, True)
    assert truth.delay[0] == 0.2
    assert np.isnan(truth.delay[1])
    found = [
        lag_of_peak(pair.participant.values[:, k], pair.model.values[:, k], 30) for k in range(3)
    ]
    assert found[0][0] == 6
    assert found[2][0] == -15
    assert found[1][1] < 0.3 < 0.9 < found[0][1]


def test_delays_are_not_rounded_to_frames() -> None:
    pair = imitated_pair(
        1, duration=60, fps=30, delay=0.45, gain=1, own=0, noise=0, process="autocorrelated"
    )
    x, y = pair.participant.values[:, 0], pair.model.values[:, 0]
    between = (y[20 - 14 : -14] + y[20 - 13 : -13]) / 2  # 13.5 frames
    assert np.abs(x[20:] - between).max() < 0.04
    assert np.abs(x[20:] - y[20 - 13 : -13]).max() > 0.08


@pytest.mark.parametrize("process", PROCESSES)
def test_independent_pairs_have_no_correlation_on_average(process: Any) -> None:
    r = [
        np.corrcoef(pair.participant.values[:, 0], pair.model.values[:, 0])[0, 1]
        for pair in (
            independent_pair(1, duration=30, process=process, seed=seed) for seed in range(200)
        )
    ]
    assert abs(np.mean(r)) < 4 * np.std(r) / np.sqrt(len(r))


def test_movements_have_unit_size_and_stay_below_the_bandwidth() -> None:
    rng = np.random.default_rng(0)
    for process in PROCESSES:
        x = movements(process, 60000, 1, 30.0, rng, bandwidth=1.5)[:, 0]
        assert x.std() == pytest.approx(1, abs=0.15)
        if process in ("bursts", "autocorrelated"):
            power = np.abs(np.fft.rfft(x - x.mean())) ** 2
            frequency = np.fft.rfftfreq(len(x), 1 / 30)
            assert power[frequency > 2.5].sum() < 0.02 * power.sum()


def test_shared_movement_makes_signals_of_one_person_correlate() -> None:
    x = movements(
        "autocorrelated", 60000, 3, 30.0, np.random.default_rng(0), bandwidth=3, shared=0.4
    )
    r = np.corrcoef(x.T)
    np.testing.assert_allclose(r[np.triu_indices(3, 1)], 0.4, atol=0.05)


def test_same_seed_same_pair() -> None:
    one, two, other = (imitated_pair(4, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.participant.values, two.participant.values)
    np.testing.assert_array_equal(one.model.values, two.model.values)
    assert not np.array_equal(one.model.values, other.model.values)
    assert one.truth.to_dict() == two.truth.to_dict()
    assert independent_pair(2).truth.to_dict()["delay"] == [None, None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_signals": 0},
        {"duration": -1},
        {"fps": 0},
        {"imitated": 9},
        {"imitated": (True,)},
        {"delay": (1.0, 2.0)},
        {"gain": float("nan")},
        {"noise": -1},
        {"process": "pink"},
        {"bandwidth": 20},
        {"shared": 2},
    ],
)
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        imitated_pair(**wrong)


def test_needs_no_video_library() -> None:
    import subprocess

    code = (
        "import sys, bitbox.synthetic.signals as s; s.imitated_pair(); "
        "sys.exit(any(m in sys.modules for m in ('cv2', 'av', 'mediapipe', 'skimage')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
