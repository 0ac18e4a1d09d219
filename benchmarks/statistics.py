"""What a test against chance costs, beside one observed run of the same analysis.

    python -m benchmarks.statistics [--runs 3]

Five minutes at 30 frames a second, windows of 1.1 s every 0.5 s, lags up to 0.27 s. For 32 and 79
signals: one run of `imitation` on all pairs, 1000 surrogates of the matched signals (both
directions, and specificity), and with --all-pairs 1000 surrogates of all pairs, in seconds and as
a multiple of the one run; and the largest memory of the process so far.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from bitbox.social import imitation, imitation_quality
from bitbox.synthetic.signals import imitated_pair

SETTINGS = {"width": 1.1, "step": 0.5, "lag": 0.27, "fps": 30.0, "polarity": False}


def seconds(call: Callable[[], object], runs: int) -> float:
    """Return the median time of some runs."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def largest_memory() -> float:
    """Return the most memory that this process has held, in MB; NaN where that isn't known."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--all-pairs", action="store_true", help="also test every pair (minutes)")
    options = parser.parse_args()
    small = imitated_pair(2, duration=30)
    imitation_quality(small.participant, small.model, n_surrogates=19)  # compiles
    print("signals  what                       seconds  times one run  largest MB")
    for n in (32, 79):
        pair = imitated_pair(n, duration=300)
        people = pair.participant, pair.model
        imitation(*people, **SETTINGS)
        once = seconds(lambda people=people: imitation(*people, **SETTINGS), 7)
        print(f"{n:7}  one run, all pairs          {once:7.3f}  {1:13}")
        jobs = [("1000 surrogates, matched", False)]
        jobs += [("1000 surrogates, all pairs", True)] if options.all_pairs else []
        for label, whole in jobs:
            taken = seconds(
                lambda people=people, whole=whole: imitation_quality(
                    *people, n_surrogates=999, seed=1, matrix_test=whole, **SETTINGS
                ),
                1 if whole else options.runs,
            )
            print(
                f"{n:7}  {label:26}  {taken:7.2f}  {taken / once:13.0f}  {largest_memory():10.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
