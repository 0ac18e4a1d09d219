"""Show that the p of form keeps its level where nobody imitates, and finds who does.

    python validation/form.py [--recordings 200]

Prints the table of docs/statistics.md, "Form: how far apart": shares of recordings, or of signals,
with a p of at most 0.05, with standard errors. Simulated from fixed seeds; a few minutes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.contrast import Circle
from bitbox.statistics.difference import difference
from bitbox.synthetic.signals import imitated_pair

#: Signals a recording, and how long recordings are, in seconds.
SIGNALS = 8
SECONDS = (20, 30, 45, 60, 120)
#: The largest latency, in seconds: that of `imitation_quality`.
LAG = 1.2
#: The first seed; that of a recording is this and its number.
FIRST = 740_000


def share(found: Sequence[bool]) -> str:
    """Return a share with its standard error."""
    p = float(np.mean(found))
    return f"{p:.3f} ({math.sqrt(max(p * (1 - p), 1e-9) / len(found)):.3f})"


def row(seconds: int, imitated: int, recordings: int) -> list[str]:
    """Return what is found in recordings of one length, of which so many signals are imitated."""
    overall, each, untold = [], [], 0
    for number in range(recordings):
        seed = FIRST + 10_000 * imitated + number
        pair = imitated_pair(SIGNALS, imitated=imitated, duration=seconds, seed=seed)
        x, y = pair.participant.values[:, :, None], pair.model.values[:, :, None]
        plan = WindowPlan.from_seconds(len(x), pair.model.rate, width=2.0, lag=LAG)
        circle = Circle.of(plan)
        form = difference(x, y, circle, circle.allowed(plan), "SD", np.ones(SIGNALS, dtype=bool))
        if np.isnan(form.overall_p):
            untold += 1
            continue
        overall.append(form.overall_p <= 0.05)
        # one signal a recording, so that they are independent: an imitated one, if there is one
        each.append(bool(form.p[0] <= 0.05))
    told = [share(overall), share(each)] if overall else ["not given", "not given"]
    return [f"{seconds} s", f"{imitated} of {SIGNALS}", *told, f"{untold} of {recordings}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=200)
    recordings = parser.parse_args().recordings
    print("| length | imitated | over all | a signal | too short to tell |")
    print("|---|---|---|---|---|")
    for imitated in (0, 4):
        for seconds in SECONDS:
            print("| " + " | ".join(row(seconds, imitated, recordings)) + " |", flush=True)


if __name__ == "__main__":
    main()
