"""Expression units on the scale of their own measurement noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.findings import Finding

NOISE_UNITS = "noise SD"
#: Seconds between the frames that noise is measured by. From one frame to the next, compression
#: keeps much of a picture's noise, and a repeated picture all of it; a tenth of a second later it
#: is another, at any frame rate and with as few as ten pictures a second.
_APART = 0.1


def normalized(
    values: NDArray[np.float64], time: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[Finding]]:
    """Take the person's neutral out of units and divide them by their measurement noise.

    Parameters
    ----------
    values : ndarray, shape (T, k)
        Units; NaN is missing.
    time : ndarray, shape (T,)
        Seconds.

    Returns
    -------
    values : ndarray, shape (T, k)
        Each unit less its median over time, divided by the standard deviation of its noise
        (`bitbox.face_backend.units.noise_scale`, over
        frames a tenth of a second apart). NaN where that is unknown.
    findings : list of Finding
        One if the noise of a unit that is measured cannot be estimated.
    """
    from bitbox.face_backend.units import noise_scale

    seen = np.isfinite(values).any(axis=0)
    middle = np.full(values.shape[1], np.nan)
    middle[seen] = np.nanmedian(values[:, seen], axis=0)
    apart = max(1, round(_APART / float(np.median(np.diff(time))))) if len(time) > 1 else 1
    scale = noise_scale(values, apart)
    unknown = int(np.count_nonzero(seen & np.isnan(scale)))
    findings = []
    if unknown:
        findings.append(
            Finding(
                "noise-unknown",
                "warning",
                f"The measurement noise of {unknown} of {len(scale)} expression units cannot be "
                "estimated, so their normalised values are missing.",
                "Use a longer recording in which the face moves, or normalize=False.",
            )
        )
    return np.asarray((values - middle) / scale), findings
