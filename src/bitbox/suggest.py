"""Advice before an analysis, and how much the answer depends on its settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError, TooShortError
from bitbox.matching import match
from bitbox.pair import SignalsLike, prepare
from bitbox.progress import Progress
from bitbox.scorecard import check_seed, imitation_quality, new_seed
from bitbox.signals import Components
from bitbox.statistics.findings import FEW_WINDOWS
from bitbox.statistics.spectra import typical_frequencies

if TYPE_CHECKING:
    import pandas as pd

#: Widths that are proposed, in seconds.
NARROWEST, WIDEST = 1.0, 10.0
#: Cycles of the typical frequency that a window should hold.
CYCLES = 4
#: How late imitation is expected, in seconds; the largest lag is so many times that.
LATENCY, ALLOWANCE = 0.8, 1.5


@dataclass(frozen=True)
class Suggestion:
    """Settings that suit the data.

    Attributes
    ----------
    width, step, lag : float
        In seconds, for :func:`bitbox.social.imitation_quality`.
    frequency : float
        Typical frequency of the model's movements in Hz: the median over its signals.
    windows : int
        How many windows that gives.
    sentence : str
        Why, in words.
    """

    width: float
    step: float
    lag: float
    frequency: float
    windows: int
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    def settings(self) -> dict[str, float]:
        """Return ``width``, ``step`` and ``lag``, to be passed on with ``**``."""
        return {"width": self.width, "step": self.step, "lag": self.lag}


def suggest(
    participant: SignalsLike,
    model: SignalsLike,
    *,
    latency: float = LATENCY,
    signals: Sequence[str] | None = None,
    fps: float | None = None,
    offset: float = 0.0,
    components: Components | None = None,
    angular: bool = True,
) -> Suggestion:
    """Propose width, step and lag from how fast the model moves.

    Only the model is looked at, and not how the two go together, so the proposal doesn't make
    the test that follows any less honest.

    Parameters
    ----------
    participant, model, signals, fps, offset, components, angular
        As for :func:`bitbox.social.imitation_quality`.
    latency : float
        How late imitation is expected, in seconds: some tenths for mimicry, a second or more for
        imitation on request.

    Returns
    -------
    Suggestion

    Raises
    ------
    ParameterError
        If the latency makes no sense.
    TooShortError
        If the recordings are too short to say anything: under 6 s.

    Notes
    -----
    A window should hold about four cycles of the typical frequency, from 1 to 10 s, but leave at
    least 20 windows: over less than a cycle a correlation compares two nearly straight lines, and
    over many it blurs when something happened. The step is half the width. The largest lag is one
    and a half times the expected latency.
    """
    if not (math.isfinite(latency) and latency > 0):
        raise ParameterError(
            "The expected latency makes no sense.",
            expected="seconds, above 0",
            got=f"latency={latency}",
        )
    aligned = prepare(participant, model, fps=fps, offset=offset)
    both = match(aligned, components, angular, signals)
    seconds = len(both.x) / aligned.fps
    if seconds < 6:
        raise TooShortError(
            "The recordings are too short to propose a window.",
            expected="at least 6 s that both share",
            got=f"{seconds:.2f} s",
        )
    each = typical_frequencies(both.y, aligned.fps)
    known = each[np.isfinite(each)]
    frequency = float(np.median(known)) if known.size else float("nan")
    wanted = round(float(np.clip(CYCLES / frequency, NARROWEST, WIDEST)), 1) if known.size else 2.0
    lag = round(ALLOWANCE * latency, 2)
    # windows of w seconds, w / 2 apart, after the lag: (seconds - lag - w) / (w / 2) + 1
    room = (seconds - lag - 0.1) / (1 + (FEW_WINDOWS - 1) / 2)
    width = max(min(wanted, math.floor(10 * room) / 10), 0.5)
    step = round(width / 2, 2)
    plan = WindowPlan.from_seconds(len(both.x), aligned.fps, width=width, step=step, lag=lag)
    windows = plan.n_windows
    why = (
        f"Half of the model's movement is slower than {frequency:.2f} Hz, and a window should hold "
        f"about {CYCLES} cycles of that ({CYCLES / frequency:.1f} s); imitation is expected about "
        f"{latency:g} s late"
        if known.size
        else "The model hardly moves, so this is only a usual choice"
    )
    short = (
        f" {wanted:.1f} s would suit the movements better, but {seconds:.0f} s of recording leave "
        f"no room for {FEW_WINDOWS} such windows."
        if width < wanted
        else ""
    )
    sentence = (
        f"{why}: use width={width:g}, step={step:g}, lag={lag:g} (seconds), which gives {windows} "
        f"windows.{short}"
    )
    return Suggestion(width, step, lag, frequency, windows, sentence)


def multiverse(
    participant: SignalsLike,
    model: SignalsLike,
    *,
    widths: Sequence[float] = (1.0, 2.0, 4.0),
    lags: Sequence[float] = (0.6, 1.2, 2.0),
    polarities: Sequence[bool] = (False,),
    n_surrogates: int = 199,
    seed: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Repeat an analysis with other settings, to see how much the answer depends on them.

    For a look at robustness, after the settings of the analysis proper were chosen on other
    grounds; choosing the settings with the best result makes its p meaningless.

    Parameters
    ----------
    participant, model, n_surrogates, **options
        As for :func:`bitbox.social.imitation_quality`.
    widths, lags : sequence of float
        In seconds; every width is tried with every lag.
    polarities : sequence of bool
        And each with every one of these.
    seed : int, optional
        One seed for all; None: a new one.
    progress : callable, optional
        Called with the number of analyses done.

    Returns
    -------
    DataFrame
        One row an analysis and signal: ``width``, ``lag``, ``polarity``, ``signal``, ``shape``,
        ``chance_mean``, ``z``, ``p``, ``p_fwer``, ``latency``, ``gain``, ``windows``, and
        ``least_p_fwer``, the smallest p_fwer that these recordings could have given: where it is
        above 0.05 nothing can be found. Where the recordings are too short for the settings there
        is one row without a signal. The seed is in ``.attrs["seed"]``.

    Raises
    ------
    ParameterError
        If there is nothing to try, or a parameter makes no sense.
    """
    import pandas as pd

    settings = list(itertools.product(widths, lags, polarities))
    if not settings:
        raise ParameterError("There is no setting to try.", expected="widths, lags and polarities")
    seed = new_seed() if seed is None else check_seed(seed)
    columns = ["shape", "chance_mean", "z", "p", "p_fwer", "latency", "gain", "windows"]
    tables = []
    for done, (width, lag, polarity) in enumerate(settings, start=1):
        chosen: dict[str, Any] = {"width": width, "lag": lag, "polarity": polarity}
        try:
            result = imitation_quality(
                participant, model, n_surrogates=n_surrogates, seed=seed, **chosen, **options
            )
        except TooShortError:
            rows = pd.DataFrame(
                [{"signal": None} | dict.fromkeys([*columns, "least_p_fwer"], np.nan)]
            )
        else:
            rows = result.scorecard[columns].reset_index().assign(least_p_fwer=result.least_p_fwer)
        tables.append(rows.assign(**chosen))
        if progress is not None:
            progress("Trying settings", done, len(settings))
    table = pd.concat(tables, ignore_index=True)
    table = table[["width", "lag", "polarity", "signal", *columns, "least_p_fwer"]]
    table.attrs["seed"] = seed
    return table
