"""Signals: a set of named time series on one clock, validated once and trusted ever after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bitbox.errors import InputError, ParameterError
from bitbox.findings import Finding, recorded
from bitbox.notebook import ROWS, left_out, panel
from bitbox.signals.checks import (
    FloatArray,
    check_confidence,
    check_kind,
    check_names,
    check_provenance,
    check_reliability,
    check_time,
    check_unreliable,
    check_values,
    frame_rate,
    some,
    spread,
)
from bitbox.signals.tables import Tabled
from bitbox.signals.vectors import Components, as_components

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, eq=False, repr=False)
class Signals(Tabled):
    """A set of signals on one clock: what a face processor returns and what the analysis takes.

    Parameters
    ----------
    values : array_like, shape (T, k)
        One row a frame, one column a signal; NaN is missing. Kept as write-locked float64.
    time : array_like, shape (T,)
        Seconds, strictly increasing; true presentation times where they come from video.
    names : sequence of str
        The k column names, all different. Landmarks are named ``x0, y0, x1, y1, ...`` (and
        ``z0`` where there are three coordinates), in any order.
    kind : {'rectangle', 'landmark', 'landmark-can', 'pose', 'expression', 'body'}
        What the signals are.
    schema : str
        Which definition the names follow, such as ``'ibug51'``. Expression units of two
        different schemas cannot be compared.
    units : str
        The unit of the values, such as ``'mm'``.
    dimension : int
        Coordinates a signal: 2 or 3 for landmarks, otherwise 1.
    backend : str
        Which program measured them.
    confidence : array_like, shape (T,), optional
        Confidence of the measurement, 0 (lost) to 1.
    provenance : mapping, optional
        Whatever JSON can hold about where the values come from.

    Raises
    ------
    InputError
        If values, times, names or confidence cannot be used; the message says which and where.
    SchemaError
        If the kind is unknown or the columns don't fit the kind.

    Notes
    -----
    A ``Signals`` is also a read-only mapping with the keys of Bitbox's dictionaries
    (``sig['data']`` is a DataFrame, ``sig['frame count']``, ``sig['type']``, ...). Only the name
    ``values`` differs from a mapping's: it is the array.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.signals import Signals
    >>> time = np.arange(90) / 30
    >>> signals = Signals(
    ...     np.sin(time)[:, None],
    ...     time,
    ...     ['smile'],
    ...     kind='expression',
    ...     schema='mine',
    ...     units='mm',
    ...     backend='by hand',
    ... )
    >>> signals
    <Signals: expression (mine), 1 signals, 90 frames, 2.97 s at 30.00 fps, coverage 100%, by hand>
    >>> signals['frame count']  # reads like Bitbox's dictionaries, too
    90
    """

    values: FloatArray
    time: FloatArray
    names: tuple[str, ...]
    kind: str = field(kw_only=True)
    schema: str = field(kw_only=True)
    units: str = field(kw_only=True)
    dimension: int = field(default=1, kw_only=True)
    backend: str = field(kw_only=True)
    confidence: FloatArray | None = field(default=None, kw_only=True)
    provenance: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        names = check_names(self.names)
        values = check_values(self.values, names)
        check_kind(self.kind, self.dimension, names)
        put = partial(object.__setattr__, self)
        put("names", names)
        put("values", values)
        put("time", check_time(self.time, len(values)))
        put("confidence", check_confidence(self.confidence, len(values)))
        put("provenance", MappingProxyType(check_provenance(self.provenance)))

    # ---------------------------------------------------------------- what it holds

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return len(self.time)

    @property
    def duration(self) -> float:
        """Seconds from the first to the last frame."""
        return float(self.time[-1] - self.time[0])

    @property
    def rate(self) -> float:
        """Frames a second: one over the mean frame interval, pauses left out (NaN for 1 frame).

        Intervals of more than 1.5 times the median are pauses (dropped frames, gaps).
        """
        return frame_rate(self.time)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed when the signals were measured or read, from `provenance`."""
        return recorded(self.provenance.get("findings"))

    @property
    def reliability(self) -> dict[str, float]:
        """How well each signal follows what it is named for where that is known, by name: r.

        From `provenance`; measured by who made the back end, on other people. Signals of which
        that is not known are not in it.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> imitated_pair(2, duration=20)[0].reliability  # nobody measured it
        {}
        """
        return check_reliability(self.provenance.get("reliability"))

    @property
    def unreliable(self) -> tuple[str, ...]:
        """Signals that are known to be measured too badly to be tested, whatever their r.

        From `provenance`, as `reliability`.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> imitated_pair(2, duration=20)[0].unreliable
        ()
        """
        return check_unreliable(self.provenance.get("unreliable"))

    @property
    def coverage(self) -> FloatArray:
        """Share of frames with a value, one number a signal, shape (k,)."""
        return cast(FloatArray, np.mean(np.isfinite(self.values), axis=0))

    def select(self, names: Sequence[str]) -> Signals:
        """Return the named columns, in the order given.

        Raises
        ------
        ParameterError
            If a name isn't there.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.select(['s02', 's00']).names
        ('s02', 's00')
        """
        places = {name: column for column, name in enumerate(self.names)}
        unknown = [name for name in names if name not in places]
        if unknown:
            raise ParameterError(
                f"There is no signal called {unknown[0]!r} in these {self.kind} signals.",
                expected=some(self.names),
                got=some(unknown),
            )
        columns = [places[name] for name in names]
        return self.replace(values=self.values[:, columns], names=tuple(names))

    def shifted(self, seconds: float) -> Signals:
        """Return the same signals on a clock that runs `seconds` later.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> float(signals.shifted(0.5).time[0])
        0.5
        """
        return self if seconds == 0 else self.replace(time=self.time + seconds)

    def between(self, start: float | None = None, end: float | None = None) -> Signals:
        """Return the frames from one moment to another, on the same clock.

        Parameters
        ----------
        start, end : float, optional
            Seconds on the signals' own clock, both included; None: from the first, to the last.

        Raises
        ------
        ParameterError
            If `start` is not before `end`.
        InputError
            If there is no frame between the two.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> part = signals.between(2.0, 5.0)
        >>> float(part.time[0]), float(part.time[-1])
        (2.0, 5.0)
        """
        first, last = (-np.inf if start is None else start), (np.inf if end is None else end)
        if not first < last:
            raise ParameterError(
                "The start of a stretch must be before its end.",
                expected="start below end, in seconds",
                got=f"{start} and {end}",
            )
        rows = np.flatnonzero((self.time >= first) & (self.time <= last))
        if not len(rows):
            raise InputError(
                "There is no frame in the stretch that was asked for.",
                expected=f"a stretch within {self.time[0]:.2f} to {self.time[-1]:.2f} s",
                got=f"{first:g} to {last:g} s",
            )
        if len(rows) == self.n_frames:
            return self
        part = slice(rows[0], rows[-1] + 1)
        confidence = None if self.confidence is None else self.confidence[part]
        return self.replace(values=self.values[part], time=self.time[part], confidence=confidence)

    def mirrored(self) -> Signals:
        """Return what would have been measured if the picture had been flipped left to right.

        Signals with a side exchange it: units by name, landmarks by their place on the face, with
        x reflected (in pixels at the middle of the picture, where its width is known). Yaw, roll
        and sideways shift change sign, and so do global units that stand for the one side against
        the other. Where only one side of a pair is there, it gets the other's name. Mirrored twice
        is as before.

        Raises
        ------
        SchemaError
            If it is not known which signals are left and right: 3DI's expression coefficients, or
            names that have no side.

        Notes
        -----
        Action units without a side (OpenFace, LibreFace, py-feat) stand for both sides at once and
        stay as they are. Normalised units are exchanged as they are, each on its own scale.

        Examples
        --------
        >>> import numpy as np
        >>> from bitbox.signals import Signals
        >>> values = [[0.0, 1.0, 0.2], [0.0, 2.0, 0.1]]
        >>> names = ('smile_left', 'smile_right', 'jaw_drop')
        >>> signals = Signals(
        ...     values, [0.0, 0.1], names, kind='expression', schema='own', units='mm',
        ...     backend='mine',
        ... )
        >>> signals.mirrored().values[:, :2].tolist()
        [[1.0, 0.0], [2.0, 0.0]]
        >>> signals.mirrored().mirrored() == signals
        True
        """
        from bitbox.signals.mirror import mirrored

        return self.replace(**mirrored(self))

    def components(
        self, how: Components | None = None, *, angular: bool = True
    ) -> tuple[tuple[str, ...], FloatArray]:
        """Return the signals as an array that the correlation takes.

        Parameters
        ----------
        how : {'vector', 'each', 'magnitude'}, optional
            ``vector``: a landmark (or the head's rotation) is one signal with d coordinates;
            ``each``: every column by itself; ``magnitude``: the Euclidean norm. The default
            is ``vector`` for landmarks and ``each`` for everything else.
        angular : bool
            For head pose: its three rotations (True) or its three translations (False).

        Returns
        -------
        labels : tuple of str
            n names.
        array : ndarray, shape (T, n, d)
            NaN is missing. Where every column is a signal it is a view of `values`, write-locked.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> labels, array = signals.components()
        >>> array.shape
        (300, 3, 1)
        """
        return as_components(self.values, self.names, self.kind, self.dimension, how, angular)

    # ---------------------------------------------------------------- equality, looks

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signals):
            return NotImplemented
        return (
            all(
                getattr(self, name) == getattr(other, name)
                for name in ("names", "kind", "schema", "units", "dimension", "backend")
            )
            and np.array_equal(self.values, other.values, equal_nan=True)
            and np.array_equal(self.time, other.time)
            and _same(self.confidence, other.confidence)
            and dict(self.provenance) == dict(other.provenance)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        covered = float(np.mean(self.coverage))
        return (
            f"<Signals: {self.kind} ({self.schema}), {len(self.names)} signals, "
            f"{self.n_frames} frames, {self.duration:.2f} s at {self.rate:.2f} fps, "
            f"coverage {covered:.0%}, {self.backend}>"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        shown = range(min(len(self.names), ROWS))
        lowest, middle, highest = spread(self.values[:, : len(shown)])
        return panel(
            f"Signals: {self.kind} ({self.schema})",
            [
                f"{len(self.names)} signals in {self.units}, measured by {self.backend}",
                f"{self.n_frames} frames, {self.duration:.2f} s at {self.rate:.2f} fps",
                *(str(finding) for finding in self.findings),
            ],
            ("signal", "coverage", "lowest", "median", "highest"),
            [
                (self.names[k], f"{self.coverage[k]:.0%}", lowest[k], middle[k], highest[k])
                for k in shown
            ],
            note=left_out(len(shown), len(self.names), "to_frame()"),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.values, self.time, self.names, self.metadata(), self.confidence)

    def replace(self, **changes: Any) -> Signals:
        """Return a copy in which some of the constructor's arguments differ.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> signals = imitated_pair(3, duration=10, seed=1).participant
        >>> signals.replace(units='mm').units
        'mm'
        """
        arguments = {
            **self.metadata(),
            "values": self.values,
            "time": self.time,
            "names": self.names,
            "confidence": self.confidence,
            **changes,
        }
        return Signals(**arguments)


Mapping.register(Signals)


def _rebuild(
    values: FloatArray,
    time: FloatArray,
    names: tuple[str, ...],
    metadata: dict[str, Any],
    confidence: FloatArray | None,
) -> Signals:
    return Signals(values, time, names, confidence=confidence, **metadata)


def _same(a: FloatArray | None, b: FloatArray | None) -> bool:
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b, equal_nan=True)
