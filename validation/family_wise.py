"""Is p_fwer better taken from the largest z or from the smallest p of every surrogate?

``python -m validation.family_wise`` writes ``docs/validation/family_wise.csv``, in ten minutes of
one core. By Westfall and Young's smallest p a signal can win whose shape is bounded, as in a rhythm
that fits nearly as well after each period: no z can be large there. Both are tried on the same
recordings, and so is the smaller of the two, which is compared with the smaller of the two of
every surrogate. Seeds begin with 163.
"""

from __future__ import annotations

import argparse
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from validation.task_recordings import FPS, IMITATORS, NOBODY, simulate

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics import surrogates as broken
from bitbox.statistics.inference import TIE, Alike, family_wise, infer, largest_z, likeness
from bitbox.statistics.null import matched
from bitbox.statistics.windows import Pair, Rule, mean_over
from bitbox.synthetic.signals import imitated_pair

FloatArray = NDArray[np.float64]

SEED, ALPHA, SURROGATES = 163, 0.05, 999
TABLE = Path(__file__).parent.parent / "docs" / "validation" / "family_wise.csv"
ROCKER = IMITATORS[-1]
DESIGNS = (
    ROCKER,
    replace(ROCKER, name="a perfect rocker, five minutes", trials=46),
    *IMITATORS[:3],
    *NOBODY[:2],
)


MANY = "8 of 32 signals imitated, two minutes"
NAMES = (*(design.name for design in DESIGNS), MANY)


def recording(name: str, k: int) -> tuple[FloatArray, FloatArray]:
    """Return values of participant and model, (T, n), of the kth recording of that name."""
    number = NAMES.index(name)
    if name == MANY:
        seed = 10_000 * (SEED + number) + k
        pair = imitated_pair(32, duration=120, imitated=8, own=1.5, seed=seed)
        return pair.participant.values, pair.model.values
    task = simulate(DESIGNS[number], np.random.default_rng((SEED, number, k)))
    return task.participant, task.model


def tested(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, Alike]:
    """Return shapes, those of circular shifts, and how alike these are, with default settings."""
    plan = WindowPlan.from_seconds(len(x), FPS, width=2.0, lag=1.2)
    rule = Rule.make(plan, False, 0.8)
    a, b = ((v - v.mean(axis=0))[:, :, None] for v in (x, y))
    pairs = [Pair(a[:, i], b[:, i], rule) for i in range(x.shape[1])]
    shifts = broken.circular_shifts(plan, SURROGATES)
    places = broken.circular_places(plan, shifts)
    null = np.stack([mean_over(pair, places)[0] for pair in pairs], axis=1)
    alike = likeness(null, shifts, broken.smallest_shift(plan), plan.window)
    return np.array([matched(pair).shape for pair in pairs]), null, alike


def ranks(observed: FloatArray, null: FloatArray, k: float) -> tuple[FloatArray, FloatArray]:
    """Return how many arrangements of its signal reach each, itself included: p times m + k.

    Of what is observed, (n,), which stands for k, and the smallest of every surrogate, (m,).
    """
    sorted_ = np.sort(null, axis=0)
    above = [
        len(null) - np.searchsorted(sorted_[:, i], null[:, i] - TIE) for i in range(null.shape[1])
    ]
    of_null = np.stack(above, axis=1) + k * (observed >= null - TIE)
    return (null >= observed - TIE).sum(axis=0) + (k + 1) / 2, of_null.min(axis=1)


def three_ways(observed: FloatArray, null: FloatArray, alike: Alike) -> list[FloatArray]:
    """Return p_fwer of every signal by the largest z, the smallest p and the smaller of both."""
    m, k = len(null), alike.k
    by_z = infer(observed, null, alike).p_fwer
    own, least = ranks(observed, null, k)
    by_p = family_wise(-own, -least, k)
    largest = largest_z(observed, null, alike)
    each_z = (m - np.searchsorted(np.sort(largest), largest - TIE)) / (m + k)
    each_p = np.searchsorted(np.sort(least), least + TIE, side="right") / (m + k)
    both = family_wise(-np.minimum(by_z, by_p), -np.minimum(each_z, each_p), k)
    return [by_z, by_p, both]


def judge(case: tuple[str, int]) -> list[bool]:
    """Return whether any signal of a recording is found, three ways."""
    observed, null, alike = tested(*recording(*case))
    if not alike.can_tell(len(null)):
        return [False] * 3
    return [bool((p <= ALPHA).any()) for p in three_ways(observed, null, alike)]


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    rows = []
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        for name in NAMES:
            cases = [(name, k) for k in range(chosen.recordings)]
            share = np.mean(pool.map(judge, cases, chunksize=5), axis=0)
            error = np.sqrt(share * (1 - share) / chosen.recordings)
            told = [f"{p:.2f} ± {se:.2f}" for p, se in zip(share, error, strict=True)]
            rows.append([name, *told])
            print(*rows[-1], sep="  ", flush=True)
    columns = ["recordings of", "largest z (used)", "smallest p", "the smaller of both"]
    pd.DataFrame(rows, columns=columns).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
