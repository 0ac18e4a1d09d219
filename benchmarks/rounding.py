"""How far single precision is from double in coordination, where the engine trusts it.

    python -m benchmarks.rounding [--rounds 4]

Prints, for each kind of movement, the share of tiles of pairs that are done in float32, and the
largest difference of a correlation from what float64 gives, in units of 2^-24 (33.5 make 2e-6); see
docs/engine.md. Signs are left out: of +r and -r that are equal either may be chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.careful import DOUBLE
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.task import Task
from bitbox.correlation.workspace import Workspace

FloatArray = NDArray[np.float64]
Make = Callable[[np.random.Generator, int, int], FloatArray]

SIGNALS, STRETCHES = 32, 50
UNIT = 2.0**-24
#: Widths of windows, largest lags, and shares of frames that are missing.
CASES = ((33, 8, 0.0), (33, 8, 0.02), (33, 8, 0.1), (15, 15, 0.0), (15, 15, 0.02), (60, 30, 0.0),
         (60, 30, 0.02), (300, 8, 0.0), (300, 8, 0.02), (1000, 15, 0.02))  # fmt: skip


def smooth(rng: np.random.Generator, frames: int, n: int) -> FloatArray:
    """Return noise smoothed over a second."""
    bell = np.hanning(25)
    noise = rng.standard_normal((frames + 24, n))
    return np.apply_along_axis(lambda row: np.convolve(row, bell, "valid"), 0, noise)


def quiet(rng: np.random.Generator, frames: int, n: int) -> FloatArray:
    """Return noise that is five times weaker in a part of each hundred frames."""
    weak = np.arange(frames)[:, None] % 97 < rng.integers(5, 90, (1, n))
    return np.where(weak, 0.2, 1.0) * rng.standard_normal((frames, n))


def drift(rng: np.random.Generator, frames: int, n: int) -> FloatArray:
    """Return steady drifts under a little noise."""
    slopes = np.arange(frames)[:, None] / 50 * rng.uniform(0.5, 2, (1, n))
    return slopes + 0.05 * rng.standard_normal((frames, n))


def jumps(rng: np.random.Generator, frames: int, n: int) -> FloatArray:
    """Return jumps between two levels: values repeat, and so do their rounding errors."""
    return np.asarray((rng.random((frames, n)) < 0.1).cumsum(axis=0) % 2, dtype=np.float64)


KINDS: dict[str, Make] = {
    "noise": lambda rng, frames, n: rng.standard_normal((frames, n)),
    "walk": lambda rng, frames, n: rng.standard_normal((frames, n)).cumsum(axis=0),
    "smooth": smooth,
    "drift": drift,
    "quiet": quiet,
    "jumps": jumps,
}


def windows(task: Task) -> tuple[FloatArray, int, int]:
    """Return the correlations of all windows, the tiles in single precision, and all tiles."""
    workspace, found, single, tiles = Workspace(task), [], 0, 0
    for first in range(0, task.plan.n_windows, task.windows_per_job):
        r, _ = workspace.windows(task, first)
        found.append(r[:, : task.n1, : task.n2].astype(np.float64))
        states = workspace.states[: len(r)]
        single += int((states < DOUBLE).sum())
        tiles += states.size
    return np.concatenate(found), single, tiles


def compare(case: tuple[int, int, float], make: Make, rounds: int) -> tuple[float, float]:
    """Return the share of tiles in single precision, and the largest difference from double."""
    width, lag, missing = case
    span, worst, single, tiles = width + 2 * lag, 0.0, 0, 0
    plan = WindowPlan(span * STRETCHES, 30.0, width, span, lag, "coordination", causal=False)
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        x, y = (make(rng, plan.n_frames, SIGNALS) for _ in range(2))
        if seed % 2:
            y = x * rng.uniform(0.5, 2, SIGNALS) + 0.1 * y
        for values in (x, y):
            values[rng.random(values.shape) < missing] = np.nan
        task = Task.prepare(x, y, plan, polarity=True, min_valid=0.8)
        given, some, all_tiles = windows(task)
        exact, _, _ = windows(replace(task, geometry=task.geometry._replace(limit=1e-9)))
        away = np.abs(np.abs(given) - np.abs(exact)) / UNIT
        worst = max(worst, float(np.nanmax(away, initial=0.0)))
        single, tiles = single + some, tiles + all_tiles
    return single / tiles, worst


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    print(f"{'window, lag, missing':24}{'movement':10}{'in float32':>12}{'differs by':>12}")
    for case in CASES:
        for name, make in KINDS.items():
            share, worst = compare(case, make, rounds)
            told = f"{case[0]}, {case[1]}, {case[2]:.0%}"
            print(f"{told:24}{name:10}{share:12.0%}{worst:12.1f}", flush=True)


if __name__ == "__main__":
    main()
