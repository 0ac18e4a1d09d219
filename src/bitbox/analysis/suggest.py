"""Advice before an analysis, and how much the answer depends on its settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.matching import match
from bitbox.analysis.pair import SignalsLike, prepare
from bitbox.analysis.quality import check_seed, imitation_quality, new_seed
from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError, TooShortError
from bitbox.progress import Progress
from bitbox.signals import Components
from bitbox.statistics import surrogates as broken
from bitbox.statistics.findings import FEW_WINDOWS
from bitbox.statistics.inference import ALPHA, Alike, least_p, likeness
from bitbox.statistics.spectra import typical_frequencies
from bitbox.statistics.windows import Pair, Rule, mean_over

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

#: Widths that are proposed, in seconds.
NARROWEST, WIDEST = 1.0, 10.0
#: Movements there and back that a window should hold.
CYCLES = 4
#: How late imitation is expected, in seconds; the largest lag is so many times that.
LATENCY, ALLOWANCE = 0.8, 1.5
#: Width and lag of `imitation_quality` unless told otherwise, and its surrogates and least share
#: of frames; the smallest lag that is proposed.
USUAL, SURROGATES, MIN_VALID, LEAST_LAG = (2.0, 1.2), 999, 0.8, 0.5
# With more shifts than so many windows hold frames something can be told whatever the movement.
_PLENTY = 60


@dataclass(frozen=True)
class Suggestion:
    """Settings that suit the data.

    Attributes
    ----------
    width, step, lag : float
        In seconds, for :func:`bitbox.social.imitation_quality`.
    frequency : float
        How often a second the model goes there and back while it moves, in Hz: the median over its
        signals. Pauses don't count.
    windows : int
        How many windows that gives.
    sentence : str
        Why, in words.
    least_p_fwer : float
        The smallest p that can be reached with these settings and the usual number of shifts.
        NaN: the recordings are too short to tell anything.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.social import suggest
    >>> advice = suggest(participant, model)
    >>> advice.width, advice.lag, advice.windows
    (3.6, 1.2, 20)
    >>> str(advice) == advice.sentence
    True
    """

    width: float
    step: float
    lag: float
    frequency: float
    windows: int
    sentence: str
    least_p_fwer: float

    def __str__(self) -> str:
        return self.sentence

    def settings(self) -> dict[str, float]:
        """Return ``width``, ``step`` and ``lag``, to be passed on with ``**``.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
        >>> from bitbox.social import suggest
        >>> sorted(suggest(participant, model).settings())
        ['lag', 'step', 'width']
        """
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

    Width, step and lag follow from the model alone. In a short recording it is also tried, on the
    two shifted against each other as for the test, whether anything could be beyond chance with
    these settings, and if not, with a smaller width or lag. How the two go together as they are is
    never looked at, so the proposal doesn't make the test that follows any less honest.

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
    A window should hold about four movements there and back, from 1 to 10 s, but leave at least 20
    windows: over less than one a correlation compares two nearly straight lines, and over many it
    blurs when something happened. How long a movement takes is told from how fast the signals
    change while they move; how rare movements are doesn't matter. The step is half the width. The
    largest lag is one and a half times the expected latency.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.social import imitation_quality, suggest
    >>> advice = suggest(participant, model)
    >>> advice.windows
    20
    >>> quality = imitation_quality(participant, model, n_surrogates=99, **advice.settings())
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
    ideal = CYCLES / frequency
    wanted = round(float(np.clip(ideal, NARROWEST, WIDEST)), 1) if known.size else 2.0
    lag = round(ALLOWANCE * latency, 2)
    # windows of w seconds, w / 2 apart, after the lag: (seconds - lag - w) / (w / 2) + 1
    room = (seconds - lag - 0.1) / (1 + (FEW_WINDOWS - 1) / 2)
    width = max(min(wanted, math.floor(10 * room) / 10), 0.5)
    most = f" (more than {WIDEST:g} s blur when something happened)" if ideal > WIDEST else ""
    why = (
        f"While the model moves, a movement there and back takes about {1 / frequency:.1f} s, and "
        f"a window should hold about {CYCLES} of them{most}; imitation is expected about "
        f"{latency:g} s late"
        if known.size
        else "The model hardly moves, so this is only a usual choice"
    )
    tried = _Tried(both.x, both.y, aligned.fps)
    used, told = _telling(tried, width, lag, latency)
    width, lag = used
    step = round(width / 2, 2)
    plan = WindowPlan.from_seconds(len(both.x), aligned.fps, width=width, step=step, lag=lag)
    short = (
        f" {wanted:.1f} s would suit the movements better, but {seconds:.0f} s of recording leave "
        f"no room for {FEW_WINDOWS} such windows."
        if width < wanted and not told
        else ""
    )
    sentence = (
        f"{why}: use width={width:g}, step={step:g}, lag={lag:g} (seconds), which gives "
        f"{plan.n_windows} windows.{short}{told}"
    )
    least = tried.least_p(width, lag)
    return Suggestion(width, step, lag, frequency, plan.n_windows, sentence, least)


@dataclass(frozen=True)
class _Tried:
    """What could be told from two recordings, (T, n, d) each, by circular shifts."""

    x: FloatArray
    y: FloatArray
    fps: float

    def plan(self, width: float, lag: float) -> WindowPlan | None:
        """Return the plan, or None where there is no room for it."""
        try:
            return WindowPlan.from_seconds(len(self.x), self.fps, width=width, lag=lag)
        except TooShortError:
            return None

    def least_p(self, width: float, lag: float) -> float:
        """Return the smallest p possible; NaN where there is no test."""
        plan = self.plan(width, lag)
        if plan is None or not broken.can_shift(plan):
            return float("nan")
        if broken.possible_shifts(plan) > _PLENTY * plan.window:
            return least_p(SURROGATES, 1.0)
        m, alike = self._null(plan)
        return least_p(m, alike.k) if alike.can_tell(m) else float("nan")

    def enough(self, width: float, lag: float) -> float:
        """Return about how many seconds would do, with these settings, where these are too few."""
        plan = self.plan(width, lag)
        if plan is None:
            shortest = WindowPlan.from_seconds(10**9, self.fps, width=width, lag=lag)
            plan = replace(shortest, n_frames=shortest.n_frames_needed)
        if not broken.can_shift(plan):
            return broken.seconds_enough(plan, 0.0, SURROGATES)
        m, alike = self._null(plan)
        return broken.seconds_enough(plan, alike.k * broken.possible_shifts(plan) / m, SURROGATES)

    def _null(self, plan: WindowPlan) -> tuple[int, Alike]:
        """Return how many shifts there are, and how alike they are."""
        rule = Rule.make(plan, False, MIN_VALID)
        shifts = broken.circular_shifts(plan, SURROGATES)
        places = broken.circular_places(plan, shifts)
        pairs = (Pair(self.x[:, i], self.y[:, i], rule) for i in range(self.x.shape[1]))
        null = np.stack([mean_over(pair, places)[0] for pair in pairs], axis=1)
        return len(shifts), likeness(null, shifts, broken.smallest_shift(plan), plan.window)


def _telling(
    tried: _Tried, width: float, lag: float, latency: float
) -> tuple[tuple[float, float], str]:
    """Return width and lag, smaller where that lets short recordings tell something, and a remark.

    The width shrinks before the lag: imitation later than the largest lag can't be found.
    """
    seconds = len(tried.x) / tried.fps
    usual = dict(zip(("width", "lag"), USUAL, strict=True))
    remarks = []
    if not tried.least_p(**usual) <= ALPHA:
        remarks.append(
            f" What is used unless told otherwise (width={USUAL[0]:g}, lag={USUAL[1]:g}) "
            f"can tell nothing from {seconds:.1f} s of recording: about "
            f"{tried.enough(**usual):.0f} s would be enough."
        )
    if tried.least_p(width, lag) <= ALPHA:
        return (width, lag), "".join(remarks)
    widths = [w for w in (0.75 * width, 1.0, 0.75, 0.5) if w < width]
    widths = sorted({round(w, 2) for w in widths}, reverse=True)
    lags = [allowed for allowed in (latency, LEAST_LAG) if allowed < lag]
    for allowed in (lag, *lags):
        for narrow in [*widths] if allowed == lag else [width, *widths]:
            if tried.least_p(narrow, allowed) <= ALPHA:
                remarks.append(
                    f" Wider windows or larger lags could tell nothing; these can, if the "
                    f"participant follows within {allowed:g} s."
                )
                return (narrow, allowed), "".join(remarks)
    remarks.append(
        f" Even so the recording is too short to tell imitation from chance: with these settings "
        f"about {tried.enough(width, lag):.0f} s would be enough."
    )
    return (width, lag), "".join(remarks)


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
        ``chance_mean``, ``z``, ``p``, ``p_fwer``, ``specific_p_fwer``, ``latency``, ``gain``,
        ``windows``, and ``least_p_fwer``, the smallest p_fwer that these recordings could have
        given: where it is NaN they are too short to tell anything. Where they are too short for
        the settings at all there is one row without a signal. The seed is in ``.attrs["seed"]``.

    Raises
    ------
    ParameterError
        If there is nothing to try, or a parameter makes no sense.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.social import multiverse
    >>> options = {'widths': (1.0, 2.0), 'lags': (0.6, 1.2)}
    >>> table = multiverse(participant, model, **options, n_surrogates=99, seed=1)
    >>> len(table)  # 2 widths, 2 lags, 3 signals
    12
    """
    import pandas as pd

    settings = list(itertools.product(widths, lags, polarities))
    if not settings:
        raise ParameterError("There is no setting to try.", expected="widths, lags and polarities")
    seed = new_seed() if seed is None else check_seed(seed)
    columns = ["shape", "chance_mean", "z", "p", "p_fwer", "specific_p_fwer", "latency"]
    columns += ["gain", "windows"]
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
