"""What a person does over time: time courses, and performances made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import ParameterError
from bitbox.synthetic.face import HEAD
from bitbox.synthetic.movements import MOVEMENTS, resolve

FloatArray = NDArray[np.float64]
#: An amplitude at any time, in seconds.
Course = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Bursts:
    """A time course: smooth movements to and fro at given times, rest between them.

    Called with times it returns amplitudes, so the same movement can be seen at any frame rate.

    Parameters
    ----------
    starts, lengths, sizes : tuple of float
        Beginning and duration in seconds, and greatest amplitude of each movement.
    delay : float
        Seconds by which all of it comes later.
    gain : float
        Factor of all sizes.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import Bursts
    >>> smile = Bursts((0.5,), (1.0,), (0.8,))  # at 0.5 s, for 1 s, this strong
    >>> smile(np.array([0.0, 1.0, 2.0])).round(2)
    array([0. , 0.8, 0. ])
    """

    starts: tuple[float, ...]
    lengths: tuple[float, ...]
    sizes: tuple[float, ...]
    delay: float = 0.0
    gain: float = 1.0

    @classmethod
    def random(
        cls,
        duration: float,
        seed: int,
        *,
        length: tuple[float, float] = (1.1, 1.9),
        rest: float = 0.5,
        size: tuple[float, float] = (0.5, 1.0),
        signed: bool = False,
    ) -> Bursts:
        """Return movements at irregular times from about 0 to `duration` seconds.

        Parameters
        ----------
        duration : float
            Seconds to fill.
        seed : int
            Where the random numbers start.
        length, size : (float, float)
            Range of durations in seconds, and of amplitudes.
        rest : float
            Mean rest between movements in seconds.
        signed : bool
            Whether amplitudes may be negative, as for head turns.

        Examples
        --------
        >>> import numpy as np
        >>> from bitbox.synthetic.performance import Bursts
        >>> bursts = Bursts.random(10.0, np.random.default_rng(1))
        >>> len(bursts.starts) > 0
        True
        """
        rng = np.random.default_rng(seed)
        starts, lengths, sizes = [], [], []
        start = float(rng.exponential(rest))
        while start < duration:
            starts.append(start)
            lengths.append(float(rng.uniform(*length)))
            sign = float(rng.choice([-1, 1])) if signed else 1.0
            sizes.append(sign * float(rng.uniform(*size)))
            start += lengths[-1] + float(rng.exponential(rest))
        return cls(tuple(starts), tuple(lengths), tuple(sizes))

    def __call__(self, time: FloatArray) -> FloatArray:
        """Return the amplitude at each time (seconds)."""
        out = np.zeros(np.shape(time))
        for start, length, size in zip(self.starts, self.lengths, self.sizes, strict=True):
            phase = np.clip((time - self.delay - start) / length, 0, 1)
            out += size * 0.5 * (1 - np.cos(2 * math.pi * phase))
        return self.gain * out

    def imitated(self, delay: float, gain: float) -> Bursts:
        """Return the same movements, later and of another size.

        Examples
        --------
        >>> from bitbox.synthetic.performance import Bursts
        >>> Bursts((0.5,), (1.0,), (0.8,)).imitated(delay=0.25, gain=0.5)
        Bursts(starts=(0.5,), lengths=(1.0,), sizes=(0.8,), delay=0.25, gain=0.5)
        """
        return replace(self, delay=self.delay + delay, gain=self.gain * gain)


@dataclass(frozen=True, eq=False)
class Performance:
    """What a face and head do, frame by frame.

    Parameters
    ----------
    time : ndarray, shape (T,)
        Seconds, strictly increasing: the presentation time of each frame.
    drives : ndarray, shape (T, 32)
        Amplitude of each of `MOVEMENTS`; 1 is a strong movement.
    head : ndarray, shape (T, 6)
        Yaw, pitch, roll in degrees, x and y in millimetres, approach as a share of the size;
        see `face.rotation` for the signs. Relative to the portrait at rest. x is positive to the
        right of the picture, y downwards.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import perform
    >>> perform(np.arange(30) / 30, {'smile': 0.5}).drives.shape
    (30, 32)
    """

    time: FloatArray
    drives: FloatArray
    head: FloatArray

    def __post_init__(self) -> None:
        n_frames = len(self.time)
        if n_frames == 0 or not (np.diff(self.time) > 0).all():
            raise ParameterError("The times of a performance must be there and increase.")
        shapes = (n_frames, len(MOVEMENTS)), (n_frames, len(HEAD))
        if (self.drives.shape, self.head.shape) != shapes:
            raise ParameterError(
                "The performance has the wrong shape.",
                expected=f"{shapes[0]} and {shapes[1]}",
                got=f"{self.drives.shape} and {self.head.shape}",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return time, and what is not always zero, as plain lists by name."""
        drives = {n: self.drives[:, k] for k, n in enumerate(MOVEMENTS) if self.drives[:, k].any()}
        head = {n: self.head[:, k] for k, n in enumerate(HEAD) if self.head[:, k].any()}
        return {
            "time": [round(float(t), 6) for t in self.time],
            "movements": {name: _plain(course) for name, course in drives.items()},
            "head": {name: _plain(course) for name, course in head.items()},
        }


def _plain(course: FloatArray) -> list[float]:
    return [round(float(v), 6) for v in course]


def perform(
    time: ArrayLike,
    movements: Mapping[str, Course | ArrayLike] | None = None,
    head: Mapping[str, Course | ArrayLike] | None = None,
) -> Performance:
    """Return a performance from time courses.

    Parameters
    ----------
    time : array_like, shape (T,)
        Seconds, strictly increasing; irregular for a variable frame rate. Later than 0 at
        first: a file whose clock does not show 0 at its start (readers count from there).
    movements : mapping
        Amplitude by name of a movement (`MOVEMENTS`) or expression (`EXPRESSIONS`): a function of
        time, T numbers, or one number. Those that share movements are added up.
    head : mapping
        The same for ``yaw, pitch, roll`` (degrees), ``x, y`` (millimetres), ``approach`` (share).

    Returns
    -------
    Performance

    Raises
    ------
    ParameterError
        If a name is unknown, or a course has the wrong length or a missing value.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import Bursts, perform
    >>> smile = Bursts((0.1,), (0.8,), (1.0,))
    >>> performance = perform(np.arange(30) / 30, {'smile': smile}, {'yaw': 5.0})
    >>> performance.head.shape
    (30, 6)
    """
    times = np.asarray(time, dtype=np.float64)
    drives = np.zeros((len(times), len(MOVEMENTS)))
    asked = {name: _course(name, value, times) for name, value in (movements or {}).items()}
    for name, course in resolve(asked).items():
        drives[:, MOVEMENTS.index(name)] = course
    pose = np.zeros((len(times), len(HEAD)))
    for name, value in (head or {}).items():
        if name not in HEAD:
            raise ParameterError(
                f"A head does not {name!r} here.", expected=f"one of {', '.join(HEAD)}"
            )
        pose[:, HEAD.index(name)] = _course(name, value, times)
    return Performance(times, drives, pose)


def _course(name: str, value: Course | ArrayLike, time: FloatArray) -> FloatArray:
    course = np.asarray(value(time) if callable(value) else value, dtype=np.float64)
    if course.shape not in ((), time.shape) or not np.isfinite(course).all():
        raise ParameterError(
            f"The time course of {name!r} cannot be used.",
            expected=f"one finite number, or {len(time)}",
            got=f"shape {course.shape}",
        )
    return np.broadcast_to(course, time.shape).astype(np.float64)
