"""Pictures that come more than once: a film that has fewer of them than frames, or stands still.

A repeated picture is seldom the same to the last bit: a recorder compresses it anew, and each time
a little else is lost. What tells it is movement. Of the way that a film goes in three steps from
picture to picture, the middle step makes about a third; none of it where it shows the picture
before once more, and all of it where the steps before and after do. Both come again and again in
the same places of a period, of two frames for 15 pictures in 30, of five for 24 in 30. What a codec
does to the pictures (its noise, its better and worse kinds of frames) is no way in that direction:
it moves the share of a step by a tenth or so. `validation/repeated_pictures.py` measures it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.findings import Finding

FloatArray = NDArray[np.float64]

#: Every so many lines are compared.
_LINES = 4
#: Columns and rows of the small pictures in which movement is looked for: noise averages out.
_SMALL = (80, 45)

#: The longest period of repeats, in frames.
_LONGEST = 6
#: Films are judged in pieces of about so many seconds, since a recorder that loses a frame goes on
#: at another place of the period.
_PIECE = 10.0
#: Fewest steps from which a place of a period is judged: of those half in which most moves.
_FEWEST = 4
#: How far steps go towards what is expected of them where movement is even: codecs blend pictures.
_EVEN = 0.85
#: A repeat makes less than this share of the average way, and so much less than the one that makes
#: most.
_AVERAGE, _LESS = 0.6, 0.2
#: Share of the pieces in which there have to be repeats.
_PIECES = 0.25

#: Repeats without a period: neighbouring frames on each side that one is compared with; the share
#: of their change under which a picture is a repeat; and the share of repeats that is no chance.
_REACH, _SHARE, _MANY = 5, 0.25, 0.33

#: Grey levels, averaged over the picture, under which nothing changes; and for how many seconds.
_STILL, _LONG = 0.01, 1.0


def _patterns() -> Iterator[NDArray[np.bool_]]:
    """Yield where in a period the new pictures are: spread as evenly as can be, from any place."""
    for period in range(2, _LONGEST + 1):
        for new in range(1, period):
            if math.gcd(new, period) == 1:
                places = np.arange(period) * new % period < new
                yield from (np.roll(places, start) for start in range(period))


_PATTERNS = tuple(_patterns())


class Repeats:
    """Watches the frames of a film, and remembers by how much each differs from the one before."""

    def __init__(self) -> None:
        self._last: NDArray[Any] | None = None
        self._small: NDArray[np.float32] | None = None
        self._key = False
        self._steps: list[NDArray[np.float32]] = []
        self._times, self._changes, self._ways = array("d"), array("d"), array("d")

    def look(self, raw: Any, time: float) -> None:
        """Take note of the next decoded frame."""
        lines = _lines(raw)
        self._changes.append(_change(self._last, lines))
        self._times.append(time)
        self._last = lines
        small, before = _small(lines), self._small
        self._small = small
        # A key frame is coded without those before: all that codecs lost comes back at once.
        again = bool(raw.key_frame) and not self._key
        self._key = bool(raw.key_frame)
        if before is not None:
            step = np.full_like(small, np.nan) if again else small - before
            self._steps = [*self._steps[-2:], step]
        if len(self._steps) == 3:
            way = self._steps[0] + self._steps[1] + self._steps[2]
            self._ways.extend((float(self._steps[1] @ way), float(way @ way)))

    def share(self) -> float:
        """Return the share of frames that repeat the picture before."""
        return self._regular() or self._irregular()

    def _regular(self) -> float:
        """Return the share of repeats that come at the same places of a period."""
        count = round((self._times[-1] - self._times[0]) / _PIECE)
        pieces = np.array_split(np.array(self._ways).reshape(-1, 2), max(count, 1))
        shares = np.array([_share_of(*piece.T) for piece in pieces])
        found = shares[shares > 0]
        return float(np.median(found)) if len(found) >= _PIECES * len(shares) > 0 else 0.0

    def _irregular(self) -> float:
        """Return the share of frames that change much less than those around, 0 if that is rare."""
        changes = np.array(self._changes[1:])
        if len(changes) <= 4 * _REACH:
            return 0.0
        around = np.lib.stride_tricks.sliding_window_view(changes, 2 * _REACH + 1)
        least = np.minimum(around[:, :_REACH].max(axis=1), around[:, _REACH + 1 :].max(axis=1))
        here = around[:, _REACH]
        moving = least > _STILL
        share = float((here[moving] < _SHARE * least[moving]).mean()) if moving.any() else 0.0
        return share if share > _MANY else 0.0

    def stalls(self) -> list[tuple[float, float]]:
        """Return from when to when the picture does not change at all."""
        still = np.r_[False, np.array(self._changes[1:]) < _STILL, False]
        first = np.flatnonzero(still[1:] & ~still[:-1])
        last = np.flatnonzero(still[:-1] & ~still[1:])
        spans = [(self._times[a], self._times[b]) for a, b in zip(first, last, strict=True)]
        return [(start, stop) for start, stop in spans if stop - start >= _LONG]

    def findings(self, name: str) -> Iterator[Finding]:
        """Yield what is to be said about a film of this name."""
        share = self.share()
        if share > 0:
            span = self._times[-1] - self._times[0]
            rate = (1 - share) * (len(self._times) - 1) / span
            yield Finding(
                "repeated-pictures",
                "warning",
                f"{100 * share:.0f} % of the frames of {name} repeat the picture before: there are "
                f"about {rate:.0f} new ones a second, and movements are known no better than that.",
                "Use the recording as the camera made it, or give this rate as fps.",
            )
        stalls = self.stalls()
        if stalls:
            longest = max(stop - start for start, stop in stalls)
            yield Finding(
                "picture-stands-still",
                "warning",
                f"The picture of {name} does not change at all for up to {longest:.1f} s "
                f"({len(stalls)} times for 1 s or more, first at {stalls[0][0]:.2f} s).",
                "Look there: a frozen call shows a face that does not move, which is no stillness.",
            )


def _share_of(along: FloatArray, length: FloatArray) -> float:
    """Return the share of repeats in a piece of film.

    Parameters
    ----------
    along, length : ndarray, shape (T,)
        Of three steps, the scalar product of the middle one with all, and of all with themselves;
        NaN where one leads to a key frame.
    """
    moving = length > 0
    if not moving.any():
        return 0.0
    moving &= length >= np.median(length[moving])
    made = np.full(len(along), np.nan)
    made[moving] = np.clip(along[moving] / length[moving], -0.2, 1.2)
    likeliest, least = None, np.inf
    for new in _PATTERNS:
        expected = 1 / 3 + _EVEN * (_expected(new) - 1 / 3)
        misfit = np.nanmean(np.abs(made - np.resize(expected, len(made))))
        if misfit < least:
            likeliest, least = new, misfit
    middle = None if likeliest is None else _medians(made, len(likeliest))
    if likeliest is None or middle is None:
        return 0.0
    repeats = (middle < middle.max() - _LESS) & (middle < _AVERAGE * middle.mean())
    return 1 - float(likeliest.mean()) if repeats.any() else 0.0


def _expected(new: NDArray[np.bool_]) -> FloatArray:
    """Return which share of three steps the middle one makes, at each place of a period.

    Where movement is even, a new picture makes its part of the way that it and new ones beside it
    make, and a repeat makes none.
    """
    beside = np.roll(new, 1).astype(int) + np.roll(new, -1)
    return np.where(new, 1 / (1 + beside), 0.0)


def _medians(made: FloatArray, period: int) -> FloatArray | None:
    """Return the median at each place of a period, None where there are too few values."""
    places = [made[place::period] for place in range(period)]
    places = [place[np.isfinite(place)] for place in places]
    if min(len(place) for place in places) < _FEWEST:
        return None
    return np.array([np.median(place) for place in places])


def _lines(raw: Any) -> NDArray[Any]:
    """Return some lines of a frame's first plane, its brightness in most formats."""
    plane = raw.planes[0]
    kind = np.uint16 if raw.format.components[0].bits > 8 else np.uint8
    lines = np.frombuffer(plane, np.uint8)[: plane.height * abs(plane.line_size)]
    return lines.reshape(plane.height, -1)[::_LINES].copy().view(kind)


def _small(lines: NDArray[Any]) -> NDArray[np.float32]:
    """Return a small picture, its average taken off, as one row."""
    import cv2

    small = cv2.resize(lines, _SMALL, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    return np.asarray(small - small.mean())


def _change(before: NDArray[Any] | None, now: NDArray[Any]) -> float:
    """Return the mean difference of two pictures in grey levels."""
    import cv2

    if before is None or before.shape != now.shape:
        return float("inf")
    return cv2.norm(before, now, cv2.NORM_L1) / now.size
