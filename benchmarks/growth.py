"""Plot how time grows with the recording, the signals, the window, the lags and the step.

python -m benchmarks.growth            writes docs/images/engine-growth.svg
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.data import pair
from bitbox.correlation.engine import correlate
from bitbox.correlation.plan import WindowPlan

TARGET = Path(__file__).parents[1] / "docs" / "images" / "engine-growth.svg"
MAIN = {"frames": 9000, "signals": 79, "window": 33, "lag": 8, "step": 15}
SERIES = {
    "frames": (2250, 4500, 9000, 18_000, 36_000),
    "signals": (8, 16, 32, 64, 128),
    "window": (16, 33, 66, 132, 264),
    "lag": (2, 4, 8, 16, 32),
    "step": (1, 4, 15, 33, 60),
}
LABELS = {
    "frames": "frames T",
    "signals": "signals n of each person",
    "window": "window W, frames",
    "lag": "largest lag L, frames",
    "step": "step S, frames",
}


def seconds(mode: str, frames: int, signals: int, window: int, lag: int, step: int) -> float:
    x, y = pair(frames, signals)
    plan = WindowPlan(frames, 30.0, window, step, lag, mode, mode == "imitation")  # type: ignore[arg-type]
    least = np.inf
    for _ in range(4 if mode == "imitation" else 3):
        start = time.perf_counter()
        correlate(x, y, plan)
        least = min(least, time.perf_counter() - start)
    return float(least)


def main() -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "engine"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 5, figsize=(12, 2.9), sharey=True, layout="constrained")
    for axis, (name, values) in zip(axes, SERIES.items(), strict=True):
        for mode, marker in (("imitation", "o"), ("coordination", "s")):
            taken = [1e3 * seconds(mode, **{**MAIN, name: value}) for value in values]
            axis.loglog(values, taken, marker=marker, label=mode)
        axis.set_xlabel(LABELS[name])
        axis.set_xticks(values, [str(value) for value in values], minor=False)
        axis.set_xticks([], minor=True)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("time, ms")
    axes[0].legend()
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    main()
