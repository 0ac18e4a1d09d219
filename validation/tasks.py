"""How often imitation is found in simulated tasks, where nobody imitates and where somebody does.

``python -m validation.tasks`` writes the tables of ``docs/validation/tasks.md``. The seeds begin
with 151: none of those that the statistics were developed on does.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from validation.task_recordings import (
    CONVERSATIONS,
    FPS,
    IMITATORS,
    LOST,
    NOBODY,
    Design,
    FloatArray,
    simulate,
)

from bitbox.signals import Signals
from bitbox.social import imitation_quality, imitation_trials

#: Where seeds begin.
SEED = 151
ALPHA = 0.05
TABLE = Path(__file__).parent.parent / "docs" / "validation" / "tasks.csv"
DESIGNS = (*NOBODY, *IMITATORS, *LOST, *CONVERSATIONS)
#: What is counted: shares of recordings.
COLUMNS = (
    "in time",
    "imitated",
    "imitates at all",
    "trials: any movement",
    "trials: at all",
    "peak outside lags",
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
    outside = any(finding.code == "peak-outside-lags" for finding in quality.findings)
    return [float(value) for value in (*found, *trials, outside)]


def table(designs: Sequence[Design], n: int, surrogates: int, processes: int) -> pd.DataFrame:
    """Return the shares of recordings, one row a design, with standard errors.

    Parameters
    ----------
    designs : sequence of Design
        What is done.
    n : int
        Recordings of each.
    surrogates : int
        Of every test against shifts.
    processes : int
        How many work at once.
    """
    rows = []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for design in designs:
            number = DESIGNS.index(design)
            cases = [(design, (SEED, number, k), surrogates) for k in range(n)]
            found = np.array(pool.map(judge, cases, chunksize=5))
            share = found.mean(axis=0)
            error = np.sqrt(share * (1 - share) / n)
            row: dict[str, object] = {
                "design": design.name,
                "somebody imitates": "yes" if design.imitates else "no",
                "recordings": n,
            }
            row |= {
                name: "" if np.isnan(p) else f"{p:.2f} ± {se:.2f}"
                for name, p, se in zip(COLUMNS, share, error, strict=True)
            }
            rows.append(row)
            print(*row.values(), sep="  ", flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=60)
    parser.add_argument("--surrogates", type=int, default=299)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    found = table(DESIGNS, chosen.recordings, chosen.surrogates, chosen.processes)
    for name, part in found.groupby("somebody imitates"):
        place = TABLE.with_name(f"tasks-{'imitators' if name == 'yes' else 'nobody'}.csv")
        part.drop(columns="somebody imitates").to_csv(place, index=False)


if __name__ == "__main__":
    main()
