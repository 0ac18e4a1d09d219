"""Signals for the benchmarks and for fuzzing: seeded, of the kinds that face data show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bitbox.correlation.plan import WindowPlan

Array = np.ndarray


def smooth(rng: np.random.Generator, shape: tuple[int, ...], memory: float = 0.9) -> Array:
    """Autoregressive noise of unit variance."""
    out = rng.standard_normal(shape)
    for t in range(1, shape[0]):
        out[t] = memory * out[t - 1] + np.sqrt(1 - memory**2) * out[t]
    return out


def pair(frames: int = 9000, n: int = 79, d: int = 1) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return smooth(rng, (frames, n, d)), smooth(rng, (frames, n, d))


def lose_at_random(data: Array, seed: int, *, together: bool = False, share: float = 0.02) -> Array:
    """Lose frames at random, of all signals together or of each by itself."""
    shape = data.shape[:1] if together else data.shape[:2]
    out = data.copy()
    out[np.random.default_rng(seed).random(shape) < share] = np.nan
    return out


def lose_in_gaps(data: Array, seed: int, together: bool, share: float = 0.05) -> Array:
    """Lose gaps of three seconds at 30 fps, of all signals together or of each by itself."""
    rng, out, length = np.random.default_rng(seed), data.copy(), 90
    count = round(share * data.shape[0] / length)
    for group in [slice(None)] if together else range(data.shape[1]):
        for start in rng.integers(0, data.shape[0] - length, count):
            out[start : start + length, group] = np.nan
    return out


def main_plan(frames: int = 9000, mode: str = "imitation", causal: bool = True) -> WindowPlan:
    """Five minutes at 30 fps: windows of 1.1 s, every 0.5 s, lags up to 8 frames."""
    return WindowPlan(frames, 30.0, 33, 15, 8, mode, causal and mode == "imitation")  # type: ignore[arg-type]


def numpy_imitation(x: Array, y: Array, plan: WindowPlan) -> tuple[Array, Array, Array]:
    """The yardstick: the same numbers with NumPy and BLAS in float64, window by window."""
    values, lags = [], []
    for s in plan.starts:
        a = x[s : s + plan.window, :, 0]
        a = a - a.mean(axis=0)
        a /= np.sqrt((a * a).sum(axis=0))
        best = np.zeros((x.shape[1], y.shape[1]))
        chosen = np.zeros_like(best)
        for lag in sorted(plan.lags, key=lambda q: (abs(q), q)):
            b = y[s + lag : s + lag + plan.window, :, 0]
            b = b - b.mean(axis=0)
            b /= np.sqrt((b * b).sum(axis=0))
            r = a.T @ b
            better = np.abs(r) > np.abs(best)
            best[better], chosen[better] = r[better], lag
        values.append(best)
        lags.append(chosen)
    all_values = np.array(values)
    return all_values.mean(axis=0), all_values.std(axis=0), np.mean(lags, axis=0) / plan.fps


RECIPES: dict[str, Callable[[np.random.Generator, Array], Array]] = {
    "plain": lambda _, a: a,
    "offset": lambda _, a: a + 1e6,
    "huge offset": lambda rng, a: a + 10.0 ** rng.uniform(7, 12),
    "drift": lambda _, a: a + np.arange(len(a))[:, None, None] * 0.3,
    "jump": lambda rng, a: a + after(rng, a) * 10.0 ** rng.uniform(0, 6),
    "quiet": lambda rng, a: a * np.where(after(rng, a), 10.0 ** -rng.uniform(0, 12), 1.0),
    "spikes": lambda rng, a: a + (rng.random(a.shape) < 0.02) * 10.0 ** rng.uniform(0, 5),
    "clipped": lambda _, a: np.maximum(a, 1.0),
    "switch": lambda _, a: (a > 1.0) * 1.0,
    "rounded": lambda _, a: np.round(3 * a),
    "flat": lambda rng, a: np.where(after(rng, a), a[:1], a),
    "walk": lambda _, a: np.cumsum(a, axis=0),
}


def after(rng: np.random.Generator, a: Array) -> Array:
    """Whether a frame is after a random one."""
    return np.arange(len(a))[:, None, None] >= rng.integers(len(a))


def messy(rng: np.random.Generator, frames: int, n: int, d: int) -> tuple[Array, str]:
    """Signals with what goes wrong in practice, and a name for it."""
    kind = str(rng.choice(list(RECIPES)))
    memory = float(rng.choice([0.0, 0.8, 0.95, 0.999]))
    out = RECIPES[kind](rng, smooth(rng, (frames, n, d), memory))
    gaps = str(rng.choice(["complete", "random", "gaps", "together"]))
    if gaps == "random":
        out[rng.random((frames, n)) < rng.choice([0.005, 0.03, 0.1])] = np.nan
    elif gaps == "gaps":
        for _ in range(3):
            start = rng.integers(frames)
            out[start : start + rng.integers(40), rng.random(n) < 0.5] = np.nan
    elif gaps == "together":
        out[rng.random(frames) < 0.03] = np.nan
    return out, f"{kind}, {gaps}"
