"""The correlation at every lag, window by window: what a lag heatmap and a lag curve show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.pair import SignalsLike, prepare
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.surface import lag_surface as every_lag
from bitbox.errors import ParameterError
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.signals import Components
from bitbox.signals.checks import check_cells

if TYPE_CHECKING:
    import xarray as xr


def lag_surface(
    X: SignalsLike,
    Y: SignalsLike,
    pairs: Sequence[tuple[str, str]] | None = None,
    width: float = 0.5,
    lag: float | None = None,
    step: float | None = None,
    fps: float | None = None,
    causality: bool = True,
    angular: bool = True,
    *,
    components: Components | None = None,
    offset: float = 0.0,
    max_gap: float = 0.1,
    min_valid: float = 0.8,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.DataArray:
    """Return the correlation of chosen pairs of signals in every window at every lag.

    :func:`bitbox.social.imitation` takes the strongest lag of each window; this is what it chooses
    from.

    Parameters
    ----------
    X, Y : Signals or mapping
        Participant and model, as for :func:`bitbox.social.imitation`.
    pairs : sequence of (str, str), optional
        Names of a signal of X and of one of Y; None: every signal with the one of the same name.
    width, lag, step, fps
        As for :func:`bitbox.social.imitation`, in seconds and frames a second.
    causality : bool
        True: lags from ``-lag`` to 0, where X follows. False: lags both ways.
    angular, components, offset, max_gap, min_valid, threads, progress
        As for :func:`bitbox.social.imitation`.

    Returns
    -------
    xarray.DataArray
        r, (windows, lags, pairs), NaN where undefined, with the coordinates ``window`` (middle of
        the window, seconds), ``lag`` (seconds; negative: Y moved earlier, X follows), and
        ``participant_signal`` and ``model_signal`` along ``pair``.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, or a pair names a signal that there is not.
    SchemaError, InputError, TooShortError
        As for :func:`bitbox.social.imitation`.

    Examples
    --------
    >>> from bitbox.social import lag_surface
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> pair = imitated_pair(3, duration=20)
    >>> surface = lag_surface(pair.participant, pair.model, width=1, lag=0.5)
    >>> surface.dims
    ('window', 'lag', 'pair')
    >>> curve = surface.mean('window')  # a lag curve of every pair
    """
    import xarray as xr

    aligned = prepare(X, Y, fps=fps, offset=offset, max_gap=max_gap)
    x_names, x = aligned.participant.components(components, angular=angular)
    y_names, y = aligned.model.components(components, angular=angular)
    plan = WindowPlan.from_seconds(
        len(x), aligned.fps, width=width, lag=lag, step=step, causal=causality
    )
    chosen = _chosen(pairs, x_names, y_names)
    check_cells("What is found at every lag", plan.n_windows * plan.lags.size, len(chosen))
    found = every_lag(x, y, chosen, plan, min_valid=min_valid, threads=threads, progress=progress)
    return xr.DataArray(
        found.r,
        dims=("window", "lag", "pair"),
        coords={
            "window": plan.centres + aligned.model.time[0],
            "lag": plan.lag_seconds,
            "participant_signal": ("pair", [x_names[i] for i, _ in chosen]),
            "model_signal": ("pair", [y_names[j] for _, j in chosen]),
        },
        name="r",
        attrs={
            "long_name": "correlation",
            "width": plan.window / plan.fps,
            "step": plan.step / plan.fps,
            "fps": plan.fps,
            "bitbox": str(environment()),
        },
    )


def _chosen(
    pairs: Sequence[tuple[str, str]] | None, x_names: Sequence[str], y_names: Sequence[str]
) -> NDArray[np.int64]:
    """Return the places of the chosen signals, (pairs, 2)."""
    places = tuple({name: k for k, name in enumerate(names)} for names in (x_names, y_names))
    if pairs is None:
        pairs = [(name, name) for name in x_names if name in places[1]]
        if not pairs:
            raise ParameterError(
                "No signal of X has the name of one of Y.",
                expected="pairs=[(name in X, name in Y), ...]",
                got=f"{', '.join(x_names[:3])} ... and {', '.join(y_names[:3])} ...",
            )
    for pair in pairs:
        for which, name, known in zip("XY", pair, places, strict=True):
            if name not in known:
                raise ParameterError(
                    f"A pair names a signal that {which} does not have.",
                    expected="one of " + ", ".join(list(known)[:20]),
                    got=repr(name),
                )
    return np.array([(places[0][a], places[1][b]) for a, b in pairs], dtype=np.int64)
