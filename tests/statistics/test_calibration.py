"""Without imitation p is uniform: the promise that the whole package rests on.

The study in ``validation/calibration.py`` does the same with more pairs and settings.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.directions import Directions
from bitbox.statistics.inference import infer
from bitbox.statistics.windows import Rule
from bitbox.synthetic.signals import independent_pair

ROOT = Path(__file__).parents[2]
N_RECORDINGS, N_SIGNALS = 20, 20


def null_p(
    surrogate: str, process: str, n_recordings: int = N_RECORDINGS, **options: bool
) -> tuple[np.ndarray, np.ndarray]:
    """p of 20 independent pairs a recording, and the smallest p_fwer of each recording."""
    p, smallest = [], []
    for seed in range(n_recordings):
        pair = independent_pair(N_SIGNALS, duration=40, process=process, seed=seed)  # type: ignore[arg-type]
        x, y = (s.values[:, :, None] for s in (pair.participant, pair.model))
        plan = WindowPlan.from_seconds(len(x), 30, width=1.1, lag=0.6)
        rule = Rule.make(plan, bool(options.get("polarity")), 0.8)
        forward, reverse = Directions(
            x, y, rule, 39 if surrogate == "phase" else 99, seed, None, None
        ).against(surrogate)
        result = infer(forward.shape, forward.null, forward.alike)
        p += [*result.p, *(infer(reverse.shape, reverse.null).p if options.get("reverse") else [])]
        smallest.append(result.p_fwer.min())
    return np.array(p), np.array(smallest)


def assert_uniform(p: np.ndarray) -> None:
    assert stats.kstest(p, "uniform").pvalue > 0.005
    assert stats.binomtest(int((p <= 0.05).sum()), len(p), 0.05).pvalue > 0.01
    assert stats.binomtest(int((p <= 0.5).sum()), len(p), 0.5).pvalue > 0.01


def test_circular_shifts() -> None:
    smallest = []
    for process in ("bursts", "autocorrelated", "white"):
        p, of_recordings = null_p("circular", process)
        assert_uniform(p)
        smallest += list(of_recordings)
    rejected = sum(p <= 0.05 for p in smallest)
    assert stats.binomtest(rejected, len(smallest), 0.05, alternative="greater").pvalue > 0.01


def test_circular_shifts_with_polarity_and_roles_swapped() -> None:
    p, _ = null_p("circular", "autocorrelated", polarity=True, reverse=True)
    assert_uniform(p[p >= 0])


def test_segments() -> None:
    assert_uniform(null_p("segments", "autocorrelated")[0])


def test_random_phases_of_gaussian_signals() -> None:
    assert_uniform(null_p("phase", "autocorrelated", n_recordings=8)[0])


def test_the_study_runs(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    study = runpy.run_path(str(ROOT / "validation" / "calibration.py"))
    assert study["main"](["--pairs", "20", "--only", "gain", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "gain.csv").read_text().startswith("noise,estimator,mean,sd")
    assert (tmp_path / "gain.svg").stat().st_size > 1000
