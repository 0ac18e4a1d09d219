"""How often imitation is found in simulated tasks, where nobody imitates and where somebody does.

``python -m validation.tasks`` writes the tables of ``docs/validation/tasks.md``, in about twenty
minutes of processor time. With ``--quick`` it shows in two, from few recordings, what they are
like, and writes nothing; with ``--only`` it makes one of the tables. The seeds begin with 151, or
77001 for the many recordings in trials: none of those that the statistics were developed on does.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from validation.task_recordings import (
    CONVERSATIONS,
    FPS,
    IMITATORS,
    LOST,
    NOBODY,
    UNITS,
    Design,
    FloatArray,
    simulate,
)

from bitbox.correlation.plan import WindowPlan
from bitbox.signals import Signals
from bitbox.social import imitation_quality, imitation_trials
from bitbox.statistics.contrast import contrast
from bitbox.statistics.directions import Directions
from bitbox.statistics.inference import infer
from bitbox.statistics.specificity import specificity
from bitbox.statistics.windows import Rule

#: Where seeds begin, and those of the many recordings in trials.
SEED, MANY_SEED = 151, 77001
ALPHA = 0.05
FOLDER = Path(__file__).parent.parent / "docs" / "validation"
DESIGNS = (*NOBODY, *IMITATORS, *LOST, *CONVERSATIONS)
#: Latencies in seconds, 0.2 less to 0.2 more, and largest lags that are tried on each.
LATENCIES, LAGS = (0.3, 0.6, 1.0, 1.5), (0.5, 1.0, 1.2, 1.5, 2.0)
LATE = (
    *NOBODY[:2],
    *(
        replace(design, latency=(round(late - 0.2, 1), round(late + 0.2, 1)))
        for design in (
            IMITATORS[1],
            Design("conversation of five minutes, 50% mimicked", "mimics", missed=0.5, trials=46),
        )
        for late in LATENCIES
    ),
)
#: What is counted: shares of recordings.
COLUMNS = (
    "in time",
    "imitated",
    "imitates at all",
    "trials: any movement",
    "trials: at all",
    "peak outside lags",
    "active together",
)


def signals(values: FloatArray) -> Signals:
    """Return eight units as Signals."""
    return Signals(
        values=values,
        time=np.arange(len(values)) / FPS,
        names=tuple(f"u{k}" for k in range(values.shape[1])),
        kind="expression",
        schema="simulated task",
        units="au",
        backend="synthetic",
    )


def judge(case: tuple[Design, tuple[int, ...], int]) -> list[float]:
    """Return for one recording what is found: yes, no, or NaN where it is not asked.

    Parameters
    ----------
    case : (Design, seed, int)
        What is done, where random numbers start, and how many surrogates there are.
    """
    design, seed, surrogates = case
    task = simulate(design, np.random.default_rng(seed))
    pair = signals(task.participant), signals(task.model)
    quality = imitation_quality(*pair, n_surrogates=surrogates, seed=1, threads=1)
    head = quality.headline
    found = [head.in_time > 0, head.imitated > 0, head.specific_p <= ALPHA]
    trials = [np.nan, np.nan]
    if design.prompted:
        by_trial = imitation_trials(*pair, task.trials, seed=1)
        card = by_trial.scorecard
        trials = [bool((card["p_fwer"] <= ALPHA).any()), by_trial.overall_p <= ALPHA]
    codes = {finding.code for finding in quality.findings}
    noticed = ("peak-outside-lags" in codes, "active-together" in codes)
    return [float(value) for value in (*found, *trials, *noticed)]


Pool = Any  # multiprocessing's


def table(designs: Sequence[Design], n: int, surrogates: int, pool: Pool) -> pd.DataFrame:
    """Return the shares of recordings, one row a design, with standard errors.

    Parameters
    ----------
    designs : sequence of Design
        What is done.
    n : int
        Recordings of each.
    surrogates : int
        Of every test against shifts.
    pool : Pool
        Who does the work.
    """
    rows = []
    for design in designs:
        number = DESIGNS.index(design)
        cases = [(design, (SEED, number, k), surrogates) for k in range(n)]
        found = np.array(pool.map(judge, cases, chunksize=5))
        row: dict[str, object] = {
            "design": design.name,
            "somebody imitates": "yes" if design.imitates else "no",
            "recordings": n,
        }
        row |= dict(zip(COLUMNS, shares(found), strict=True))
        rows.append(row)
        print(*row.values(), sep="  ", flush=True)
    return pd.DataFrame(rows)


def shares(found: FloatArray) -> list[str]:
    """Return the share of recordings and its standard error for each column of (n, columns)."""
    share = found.mean(axis=0)
    error = np.sqrt(share * (1 - share) / len(found))
    return [
        "" if np.isnan(p) else f"{p:.2f} ± {se:.2f}" for p, se in zip(share, error, strict=True)
    ]


def judge_lags(case: tuple[Design, tuple[int, ...], int]) -> list[float]:
    """Return for one recording and every largest lag: in time, and imitates at all.

    As `imitation_quality` does, less what is not asked here, and at 10 frames a second, which these
    movements don't need more of.
    """
    design, seed, surrogates = case
    task = simulate(design, np.random.default_rng(seed))
    n, thinned = len(task.model) // 3, []
    for values in (task.participant, task.model):
        means = values[: 3 * n].reshape(n, 3, UNITS).mean(axis=1)
        thinned.append((means - means.mean(axis=0))[:, :, None])
    x, y = thinned
    timed, at_all, seen, every = [], [], None, np.ones(UNITS, dtype=np.bool_)
    for lag in LAGS:
        plan = WindowPlan.from_seconds(n, FPS / 3, width=2.0, lag=lag)
        way, _ = Directions(x, y, Rule.make(plan, False, 0.8), surrogates, 1, 1, None).against(
            "circular"
        )
        p = infer(way.shape, way.null, way.alike).p_fwer
        timed.append(way.can_tell and bool((p <= ALPHA).any()))
        seen = seen or contrast(x, y, plan, False, 0.8, threads=1)  # the same for all lags
        told = specificity(seen, seen.circle.allowed(plan), np.eye(UNITS), every)
        at_all.append(told is not None and told.p <= ALPHA)
    return [float(value) for value in (*timed, *at_all)]


def lag_table(designs: Sequence[Design], n: int, surrogates: int, pool: Pool) -> pd.DataFrame:
    """Return what is found of several latencies with several largest lags, parameters as above."""
    rows = []
    for number, design in enumerate(designs):
        least, most = design.latency
        cases = [(design, (SEED, 1000 + number, k), surrogates) for k in range(n)]
        found = shares(np.array(pool.map(judge_lags, cases, chunksize=5)))
        for k, what in enumerate(("in time", "imitates at all")):
            row: dict[str, object] = {
                "design": design.name,
                "latency": f"{least:.1f} to {most:.1f} s" if design.imitates else "",
                "found": what,
            }
            some = found[k * len(LAGS) : (k + 1) * len(LAGS)]
            row |= {f"lag={lag:g}": p for lag, p in zip(LAGS, some, strict=True)}
            rows.append(row)
            print(*row.values(), sep="  ", flush=True)
    return pd.DataFrame(rows)


def write_designs(n: int, surrogates: int, pool: Pool, folder: Path | None) -> None:
    """Make the tables of designs."""
    found = table(DESIGNS, n, surrogates, pool)
    for name, part in found.groupby("somebody imitates"):
        place = f"tasks-{'imitators' if name == 'yes' else 'nobody'}.csv"
        if folder:
            part.drop(columns="somebody imitates").to_csv(folder / place, index=False)


def write_lags(n: int, surrogates: int, pool: Pool, folder: Path | None) -> None:
    """Make the table of latencies and lags."""
    found = lag_table(LATE, n, surrogates, pool)
    if folder:
        found.to_csv(folder / "tasks-lags.csv", index=False)


def judge_trials(case: tuple[Design, tuple[int, ...]]) -> list[float]:
    """Return for one recording, by trials: any movement, at all, and the share by p alone."""
    design, seed = case
    task = simulate(design, np.random.default_rng(seed))
    pair = signals(task.participant), signals(task.model)
    found = imitation_trials(*pair, task.trials, n_permutations=499, seed=seed[-1])
    card = found.scorecard
    some = (card["p_fwer"] <= ALPHA).any(), found.overall_p <= ALPHA
    return [*map(float, some), float((card["p"].dropna() <= ALPHA).mean())]


def write_trials(n: int, _surrogates: int, pool: Pool, folder: Path | None) -> None:
    """Make the table of what trials find where nobody imitates, of many recordings."""
    rows = []
    for number, design in enumerate(DESIGNS[:4]):
        cases = [(design, (MANY_SEED, number, k)) for k in range(n * 20 // 3)]
        found = np.array(pool.map(judge_trials, cases, chunksize=5))
        row: dict[str, object] = {"design": design.name, "recordings": len(cases)}
        row |= dict(zip(("any movement", "at all"), shares(found[:, :2]), strict=True))
        rows.append(row | {"p of a movement": f"{found[:, 2].mean():.3f}"})
        print(*rows[-1].values(), sep="  ", flush=True)
    if folder:
        pd.DataFrame(rows).to_csv(folder / "tasks-trials.csv", index=False)


TABLES: dict[str, Callable[[int, int, Pool, Path | None], None]] = {
    "designs": write_designs,
    "lags": write_lags,
    "trials": write_trials,
}


def main() -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=60)
    parser.add_argument("--surrogates", type=int, default=299)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=TABLES, help="one of the tables")
    parser.add_argument("--quick", action="store_true", help="few recordings; writes nothing")
    chosen = parser.parse_args()
    n, folder = (6, None) if chosen.quick else (chosen.recordings, FOLDER)
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        for name, write in TABLES.items():
            if chosen.only in (None, name):
                write(n, chosen.surrogates, pool, folder)


if __name__ == "__main__":
    main()
