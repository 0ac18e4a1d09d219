"""The geometry of a windowed, lagged correlation: the only place where seconds become frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError, TooShortError

Mode = Literal["imitation", "coordination"]

#: A correlation over fewer frames is +1 or -1 whatever the data.
MIN_WINDOW = 3


def seconds_to_frames(seconds: float, fps: float) -> int:
    """Return the whole number of frames nearest to a duration; a half goes to the even one.

    That is Python's own ``round``, as the definitions of the analysis have it: 16.5 frames become
    16, and 17.5 become 18.

    Parameters
    ----------
    seconds : float
        Duration in seconds.
    fps : float
        Frames in a second.

    Returns
    -------
    int
        ``round(seconds * fps)``.
    """
    return round(seconds * fps)


@dataclass(frozen=True)
class WindowPlan:
    """Where the windows lie and how far the reference is shifted, in frames.

    Build it with `from_seconds`. All numbers are in frames unless their name says seconds.

    Attributes
    ----------
    n_frames : int
        Length of both recordings.
    fps : float
        Frames in a second.
    window, step, max_lag : int
        Width W, hop S and largest shift L.
    mode : {'imitation', 'coordination'}
        Whether only the reference's window is shifted, or both windows are.
    causal : bool
        Imitation only: the participant may only follow (lags -L..0).

    Notes
    -----
    Lags are those of the second argument, the reference: a negative lag means that the reference
    moved earlier, that is, that the participant follows. Latency is minus the lag.
    """

    n_frames: int
    fps: float
    window: int
    step: int
    max_lag: int
    mode: Mode = "imitation"
    causal: bool = True

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ParameterError(
                "The mode of a window plan is not known.",
                expected="'imitation' or 'coordination'",
                got=repr(self.mode),
            )
        _require_positive("The frame rate", self.fps, "frames a second")
        for name, value, least in (
            ("window", self.window, MIN_WINDOW),
            ("step", self.step, 1),
            ("largest lag", self.max_lag, 0),
        ):
            if value < least:
                raise ParameterError(
                    f"The {name} is too short at {self.fps:g} frames a second.",
                    expected=f"at least {least} frames ({least / self.fps:.3g} s)",
                    got=f"{value} frames ({value / self.fps:.3g} s)",
                )
        if self.n_frames < self.n_frames_needed:
            raise TooShortError(
                "The recording is too short for this analysis.",
                expected=(
                    f"at least {self.n_frames_needed / self.fps:.3f} s ({self.n_frames_needed} "
                    f"frames: a window of {self.window} and {self._margins}"
                    f" of {self.max_lag} for the lags)"
                ),
                got=f"{self.n_frames / self.fps:.3f} s ({self.n_frames} frames)",
                todo="Use a longer recording, a shorter window or a smaller lag.",
            )

    @classmethod
    def from_seconds(
        cls,
        n_frames: int,
        fps: float,
        *,
        width: float,
        lag: float | None = None,
        step: float | None = None,
        mode: Mode = "imitation",
        causal: bool = True,
    ) -> WindowPlan:
        """Return the plan for durations given in seconds.

        Parameters
        ----------
        n_frames : int
            Length of both recordings, in frames.
        fps : float
            Frames in a second.
        width : float
            Width of a window in seconds; at least three frames.
        lag : float, optional
            Largest shift in seconds; as much as `width` if None.
        step : float, optional
            Hop between windows in seconds; half of `width` if None; never less than one frame.
        mode : {'imitation', 'coordination'}
            See the class.
        causal : bool
            See the class.

        Returns
        -------
        WindowPlan

        Raises
        ------
        ParameterError
            A duration or the rate makes no sense.
        TooShortError
            The recording does not hold a single window with its lags.

        Notes
        -----
        Seconds are rounded to the nearest frame (`seconds_to_frames`).
        """
        _require_positive("The frame rate", fps, "frames a second")
        _require_positive("The width of the window", width, "seconds")
        lag = width if lag is None else lag
        step = width / 2 if step is None else step
        _require_positive("The step between windows", step, "seconds")
        if not (_is_number(lag) and lag >= 0):
            raise ParameterError(
                "The largest lag makes no sense.",
                expected="a finite number of seconds, 0 or more",
                got=repr(lag),
            )
        return cls(
            n_frames=int(n_frames),
            fps=float(fps),
            window=seconds_to_frames(width, fps),
            step=max(1, seconds_to_frames(step, fps)),
            max_lag=seconds_to_frames(lag, fps),
            mode=mode,
            causal=bool(causal) and mode == "imitation",
        )

    @property
    def two_sided(self) -> bool:
        """Whether the reference is shifted both ways."""
        return self.mode == "coordination" or not self.causal

    @property
    def n_frames_needed(self) -> int:
        """The length of the shortest recording that holds one window and its lags."""
        return self.window + self.max_lag * (2 if self.two_sided else 1)

    @property
    def n_windows(self) -> int:
        """How many windows there are."""
        return (self.n_places - 1) // self.step + 1

    @property
    def n_places(self) -> int:
        """How many places there are for a window and its lags, one a frame.

        Window w has place ``w * step``: the first frame that any of its lags reaches.
        """
        return self.n_frames - self.n_frames_needed + 1

    @property
    def starts(self) -> NDArray[np.int64]:
        """First frame of every window of the first argument, before any shift."""
        return self.max_lag + self.step * np.arange(self.n_windows, dtype=np.int64)

    @property
    def lags(self) -> NDArray[np.int64]:
        """The lags that can be chosen, ascending, in frames."""
        if self.mode == "coordination":
            low, high = -2 * self.max_lag, 2 * self.max_lag
        elif self.causal:
            low, high = -self.max_lag, 0
        else:
            low, high = -self.max_lag, self.max_lag
        return np.arange(low, high + 1, dtype=np.int64)

    @property
    def lag_seconds(self) -> NDArray[np.float64]:
        """The lags that can be chosen, ascending, in seconds."""
        return self.lags / self.fps

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middle of every window of the first argument, in seconds from the first frame."""
        return (self.starts + (self.window - 1) / 2) / self.fps

    @property
    def _margins(self) -> str:
        return "two margins" if self.two_sided else "one margin"


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _require_positive(what: str, value: float, unit: str) -> None:
    if not (_is_number(value) and value > 0):
        raise ParameterError(
            f"{what} makes no sense.",
            expected=f"a finite number of {unit} above 0",
            got=repr(value),
        )


def frames_needed(plan: WindowPlan, min_valid: float) -> int:
    """Return how many frames of a window must be valid, at least three."""
    if not 0 <= min_valid <= 1:
        raise ParameterError(
            "The share of valid frames makes no sense.",
            expected="a number from 0 to 1",
            got=repr(min_valid),
        )
    return max(MIN_WINDOW, math.ceil(min_valid * plan.window - 1e-9))


def tie_order(plan: WindowPlan) -> NDArray[np.int64]:
    """Return the lags in the order in which a tie prefers them: nearest zero, then negative."""
    return np.array(sorted(plan.lags.tolist(), key=lambda lag: (abs(lag), lag)), dtype=np.int64)
