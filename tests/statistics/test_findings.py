"""Each finding is made when it should be, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.analysis.quality import imitation_quality
from bitbox.statistics.activity import activity
from bitbox.statistics.spectra import typical_frequencies
from bitbox.synthetic.signals import SignalPair, imitated_pair, independent_pair
from tests.signals_of import named


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


def test_no_latency_at_all_is_an_edge_that_a_larger_lag_does_not_mend(good: SignalPair) -> None:
    found = codes(SignalPair(good.model, good.model, good.truth))["lag-at-edge"]
    assert "at no lag at all" in found
    assert "--" not in found  # the command says it in its own words, once
    assert "offset" in found
    late = imitated_pair(3, duration=120, delay=1.0, seed=0)
    assert "(-0.9 to 0.9 s)" in codes(late, lag=0.9, causality=False)["lag-at-edge"]


def test_a_leader_is_pointed_out(good: SignalPair) -> None:
    leader = imitated_pair(3, duration=120, delay=-0.6, seed=0)
    assert "Check who is who" in codes(leader)["reverse-stronger"]
    assert "reverse-stronger" not in codes(good)
    assert "reverse-stronger" not in codes(leader, lag=0.0)
    assert "reverse-stronger" not in codes(leader, causality=False)


def test_one_chance_reverse_among_many_signals_is_no_leader() -> None:
    found = [
        codes(independent_pair(20, duration=60, seed=seed), n_surrogates=199) for seed in range(6)
    ]
    assert sum("reverse-stronger" in each for each in found) <= 1


def test_one_signal_that_is_the_same_in_both(good: SignalPair) -> None:
    values = good.participant.values.copy()
    values[:, 1] = good.model.values[:, 1]
    found = codes(SignalPair(good.participant.replace(values=values), good.model, good.truth))
    assert f"frame by frame: {good.model.names[1]!r}." in found["same-in-both"]
    assert "same-recording" not in found
    assert "same-in-both" not in codes(good)
    assert "same-in-both" not in codes(SignalPair(good.model, good.model, good.truth))


@pytest.mark.parametrize(("factor", "whose"), [(57.3, "participant's"), (0.01, "model's")])
def test_units_that_differ(good: SignalPair, factor: float, whose: str) -> None:
    larger = good.participant.replace(values=factor * good.participant.values)
    found = codes(SignalPair(larger, good.model, good.truth))
    assert f"The {whose} movements are about" in found["sizes-differ"]
    halved = good.participant.replace(values=0.1 * good.participant.values)
    assert "sizes-differ" not in codes(SignalPair(halved, good.model, good.truth))


def test_the_same_recording_twice(good: SignalPair) -> None:
    assert (
        "frame by frame" in codes(SignalPair(good.model, good.model, good.truth))["same-recording"]
    )
    assert "same-recording" not in codes(good)


def test_low_coverage_and_untested_signals(good: SignalPair) -> None:
    values = good.participant.values.copy()
    values[:1200, 0] = np.nan
    values[:, 1] = np.nan
    found = codes(good._replace(participant=good.participant.replace(values=values)))
    assert "only 0% to 67%" in found["low-coverage"]
    assert "(s01: never known in both" in found["untested-signals"]
    assert not {"low-coverage", "untested-signals"} & set(codes(good))


def test_untested_signals_say_why(good: SignalPair) -> None:
    x, y = good.participant.values.copy(), good.model.values.copy()
    x[:, 0] = 3.0
    y[:, 2] = -1.0
    people = [s.replace(values=v) for s, v in ((good.participant, x), (good.model, y))]
    found = codes(SignalPair(people[0], people[1], good.truth))["untested-signals"]
    assert "s00: constant in the participant's recording; s02: constant in the model's" in found
    still = good.model.replace(values=np.ones_like(y))
    quality = imitation_quality(good.participant, still, n_surrogates=99, seed=0)
    (finding,) = (f for f in quality.findings if f.code == "untested-signals")
    assert finding.severity == "warning"
    assert "s00, s01, s02: constant in the model's recording" in finding.message
    assert "No signal could be tested" in str(quality.headline)


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
    assert "only 164 different shifts" in codes(pair, n_surrogates=999)["fewer-surrogates"]
    assert "fewer-surrogates" not in codes(pair)
    assert "few-independent-shifts" not in codes(pair)
    few = codes(pair)["too-short-to-tell"]
    assert "too few for a p of 0.05: p, p_fwer and q_fdr are not given" in few


def test_shifts_that_are_not_independent(good: SignalPair) -> None:
    minute = imitated_pair(3, duration=60, seed=0)
    quality = imitation_quality(minute.participant, minute.model, seed=0)
    least = quality.scorecard["p_fwer"].min()
    (finding,) = (f for f in quality.findings if f.code == "few-independent-shifts")
    assert finding.severity == "info"
    assert f"cannot be below {least:.2g}" in finding.message
    assert 0.004 < least < 0.01
    assert "few-independent-shifts" not in codes(good, n_surrogates=199)


@pytest.mark.parametrize("frequency", [0.3, 1.0, 3.0])
def test_typical_frequencies(frequency: float) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(1800) / 30
    signal = np.sin(2 * np.pi * frequency * t) + 5 * t + 0.2 * rng.standard_normal(1800)
    holed = np.where((np.arange(1800) >= 700) & (np.arange(1800) < 720), np.nan, signal)
    found = typical_frequencies(np.stack([signal, holed], axis=1)[:, :, None], 30)
    np.testing.assert_allclose(found, frequency, atol=0.1)


def rare(seconds: float, spacing: float, noise: float = 0.05) -> NDArray[np.float64]:
    """Return four signals, (T, 4), that now and then move there and back, in so many seconds."""
    rng = np.random.default_rng(3)
    t = np.arange(round(30 * max(90.0, 4 * spacing))) / 30
    signals = noise * rng.standard_normal((len(t), 4))
    for k in range(4):
        onset = rng.uniform(0, spacing - seconds)
        while onset < t[-1]:
            phase = np.clip((t - onset) / (seconds * rng.uniform(0.8, 1.2)), 0, 1)
            signals[:, k] += rng.uniform(0.8, 1.2) * np.sin(np.pi * phase) ** 2
            onset += spacing * rng.uniform(0.8, 1.2)
    return signals


@pytest.mark.parametrize("seconds", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("spacing", [2, 4, 10])
def test_rare_movements_are_not_slow_ones(seconds: float, spacing: int) -> None:
    found = typical_frequencies(rare(seconds, spacing * seconds)[:, :, None], 30)
    assert 0.55 < seconds * np.median(found) < 0.95


def test_windows_are_not_short_for_movements_that_are_rare() -> None:
    participant, model = named(rare(3.0, 12.0)), named(rare(3.0, 14.0))
    found = imitation_quality(participant, model, n_surrogates=99, seed=0)
    assert "windows-too-short" not in [finding.code for finding in found.findings]


def test_no_frequency_without_movement() -> None:
    nothing = np.stack([np.ones(900), np.full(900, np.nan)], axis=1)[:, :, None]
    assert np.isnan(typical_frequencies(nothing, 30)).all()


def test_people_who_are_lively_in_the_same_half_are_noticed() -> None:
    people = independent_pair(4, duration=90, process="bursts", seed=3)
    lively = np.where(np.arange(len(people.model.time)) < 45 * 30, 1.0, 0.15)[:, None]
    both = SignalPair(
        *(replace(one, values=one.values * lively) for one in (people.participant, people.model)),
        people.truth,
    )
    assert "same parts" in codes(both)["active-together"]
    assert "active-together" not in codes(both, surrogate="local")
    assert "active-together" not in codes(people)
    one = replace(people.participant, values=people.participant.values * lively[::-1])
    assert "active-together" not in codes(SignalPair(one, both.model, people.truth))


def test_activity_of_what_is_missing_or_still_is_unknown() -> None:
    signals = np.random.default_rng(0).standard_normal((90, 2, 1))
    signals[30:60], signals[:, 1] = np.nan, 3.0
    found = activity(signals, 30)
    assert np.isnan(found[1])
    assert found[[0, 2]] == pytest.approx(
        signals[:, 0, 0].reshape(3, 30)[[0, 2]].std(axis=1) / np.nanstd(signals[:, 0])
    )
    assert np.isnan(activity(np.full((90, 2, 1), np.nan), 30)).all()
