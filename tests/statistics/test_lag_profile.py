"""The profile of latencies: imitation that is late or leads is found; shared prompts are not."""

from __future__ import annotations

import numpy as np
import pytest
from validation.task_recordings import FPS, IMITATORS, NOBODY, simulate

from bitbox.analysis.result import ImitationQuality
from bitbox.correlation.plan import WindowPlan
from bitbox.social import imitation_quality
from bitbox.statistics.contrast import contrast
from bitbox.statistics.lag_profile import LagProfile, lag_profile
from tests.signals_of import named


def design(name: str) -> int:
    return next(k for k, one in enumerate((*NOBODY, *IMITATORS)) if one.name.startswith(name))


def profiles(name: str, n: int = 20) -> list[LagProfile]:
    """Return those of some recordings of a design."""
    found = []
    for k in range(n):
        task = simulate((*NOBODY, *IMITATORS)[design(name)], np.random.default_rng((1513, k)))
        x, y = task.participant[:, :, None], task.model[:, :, None]
        plan = WindowPlan.from_seconds(len(x), FPS, width=2.0, lag=1.2)
        profile = lag_profile(contrast(x, y, plan, False, 0.8))
        assert profile is not None
        found.append(profile)
    return found


@pytest.mark.parametrize("name", ["moves at random", "whole face at every prompt"])
def test_who_does_not_imitate_seldom_has_a_peak(name: str) -> None:
    assert sum(profile.p <= 0.05 for profile in profiles(name)) <= 4


def test_late_imitation_has_its_peak_where_it_is() -> None:
    found = [profile for profile in profiles("latency 2 to 3 s") if profile.outside(0.0, 1.2)]
    assert len(found) >= 13
    assert np.median([profile.peak for profile in found]) == pytest.approx(2.5, abs=0.4)
    assert list(found[0].to_frame().columns) == ["latency", "ahead", "z"]


def judged(name: str, seed: tuple[int, int]) -> ImitationQuality:
    task = simulate((*NOBODY, *IMITATORS)[design(name)], np.random.default_rng(seed))
    return imitation_quality(named(task.participant), named(task.model), n_surrogates=99, seed=1)


def test_who_leads_has_no_latency_and_is_told() -> None:
    found = [judged("leads", (1514, k)) for k in range(6)]
    told = 0
    for quality in found:
        assert quality.lag_profile is not None
        codes = {finding.code: finding for finding in quality.findings}
        if quality.lag_profile.peak < -0.15:
            told += 1
            assert "the participant leads by" in codes["peak-outside-lags"].message
            assert quality.scorecard[["latency", "gain"]].isna().all(axis=None)
    assert told >= 3


def test_who_follows_late_is_told_which_lag_to_use() -> None:
    found = [f for k in range(3) for f in judged("latency 2 to 3 s", (1514, k)).findings]
    told = [finding for finding in found if finding.code == "peak-outside-lags"]
    assert told
    assert all("Use lag=3" in finding.todo or "Use lag=2" in finding.todo for finding in told)


def test_short_recordings_have_none() -> None:
    x = np.random.default_rng(1).standard_normal((600, 3, 1)).cumsum(axis=0)
    plan = WindowPlan.from_seconds(600, 30.0, width=2.0, lag=1.2)
    assert lag_profile(contrast(x, x, plan, False, 0.8)) is None
