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


def load_analysis() -> None:
    """Analyse two small recordings: all that this takes is imported, and kernels are loaded."""
    from bitbox.analysis.quality import imitation_quality

    people = [small_signals(seed, 450) for seed in (1, 2)]
    imitation_quality(people[0], people[1], width=1.0, lag=0.3, n_surrogates=19)


def small_signals(seed: int, frames: int = 90) -> Signals:
    """Return two signals of so many frames, one of which is missing in the first."""
    values = np.random.default_rng(seed).standard_normal((frames, 2))
    values[40, 0] = np.nan
    return Signals(
        values=values,
        time=np.arange(frames) / 30,
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
