"""Imitation and coordination: every signal of one person against every signal of another."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.analysis.options import Options
from bitbox.analysis.pair import SignalsLike
from bitbox.analysis.senses import check_mirror
from bitbox.errors import ParameterError
from bitbox.progress import Progress
from bitbox.signals import Components

P = ParamSpec("P")
R = TypeVar("R")


def _both_spellings(function: Callable[P, R]) -> Callable[P, R]:
    """Accept ``causality=`` as the right spelling of ``casuality=``."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        right = kwargs.get("causality")
        if right is not None:
            given = signature.bind(*args, **kwargs).arguments
            if given.get("casuality", right) != right:
                raise ParameterError(
                    "casuality and causality are two spellings of one parameter.",
                    expected="one of them, or the same value for both",
                    got=f"casuality={given['casuality']}, causality={right}",
                )
            if "casuality" not in given:
                kwargs["casuality"] = right
        return function(*args, **kwargs)

    return wrapper


@_both_spellings
def imitation(
    X: SignalsLike,
    Y: SignalsLike,
    width: float = 0.5,
    lag: float | None = None,
    step: float | None = None,
    fps: float | None = None,
    stats: bool = True,
    polarity: bool = True,
    casuality: bool = True,
    angular: bool = True,
    *,
    causality: bool | None = None,  # noqa: ARG001  taken by the decorator
    components: Components | None = None,
    mirror: Literal["no", "yes"] = "no",
    offset: float = 0.0,
    max_gap: float = 0.1,
    min_valid: float = 0.8,
    threads: int | None = None,
    progress: Progress | None = None,
) -> CorrelationResult:
    """Measure how closely X (who imitates) follows Y (who is imitated), window by window.

    In each window of X, every signal of X is correlated with every signal of Y at every
    allowed lag, and the lag with the strongest correlation is chosen.

    Parameters
    ----------
    X, Y : Signals or mapping
        Participant and model: landmarks, head pose, expressions or body actions of the same
        kind, or dictionaries in Bitbox's layout.
    width : float
        Length of a window in seconds.
    lag : float, optional
        Largest lag in seconds; None: the same as `width`.
    step : float, optional
        Seconds from one window to the next; None: half of `width`.
    fps : float, optional
        Where the signals carry times: the rate of the common grid both are resampled to
        (None: the lower of the two rates). Where they don't: their sampling rate (None: 30).
    stats : bool
        True: mean, standard deviation and mean lag over windows. False: every window's
        correlation and lag.
    polarity : bool
        True: the strongest correlation of either sign, sign kept. False: the most positive.
    casuality, causality : bool
        Two spellings of one parameter. True: the participant may only follow (lags from
        ``-lag`` to 0). False: lags both ways.
    angular : bool
        For head pose: rotations (True) or translations (False).
    components : {'vector', 'each', 'magnitude'}, optional
        How signals with several coordinates are treated, see :meth:`Signals.components`.
    mirror : {'no', 'yes'}
        'yes': as in a mirror, X's left with Y's right (specular imitation): Y is taken as
        :meth:`Signals.mirrored` gives it, so that names are the sides of X. 'no': left with left
        (anatomical imitation).
    offset : float
        Seconds added to X's clock, for recordings that did not start together.
    max_gap : float
        When resampling, gaps up to this many seconds are bridged.
    min_valid : float
        Share of a window's frames that must be valid in both signals; fewer: undefined.
    threads : int, optional
        Threads to use; None: one a core. The result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    CorrelationResult
        Unpacks into ``corr_mean, corr_std, corr_lag``, three arrays (n1, n2), or with
        ``stats=False`` into ``corr_vals, corr_lags``, two arrays (windows, n1, n2). Lags are
        in seconds; negative: Y moved earlier, X follows. Undefined is NaN.

    Raises
    ------
    SchemaError
        If X or Y is of a kind that isn't accepted, or the two cannot be compared.
    ParameterError
        If a parameter makes no sense.
    TooShortError
        If the recordings are shorter than the plan needs.

    Notes
    -----
    For a window starting at frame s and lag l, r is Pearson's correlation of
    ``x[s : s + W]`` and ``y[s + l : s + l + W]``. Frames missing in either signal are left
    out; a window in which a signal doesn't move is undefined. Ties go to the lag nearest zero,
    then to the negative one. The windowed cross-correlation and its use for behaviour are
    described by Boker, Xu, Rotondo & King (2002), Psychological Methods 7(3), 338-355.

    The strongest of many lags is large even for unrelated signals: the mean correlation says
    little without its value by chance.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.social import imitation
    >>> corr_mean, corr_std, corr_lag = imitation(participant, model, width=2.0, lag=1.0)
    >>> corr_mean.shape
    (3, 3)
    >>> bool(corr_mean[0, 0] > 0.8)  # imitated
    True
    >>> bool(-0.6 < corr_lag[0, 0] < -0.2)  # the participant follows, 0.4 s later
    True
    """
    options = Options(
        width=width,
        step=step,
        lag=lag,
        causality=casuality,
        fps=fps,
        mirror=mirror,
        offset=offset,
        max_gap=max_gap,
        polarity=polarity,
        angular=angular,
        components=components,
        min_valid=min_valid,
        threads=threads,
    )
    return _correlated(X, Y, options, stats, progress)


def coordination(
    X: SignalsLike,
    Y: SignalsLike,
    width: float = 0.5,
    lag: float | None = None,
    step: float | None = None,
    fps: float | None = None,
    stats: bool = True,
    polarity: bool = True,
    angular: bool = True,
    *,
    components: Components | None = None,
    mirror: Literal["no", "yes"] = "no",
    offset: float = 0.0,
    max_gap: float = 0.1,
    min_valid: float = 0.8,
    threads: int | None = None,
    progress: Progress | None = None,
) -> CorrelationResult:
    """Measure how closely X and Y move together, whoever leads.

    As :func:`imitation`, but the windows of both move by up to `lag`: x at ``s + a`` and y at
    ``s + b`` with a and b from ``-lag`` to ``lag``. The lag reported is ``b - a``, in seconds
    (negative: Y moved earlier).

    Parameters
    ----------
    X, Y, width, lag, step, fps, stats, polarity, angular
        As for :func:`imitation`.
    components, mirror, offset, max_gap, min_valid, threads, progress
        As for :func:`imitation`.

    Returns
    -------
    CorrelationResult
        As for :func:`imitation`.

    Raises
    ------
    SchemaError, ParameterError, TooShortError
        As for :func:`imitation`.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.social import coordination
    >>> result = coordination(participant, model, width=2.0, lag=1.0)
    >>> result.mean.shape
    (3, 3)
    >>> bool(-0.6 < result.lag[0, 0] < -0.2)  # the model moved first
    True
    """
    options = Options(
        width=width,
        step=step,
        lag=lag,
        mode="coordination",
        fps=fps,
        mirror=mirror,
        offset=offset,
        max_gap=max_gap,
        polarity=polarity,
        angular=angular,
        components=components,
        min_valid=min_valid,
        threads=threads,
    )
    return _correlated(X, Y, options, stats, progress)


def _correlated(
    X: SignalsLike, Y: SignalsLike, options: Options, stats: bool, progress: Progress | None
) -> CorrelationResult:
    """Align, plan, correlate, label: what imitation and coordination share."""
    check_mirror(options.mirror, testable=False)
    aligned = options.prepare(X, Y)
    plan = options.plan(aligned)
    return options.correlate(aligned, plan, every_window=not stats, progress=progress)
