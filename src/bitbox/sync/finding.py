"""By how much two recordings did not start together, and how sure that is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

import numpy as np

from bitbox.errors import ParameterError, UnsureError
from bitbox.progress import Progress
from bitbox.signals import Signals
from bitbox.sync.flashes import Flashes, flashes_in, match_flashes
from bitbox.sync.matching import LEAST_SHARED, Match, match
from bitbox.sync.movement import match_movements
from bitbox.sync.onsets import Onsets, require_sound, sound_onsets

if TYPE_CHECKING:
    import plotly.graph_objects as go

How = Literal["sound", "flash", "movement"]

#: What has to agree for an answer: standard deviations above chance, times the next best place,
#: and moments. Set on generated sound, see validation/sync.py.
_SCORE, _AHEAD, _EVENTS = {"sound": 9.0, "movement": 6.0}, 1.4, 3.0
#: Fewer moments than this can fall together by chance where there are others: then most of what is
#: heard in the one has to be heard in the other, too.
_FEW, _COMMON = 30.0, 0.6
#: Half of a 95 % interval, in standard errors; and what no agreement can be better than, seconds.
_INTERVAL, _FLOOR = 2.0, {"sound": 0.002, "flash": 0.005, "movement": 0.2}
#: An uncertainty of drift, in parts per million, above which nothing is said of it.
_TELLING = 30.0
WORDS = {"sound": "sound", "flash": "flashes", "movement": "movement"}


@dataclass(frozen=True, eq=False)
class Offset:
    """By how much one recording started later than another, and how sure that is.

    Attributes
    ----------
    offset : float
        Seconds by which `a` started later than `b`: what happened at time t of a's clock happened
        at t + offset of b's. Negative: a started earlier. As the clocks stood when the later of
        the two started.
    uncertainty : float
        Half of its 95 % interval, in seconds.
    drift_ppm, drift_uncertainty_ppm : float
        Parts per million by which b's clock gains on a's, and half of the 95 % interval. 50 ppm
        are 0.18 s an hour.
    middle : float
        The offset in the middle of what both share: where the clocks drift, the best single number.
    shared : (float, float)
        From when to when both ran, in seconds of a's clock.
    how : {'sound', 'flash', 'movement'}
        What was compared.
    sure : bool
        Whether it can be relied on.
    doubt : str
        Why not, if it cannot.
    found : Match or None
        What the answer rests on.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.sync import offset
    >>> from bitbox.synthetic.sound import heard, sound, write_sound
    >>> rng = np.random.default_rng(1)
    >>> air = sound('talk', 40, rng)
    >>> early = write_sound('early.mp4', heard(air, rng))
    >>> late = write_sound('late.mp4', heard(air, rng)[48_000:])  # 3 s later
    >>> found = offset(late, early)
    >>> round(found.offset, 2)
    3.0
    """

    offset: float
    uncertainty: float
    drift_ppm: float
    drift_uncertainty_ppm: float
    middle: float
    shared: tuple[float, float]
    how: str
    sure: bool
    doubt: str
    found: Match | None

    @property
    def drift_matters(self) -> bool:
        """Whether drift moves the clocks by more than 0.04 s, and surely."""
        length = self.shared[1] - self.shared[0]
        sure = abs(self.drift_ppm) > self.drift_uncertainty_ppm
        return sure and abs(self.drift_ppm) * 1e-6 * length > 0.04

    def at(self, seconds: float) -> float:
        """Return the offset as the clocks stand at a time of a's clock, in seconds.

        Examples
        --------
        >>> from bitbox.sync import Offset
        >>> found = Offset(2.0, 0.002, 50.0, 1.0, 2.09, (0.0, 3600.0), 'sound', True, '', None)
        >>> round(found.at(3600.0), 2)
        2.18
        """
        return self.offset + (seconds - max(0.0, -self.offset)) * self.drift_ppm * 1e-6

    def plot(self) -> go.Figure:
        """Return how well both agree at every offset, as a Plotly figure.

        Raises
        ------
        BackendError
            If Plotly isn't installed.
        ParameterError
            If the two share nothing to draw.

        Examples
        --------
        >>> import numpy as np
        >>> from bitbox.sync import compare
        >>> from bitbox.synthetic.sound import heard, sound, write_sound
        >>> rng = np.random.default_rng(1)
        >>> air = sound('talk', 20, rng)
        >>> names = [write_sound(f'{k}.mp4', heard(air, rng)) for k in range(2)]
        >>> compare(*names).plot().layout.xaxis.title.text
        'offset (s)'
        """
        from bitbox.sync.figure import offset_figure

        return offset_figure(self)

    def to_dict(self) -> dict[str, Any]:
        """Return what a record of a run holds of it.

        Examples
        --------
        >>> from bitbox.sync import Offset
        >>> found = Offset(2.0, 0.002, 50.0, 1.0, 2.09, (0.0, 3600.0), 'sound', True, '', None)
        >>> found.to_dict()['offset']
        2.0
        """
        names = ("offset", "uncertainty", "drift_ppm", "drift_uncertainty_ppm", "middle")
        numbers = {name: round(float(getattr(self, name)), 6) for name in names}
        return {**numbers, "shared": [round(s, 3) for s in self.shared], "how": self.how}

    def __str__(self) -> str:
        if not self.sure:
            return f"The offset cannot be told from {WORDS[self.how]}: {self.doubt}"
        later = "later" if self.offset >= 0 else "earlier"
        text = (
            f"The first started {abs(self.offset):.3f} s {later} than the second "
            f"(± {self.uncertainty:.3f} s, from {WORDS[self.how]})."
        )
        if self.how == "sound" and self.drift_uncertainty_ppm < _TELLING:
            text += (
                f" The second's clock gains {self.drift_ppm:.0f} ± {self.drift_uncertainty_ppm:.0f}"
                " parts per million."
            )
        return text


def offset(
    a: str | Path | Signals,
    b: str | Path | Signals,
    *,
    how: How = "sound",
    not_for_testing: bool = False,
    progress: Progress | None = None,
) -> Offset:
    """Return by how much `a` started later than `b`.

    Parameters
    ----------
    a, b : path, or Signals for 'movement'
        Two recordings of the same event.
    how : {'sound', 'flash', 'movement'}
        What is compared: what both microphones heard; flashes, or a lamp switched on, that both
        cameras saw; or, as a last resort, the movements themselves, over up to 30 s either way.
    not_for_testing : bool
        Has to be True for 'movement': an offset at which two people match best must never be used
        to test on the same stretch whether they do.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    Offset
        Its ``offset``, in seconds, is positive where a started later; add it to a's clock (give it
        as the offset of an analysis in which a is the participant's recording).

    Raises
    ------
    UnsureError
        If it cannot be told. The message says what was found.
    VideoError
        If a file cannot be read, or has no sound.
    ParameterError
        If it is not known what to compare, or 'movement' is asked for without a word.

    Notes
    -----
    Sound is cut into five bands from 200 to 3800 Hz; what is compared is by how much each grows
    louder from one moment to the next, 250 times a second. The offset is looked for by one
    correlation of all of it, then stretch by stretch: a line through what the stretches say gives
    the offset, the drift of the clocks and how sure both are. Sound takes 3 ms a metre: between two
    microphones that is part of the answer, and nothing can be done about it.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.sync import offset
    >>> from bitbox.synthetic.sound import heard, sound, write_sound
    >>> rng = np.random.default_rng(1)
    >>> air = sound('talk', 40, rng)
    >>> early = write_sound('early.mp4', heard(air, rng))
    >>> late = write_sound('late.mp4', heard(air, rng)[48_000:])  # 3 s later
    >>> found = offset(late, early)
    >>> abs(found.offset - 3.0) < found.uncertainty + 0.005
    True
    """
    found = compare(a, b, how=how, not_for_testing=not_for_testing, progress=progress)
    if not found.sure:
        refuse(found)
    return found


def refuse(found: Offset) -> NoReturn:
    """Raise the error of an offset that cannot be relied on, with what was found.

    Raises
    ------
    UnsureError
    """
    raise UnsureError(
        "By how much the two recordings did not start together cannot be told from "
        f"{WORDS[found.how]}.",
        expected="moments that are surely the same in both",
        got=found.doubt.rstrip("."),
        todo="Find one moment in both by eye or ear, and give the difference of its times as the "
        "offset. Next time clap three times, not evenly, where both can hear it.",
    )


def compare(
    a: str | Path | Signals,
    b: str | Path | Signals,
    *,
    how: How = "sound",
    not_for_testing: bool = False,
    progress: Progress | None = None,
) -> Offset:
    """Return what :func:`offset` would, and where it is unsure what was found and why not.

    Parameters
    ----------
    a, b, how, not_for_testing, progress
        As for :func:`offset`.

    Returns
    -------
    Offset
        ``sure`` is False, and the numbers only the likeliest, where it cannot be relied on.

    Raises
    ------
    VideoError, ParameterError
        As for :func:`offset`.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.sync import compare
    >>> from bitbox.synthetic.sound import heard, sound, write_sound
    >>> rng = np.random.default_rng(1)
    >>> names = [
    ...     write_sound(f'{k}.mp4', heard(sound('talk', 20, rng), rng)) for k in range(2)
    ... ]
    >>> compare(*names).sure  # two different conversations
    False
    """
    if how not in get_args(How):
        raise ParameterError(
            "What to compare was not understood.",
            expected=", ".join(map(repr, get_args(How))),
            got=f"how={how!r}",
        )
    if how == "movement":
        return _by_movement(a, b, not_for_testing)
    if isinstance(a, Signals) or isinstance(b, Signals):
        raise ParameterError(
            "Signals hold no sound and no pictures.",
            expected="two files",
            got="Signals",
            todo="Name the recordings themselves, or use how='movement'.",
        )
    paths = Path(a), Path(b)
    if how == "flash":
        with ThreadPoolExecutor(2) as pool:
            return judged_flashes(*pool.map(lambda path: flashes_in(path, progress), paths))
    for path in paths:
        require_sound(path)
    # One after the other: two threads would wait for Python's lock more than they would gain.
    return judged(*(sound_onsets(path, progress) for path in paths))


def judged(one: Onsets, other: Onsets) -> Offset:
    """Return the offset of what was heard in two recordings, and whether it can be relied on."""
    found = match(one, other)
    shortest = min(one.seconds, other.seconds)
    if found is None:
        doubt = (
            f"{shortest:.1f} s are too short; {LEAST_SHARED:g} s have to be shared."
            if shortest < LEAST_SHARED
            else "nothing in the one is anywhere in the other."
        )
    elif not all((onsets.values > 0).any() for onsets in (one, other)):
        doubt = "nothing is heard in one of them."
    else:
        doubt = _doubt(found, "sound")
    return _offset(found, "sound", doubt)


def judged_flashes(one: Flashes, other: Flashes) -> Offset:
    """Return the offset of the flashes in two recordings, and whether it can be relied on."""
    found = match_flashes(one, other)
    if found is None:
        counts = " and ".join(str(len(flashes.times)) for flashes in (one, other))
        return _offset(None, "flash", f"there are {counts} flashes in the two.")
    doubt = ""
    if found.score < _EVENTS or found.score < found.rival + 2:
        doubt = (
            f"at the likeliest offset, {found.lag:.2f} s, {found.score:.0f} flashes are the same, "
            f"at another one {found.rival:.0f}; at least {_EVENTS:g}, and two more than at any "
            "other, are asked for."
        )
    return _offset(found, "flash", doubt)


def _doubt(found: Match, how: str) -> str:
    """Return what speaks against an answer; empty: nothing."""
    at = f"the likeliest offset, {found.lag:.2f} s,"
    if found.score < _SCORE[how]:
        return (
            f"{at} agrees hardly better than chance ({found.score:.1f} standard deviations, where "
            f"{_SCORE[how]:g} are asked for)."
        )
    if found.score < _AHEAD * found.rival:
        return f"{at} is not clearly better than another one, as of a beat that goes on."
    if found.events < _EVENTS:
        return (
            f"{at} rests on about {found.events:.0f} moments, where {_EVENTS:g} are asked for: "
            "single bangs are alike."
        )
    if how == "sound" and found.events < _FEW and found.common < _COMMON:
        return (
            f"{at} rests on about {found.events:.0f} moments, and much else is heard in only one "
            f"of them (r = {found.common:.2f}, where {_COMMON:g} is asked for): some moments fall "
            "together by chance."
        )
    return ""


def _offset(found: Match | None, how: str, doubt: str) -> Offset:
    if found is None:
        nan = float("nan")
        return Offset(nan, nan, nan, nan, nan, (nan, nan), how, False, doubt, None)
    # from the middle to where the later one started
    began = max(0.0, -found.lag)
    away = began - found.middle
    error = np.hypot(found.lag_error, away * found.drift_error)
    return Offset(
        found.lag + away * found.drift,
        float(np.hypot(_INTERVAL * error, _FLOOR[how])),
        found.drift * 1e6,
        _INTERVAL * found.drift_error * 1e6,
        found.lag,
        found.shared,
        how,
        not doubt,
        doubt,
        found,
    )


def _by_movement(a: Any, b: Any, not_for_testing: bool) -> Offset:
    if not not_for_testing:
        raise ParameterError(
            "An offset at which two people match best makes any test of whether they match "
            "worthless on the same stretch: it would find imitation everywhere, and no latency.",
            expected="not_for_testing=True, for those who will not do that",
            got="how='movement' alone",
            todo="Use the sound, a flash, or a moment found by eye.",
        )
    if not (isinstance(a, Signals) and isinstance(b, Signals)):
        raise ParameterError(
            "Movements are compared between signals.",
            expected="two Signals",
            got=f"{type(a).__name__} and {type(b).__name__}",
            todo="Measure both recordings first.",
        )
    found = match_movements(a, b)
    doubt = "nothing moves in both." if found is None else _doubt(found, "movement")
    return _offset(found, "movement", doubt)
