"""What has to be compiled when the main job is first used is compiled by two processes.

The test against chance and the engine have kernels of their own, which take about as long to
compile. The test comes first: while this process compiles its kernels, another one compiles the
engine's, and leaves them where compiled kernels are kept.
"""

from __future__ import annotations

import numpy as np

from bitbox.progress import Progress
from bitbox.signals import Signals
from bitbox.system import ahead
from bitbox.system.kernel_cache import is_kept


def compile_engine(progress: Progress) -> None:
    """Correlate two small recordings, of which frames are missing."""
    from bitbox.analysis.imitation import imitation

    progress("Compiling", 0, None)
    people = [small_signals(seed) for seed in (1, 2)]
    imitation(people[0], people[1], width=1.0, lag=0.3)


def small_signals(seed: int) -> Signals:
    """Return two signals of three seconds, one of which misses a frame."""
    values = np.random.default_rng(seed).standard_normal((90, 2))
    values[40, 0] = np.nan
    return Signals(
        values=values,
        time=np.arange(90) / 30,
        names=("a", "b"),
        kind="expression",
        schema="noise",
        units="au",
        backend="noise",
    )


def begin() -> None:
    """Have the engine's kernels compiled if that was never done; return at once."""
    from bitbox.correlation.careful import windows

    if not is_kept(windows):
        ahead.begin(compile_engine)
