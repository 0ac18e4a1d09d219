"""Show that in short recordings p is right where it is given, and how often it is given.

Run from the repository's root::

    python validation/short_recordings.py                     # half an hour on two cores
    python validation/short_recordings.py --movement FILE.npz # with real movement, too

Two people who have nothing to do with each other, twenty signals each, are tested as
`imitation_quality` does unless told otherwise (999 shifts), and so are single ones of the signals.
FILE.npz holds real movement: for each person NAME an array NAME_raw, (frames, points, 3), and
NAME_time in seconds. Stretches of 3 to 8 s of one person, some of them backwards, are joined until
there is enough. The table is written to ``docs/validation/short.csv``.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics import surrogates as broken
from bitbox.statistics.inference import infer, likeness
from bitbox.statistics.null import matched
from bitbox.statistics.windows import Pair, Rule, mean_over
from bitbox.synthetic.signals import movements

FloatArray = NDArray[np.float64]

FPS, SIGNALS, SURROGATES = 30.0, 20, 999
#: Where random numbers start; what is written here was developed on others.
SEED = 2711
#: Movement of people: process and highest frequency in Hz.
PROCESSES = {
    "bursts": ("bursts", 1.5),
    "autocorrelated": ("autocorrelated", 1.5),
    "sluggish": ("autocorrelated", 0.4),
    "drifting": ("drifting", 1.5),
}
#: Seconds, width and lag.
SETTINGS = [(s, 2.0, 1.2) for s in (20.0, 30.0, 54.0)] + [(12.0, 1.0, 0.5), (20.0, 1.1, 1.1)]


class Tested(NamedTuple):
    """What the tests of one recording gave: twenty signals together, and four by themselves."""

    p: FloatArray
    smallest: float
    alone: FloatArray


def person(process: str, n: int, rng: np.random.Generator, clip: FloatArray | None) -> FloatArray:
    """Return the signals of one person, (n, SIGNALS)."""
    if clip is not None:
        return resampled(clip, n, rng)
    kind, bandwidth = PROCESSES[process]
    options = {} if kind == "bursts" else {"bandwidth": bandwidth}
    values = movements(kind, n, SIGNALS, FPS, rng, **options)  # type: ignore[arg-type]
    return values + 0.05 * rng.standard_normal(values.shape)


def resampled(clip: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Return n frames of stretches of a clip, joined over 0.4 s."""
    fade = np.linspace(0, 1, 12)[:, None]
    joined = np.empty((0, clip.shape[1]))
    while len(joined) < n + 60:
        length = int(rng.integers(90, min(len(clip), 240) + 1))
        first = int(rng.integers(0, len(clip) - length + 1))
        part = clip[first : first + length][:: rng.choice([1, -1])]
        if len(joined):
            seam = joined[-12:] * (1 - fade) + part[:12] * fade
            joined = np.concatenate([joined[:-12], seam, part[12:]])
        else:
            joined = part
    first = int(rng.integers(0, 60))
    return joined[first : first + n]


@cache
def clips(path: Path | None) -> list[FloatArray]:
    """Return signals of every person in a file of movement: how point moves against point."""
    if path is None:
        return []
    found = []
    with np.load(path) as file:
        for name in sorted(file.files):
            if not name.endswith("_raw"):
                continue
            points = file[name].astype(float)
            time = file[name.removesuffix("_raw") + "_time"].astype(float)
            rng = np.random.default_rng(3)
            a, b = rng.integers(points.shape[1], size=(2, SIGNALS))
            way = rng.standard_normal((SIGNALS, 3))
            apart = np.einsum("tsc,sc->ts", points[:, a] - points[:, b], way)
            grid = np.arange(time[0], time[-1], 1 / FPS)
            found.append(np.stack([np.interp(grid, time, s) for s in apart.T], axis=1))
    return found


def one_recording(
    process: str, setting: tuple[float, float, float], movement: Path | None, number: int
) -> Tested:
    """Return what the tests of two people who have nothing to do with each other give."""
    seconds, width, lag = setting
    n = round(seconds * FPS)
    kind = sum(map(ord, process))
    rng = np.random.default_rng([SEED, number, kind, round(seconds * 10), round(width * 10)])
    real = clips(movement) if process == "real" else []
    who = rng.choice(len(real), 2, replace=False) if real else (None, None)
    x, y = (person(process, n, rng, None if k is None else real[k]) for k in who)
    plan = WindowPlan.from_seconds(n, FPS, width=width, lag=lag)
    rule = Rule.make(plan, False, 0.8)
    shifts = broken.circular_shifts(plan, SURROGATES)
    places = broken.circular_places(plan, shifts)
    pairs = [Pair(x[:, i, None], y[:, i, None], rule) for i in range(SIGNALS)]
    shape = np.array([matched(pair).shape for pair in pairs])
    null = np.stack([mean_over(pair, places)[0] for pair in pairs], axis=1)
    groups = [slice(0, SIGNALS), *(slice(k, k + 1) for k in range(4))]
    p, smallest = [], []
    for group in groups:
        alike = likeness(null[:, group], shifts, broken.smallest_shift(plan), plan.window)
        result = infer(shape[group], null[:, group], alike)
        told = alike.can_tell(len(null))
        p.append(result.p if told else np.full(len(result.p), np.nan))
        smallest.append(float(np.nanmin(result.p_fwer)) if told else np.nan)
    return Tested(p[0], smallest[0], np.concatenate(p[1:]))


def study(n_recordings: int, movement: Path | None) -> pd.DataFrame:
    """Return one row a kind of movement and setting."""
    rows = []
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for setting in SETTINGS:
            for process in [*PROCESSES, *(["real"] if movement else [])]:
                work = partial(one_recording, process, setting, movement)
                found = list(workers.map(work, range(n_recordings), chunksize=5))
                rows.append(row(process, setting, found))
                print({k: v if isinstance(v, str) else round(v, 4) for k, v in rows[-1].items()},
                      flush=True)  # fmt: skip
    return pd.DataFrame(rows)


def row(
    process: str, setting: tuple[float, float, float], found: list[Tested]
) -> dict[str, str | float]:
    """Return how often p is given, and how often it is small where it is."""
    p, alone = (np.concatenate([getattr(one, name) for one in found]) for name in ("p", "alone"))
    smallest = np.array([one.smallest for one in found])
    told = p[np.isfinite(p)]
    by_itself = alone[np.isfinite(alone)]
    some = len(told) > 0

    def share(values: FloatArray, level: float) -> float:
        return float(np.mean(values <= level)) if len(values) else float("nan")

    return {
        "movement": process,
        "seconds": setting[0],
        "width": setting[1],
        "lag": setting[2],
        "recordings": len(found),
        "told": float(np.isfinite(smallest).mean()),
        "p ≤ 0.05": share(told, 0.05),
        "p ≤ 0.1": share(told, 0.1),
        "p ≤ 0.5": share(told, 0.5),
        "any p_fwer ≤ 0.05": share(smallest[np.isfinite(smallest)], 0.05) if some else float("nan"),
        "single signals told": float(np.isfinite(alone).mean()),
        "single p ≤ 0.05": share(by_itself, 0.05),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=200, help="recordings a row")
    parser.add_argument("--movement", type=Path, default=None, help="real movement, see above")
    parser.add_argument("--output", type=Path, default=Path("docs/validation"))
    given = parser.parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)
    table = study(given.recordings, given.movement)
    table.to_csv(given.output / "short.csv", index=False, float_format="%.4g")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
