"""What two people's movements cannot have: a signal that is the same in both, hundredfold sizes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bitbox.findings import Finding
from bitbox.signals.checks import some

#: So many times as large are a person's movements hardly; degrees are 57 times as many as radians.
OTHER_UNITS = 30.0


def about_copies(names: Iterable[object]) -> tuple[Finding, ...]:
    """Say which moving signals are the same in both recordings, while others are not."""
    held = [str(name) for name in names]
    if not held:
        return ()
    return (
        Finding(
            "same-in-both",
            "warning",
            f"The same in both recordings, frame by frame: {some(held)}. A trigger or a code of "
            "what was shown is that; movements of two people are not.",
            "Leave it out of the files, or out of what is compared: it would be imitated at once.",
        ),
    )


def about_sizes(gains: NDArray[np.float64]) -> tuple[Finding, ...]:
    """Say that movements of one person are so much larger that the units must differ."""
    known = np.abs(gains[np.isfinite(gains) & (gains != 0)])
    if not len(known):
        return ()
    times = float(np.median(known))
    if 1 / OTHER_UNITS < times < OTHER_UNITS:
        return ()
    larger = "participant's" if times > 1 else "model's"
    return (
        Finding(
            "sizes-differ",
            "warning",
            f"The {larger} movements are about {max(times, 1 / times):.0f} times as large, as where"
            " units differ: percent and shares (100), degrees and radians (57), metres and "
            "millimetres (1000).",
            "Check the units of both files. Correlations and p do not depend on them; gain and "
            "difference mean nothing where they differ.",
        ),
    )
