"""How late the participant follows, if at all: every latency from leading to late, with one p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.statistics.contrast import Circle, Contrast
from bitbox.statistics.inference import ALPHA, autocorrelation_time

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Latencies that are looked at, in seconds: from leading to following late.
RANGE = (-2.0, 5.0)
#: With fewer independent latencies elsewhere nothing is told.
LEAST_INDEPENDENT = 15.0
#: So many latencies elsewhere are enough: ten minutes of them.
ENOUGH_ELSEWHERE = 6000
#: A best latency this close to the allowed range lies within it, in seconds.
NEAR = 0.15


@dataclass(frozen=True, eq=False)
class LagProfile:
    """By how much movements go with their own counterparts more than with others, by latency.

    Attributes
    ----------
    latency : (L,) array
        Seconds, from -2 to 5; positive: the participant follows.
    ahead : (L,) array
        Mean over windows and signals of the correlation, weighted by movement, of pairs of one
        name less that of other pairs.
    z : (L,) array
        That in its standard errors, on the scale of latencies far from these.
    p : float
        Chance of a z as large as the largest at any of these latencies. NaN: too short to tell.
    peak : float
        The latency of the largest z; NaN where p is above 0.05.
    """

    latency: FloatArray
    ahead: FloatArray
    z: FloatArray
    p: float
    peak: float

    def to_frame(self) -> pd.DataFrame:
        """Return the latencies, one row each: ``latency``, ``ahead``, ``z``."""
        import pandas as pd

        return pd.DataFrame({"latency": self.latency, "ahead": self.ahead, "z": self.z})

    def outside(self, least: float, most: float) -> bool:
        """Return whether the best latency is clearly none of those from least to most seconds."""
        return bool(self.peak < least - NEAR or self.peak > most + NEAR)


def latencies(circle: Circle) -> IntArray:
    """Return the latencies, in steps, that a lag profile needs to know."""
    return np.concatenate(_looked_at(circle)) % circle.places


def _looked_at(circle: Circle) -> tuple[IntArray, IntArray]:
    """Return the latencies that are looked at, and those far from them that say what is chance."""
    steps = circle.steps(*RANGE)
    first, last = steps[-1] + circle.window, circle.places + steps[0] - circle.window
    return steps, np.arange(first, min(last + 1, first + ENOUGH_ELSEWHERE))


def lag_profile(found: Contrast) -> LagProfile | None:
    """Return how pairs of one name are ahead of others at latencies from -2 to 5 s.

    Parameters
    ----------
    found : Contrast
        Of participant and model.

    Returns
    -------
    LagProfile, or None where the recordings are shorter than that.

    Notes
    -----
    The means in standard errors, t, are those of the specificity of all signals together. Latencies
    that are far from those looked at, around the circle of places (at most ten minutes of them),
    give the mean and deviation of t by chance, and by their autocorrelation how many of them are
    independent, m. The largest of so many successive latencies is judged as that of a smooth
    process with Student's distribution of m - 1 degrees of freedom, by how often such a process is
    expected to rise above a level, which its mean squared slope says (Rice 1945, Bell System
    Technical Journal 24, 46; Worsley 1994, Advances in Applied Probability 26, 13).
    """
    steps, far = _looked_at(found.circle)
    if len(far) < 2 * len(steps):
        return None
    t = found.t[:, -1]
    elsewhere = t[far]
    if not (np.isfinite(elsewhere).all() and np.isfinite(t[steps]).all()):
        return None
    alike = autocorrelation_time(elsewhere[:, None])
    m = len(far) / alike
    sd = elsewhere.std() * np.sqrt(m / max(m - 1.0, 1.0)) * np.sqrt(1.0 + 1.0 / m)
    z = (t[steps] - elsewhere.mean()) / sd
    best = int(np.argmax(z))
    p = float("nan")
    if m >= LEAST_INDEPENDENT:
        slope = float(np.sqrt(np.mean((np.diff(elsewhere) / sd) ** 2)))
        p = _of_largest(z[best], m - 1.0, slope * (len(steps) - 1))
    latency = steps / found.circle.rate
    peak = float(latency[best]) if p <= ALPHA else float("nan")
    return LagProfile(latency, found.mean[steps, -1], z, p, peak)


def _of_largest(z: float, freedom: float, slopes: float) -> float:
    """Return p of the largest of a smooth process whose slopes add up to so much."""
    from scipy.special import stdtr

    if z <= 0:
        return 1.0
    alone = float(stdtr(freedom, -z))
    crossings = slopes / (2.0 * np.pi) * (1.0 + z * z / freedom) ** (-(freedom - 1.0) / 2.0)
    return min(1.0, alone + float(crossings))
