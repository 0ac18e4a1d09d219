"""Each finding is made when it should be, and only then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitbox.scorecard import imitation_quality
from bitbox.statistics.spectra import typical_frequency
from bitbox.synthetic.signals import SignalPair, imitated_pair


def codes(pair: SignalPair, **options: Any) -> dict[str, str]:
    found = imitation_quality(
        pair.participant, pair.model, **({"n_surrogates": 99, "seed": 0} | options)
    )
    return {finding.code: f"{finding.message} {finding.todo}" for finding in found.findings}


@pytest.fixture(scope="module")
def good() -> SignalPair:
    return imitated_pair(3, duration=120, seed=0)


def test_good_data_have_no_warnings(good: SignalPair) -> None:
    found = imitation_quality(good.participant, good.model, seed=0)
    assert [f.code for f in found.findings if f.severity != "info"] == []


def test_few_windows(good: SignalPair) -> None:
    found = codes(imitated_pair(3, duration=15, seed=0))
    assert "only 12" in found["few-windows"]
    assert "few-windows" not in codes(good)


def test_windows_too_short_for_slow_signals() -> None:
    slow = imitated_pair(3, duration=120, process="autocorrelated", bandwidth=0.3, noise=0.01)
    assert "straight lines" in codes(slow, width=0.5, lag=0.5)["windows-too-short"]
    assert "windows-too-short" not in codes(slow, width=4.0)


def test_latency_at_the_edge(good: SignalPair) -> None:
    late = imitated_pair(3, duration=120, delay=1.0, seed=0)
    assert "larger lag" in codes(late, lag=0.9)["lag-at-edge"]
    assert "lag-at-edge" not in codes(late, lag=1.6)
    assert "lag-at-edge" not in codes(good)


def test_a_leader_is_pointed_out(good: SignalPair) -> None:
    leader = imitated_pair(3, duration=120, delay=-0.6, seed=0)
    assert "Check who is who" in codes(leader)["reverse-stronger"]
    assert "reverse-stronger" not in codes(good)
    assert "reverse-stronger" not in codes(leader, lag=0.0)
    assert "reverse-stronger" not in codes(leader, causality=False)


def test_low_coverage_and_untested_signals(good: SignalPair) -> None:
    values = good.participant.values.copy()
    values[:1200, 0] = np.nan
    values[:, 1] = np.nan
    found = codes(good._replace(participant=good.participant.replace(values=values)))
    assert "only 0% to 67%" in found["low-coverage"]
    assert found["untested-signals"].startswith("s01 could")
    assert not {"low-coverage", "untested-signals"} & set(codes(good))


def test_stillness_of_both() -> None:
    pair = imitated_pair(2, duration=120, noise=0.0, own=0.05, seed=0)
    rest = np.ones(3600)
    rest[1000:] = 0.01
    still = [s.replace(values=s.values * rest[:, None]) for s in (pair.participant, pair.model)]
    found = codes(SignalPair(still[0], still[1], pair.truth))
    assert "neither person moves" in found["mutual-stillness"]
    assert "mutual-stillness" not in codes(pair)


def test_unmatched_signals(good: SignalPair) -> None:
    fewer = good.participant.select(["s00", "s02"])
    assert "s01" in codes(good._replace(participant=fewer))["unmatched-signals"]


def test_fewer_shifts_than_asked() -> None:
    pair = imitated_pair(2, duration=15, seed=0)
    assert "only 259 different shifts" in codes(pair, n_surrogates=999)["fewer-surrogates"]
    assert "fewer-surrogates" not in codes(pair)
    assert "independent" in codes(pair)["few-independent-shifts"]


@pytest.mark.parametrize("frequency", [0.3, 1.0, 3.0])
def test_typical_frequency(frequency: float) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(1800) / 30
    signal = np.sin(2 * np.pi * frequency * t) + 5 * t + 0.2 * rng.standard_normal(1800)
    assert typical_frequency(signal[:, None], 30) == pytest.approx(frequency, abs=0.1)
    signal[700:720] = np.nan
    assert typical_frequency(signal[:, None], 30) == pytest.approx(frequency, abs=0.1)


def test_no_frequency_without_movement() -> None:
    assert np.isnan(typical_frequency(np.ones((900, 1)), 30))
    assert np.isnan(typical_frequency(np.full((900, 1), np.nan), 30))
