"""Compare the engine with the definition on random messy data, for as long as one likes.

    python -m benchmarks.fuzz --minutes 10 [--seed 0]

The definition is `definition.choose`, which the tests compare with plain loops. Every case is made
from its seed alone; a failure prints the seed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from benchmarks.data import messy
from bitbox.correlation import definition
from bitbox.correlation.engine import correlate
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.task import Task, rows

TOLERANCE = 2e-6


def one(seed: int) -> tuple[float, str]:
    """Return the largest error of a case, infinite where definedness differs, and what it is."""
    rng = np.random.default_rng(seed)
    mode = str(rng.choice(["imitation", "imitation", "coordination"]))
    width, lag, step = int(rng.choice([3, 5, 10, 33, 60])), int(rng.integers(10)), rng.integers(20)
    frames = width + 2 * lag + int(rng.integers(250 if mode == "imitation" else 80))
    plan = WindowPlan(
        frames, 30.0, width, int(step) + 1, lag, mode,  # type: ignore[arg-type]
        bool(rng.integers(2)) and mode == "imitation",
    )  # fmt: skip
    n1, n2, d = int(rng.integers(1, 20)), int(rng.integers(1, 20)), int(rng.choice([1, 1, 2, 3]))
    x, kind_x = messy(rng, frames, n1, d)
    y, kind_y = messy(rng, frames, n2, d)
    polarity, min_valid = bool(rng.integers(2)), float(rng.choice([0.8, 0.5, 1.0]))
    got = correlate(x, y, plan, polarity=polarity, min_valid=min_valid, keep_windows=True)
    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    laid_x, laid_y = (
        rows(data, some, (0, frames), scaled=True)[0]
        for data, some in ((task.x, task.rows), (task.y, task.columns))
    )
    expected = np.empty((plan.n_windows, n1, n2))
    for w, start in enumerate(plan.starts):
        for i in range(n1):
            for j in range(n2):
                a, b = laid_x[:, :, i], laid_y[:, :, j]
                expected[w, i, j] = definition.choose(a, b, int(start), task.order, task.geometry)[
                    0
                ]
    assert got.values is not None
    error = difference(got.values, expected, polarity)
    summed = correlate(x, y, plan, polarity=polarity, min_valid=min_valid)
    error = max(error, difference(summed.mean_abs, got.mean_abs, True))
    assert (summed.n_valid == got.n_valid).all()
    return error, f"{mode}, W={width}, L={lag}, d={d}, {polarity=}, x: {kind_x}; y: {kind_y}"


def difference(got: np.ndarray, expected: np.ndarray, polarity: bool) -> float:
    if (np.isnan(got) != np.isnan(expected)).any() or np.nanmax(np.abs(got), initial=0) > 1:
        return float("inf")
    if polarity:  # +r and -r may be equally good at two lags
        got, expected = np.abs(got), np.abs(expected)
    return float(np.nanmax(np.abs(got - expected), initial=0.0))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seed, worst, failures = options.seed, 0.0, 0
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        error, what = one(seed)
        if error > TOLERANCE:
            failures += 1
            print(f"seed {seed}: error {error:.2e}; {what}", flush=True)
        worst = max(worst, error)
        seed += 1
    print(f"{seed - options.seed} cases, {failures} failures, largest error {worst:.2e}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
