"""What can be chosen for an analysis of two recordings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from bitbox.analysis.senses import Mirror
from bitbox.errors import ParameterError
from bitbox.readers.clock import AngleUnit, TimeUnit
from bitbox.workflow.recordings import DEFAULT, SIGNALS, Recording, Role

_STATED = ("fps", "person", "time_unit", "angle_unit")
_ANALYSIS = (
    *("width", "step", "lag", "fps", "polarity", "causality", "mirror", "n_surrogates"),
    *("surrogate", "seed", "matrix_test"),
)


@dataclass(frozen=True)
class Settings:
    """What can be chosen for an analysis; see ``bitbox imitate --help``.

    Attributes
    ----------
    signals : str or None
        One of `bitbox.workflow.recordings.SIGNALS`, or several with commas between; None: local
        expressions, or what the files hold.
    width, step, lag : float or None
        Window, hop and largest lag in seconds; None: the analysis' own default.
    fps : float or None
        Frames a second of the common clock; None: the lower of the two rates.
    polarity, causality : bool
        As for :func:`bitbox.social.imitation_quality`.
    mirror : {'no', 'yes', 'either'}
        Whether sides are compared as in a mirror, as for :func:`bitbox.social.imitation_quality`.
    offset : float or 'auto'
        Seconds added to the participant's clock; 'auto': found from what both recordings heard,
        see :func:`bitbox.sync.offset`.
    remove_drift : bool
        Whether the drift of the clocks that is found with it is taken out.
    start, end, model_start, model_end : float or None
        The stretch that is compared, in seconds of each recording's own clock; None: all of it, or
        the same time as in the other.
    participant_flipped, model_flipped : bool
        Whether the camera flipped the picture, so that left is seen on the left.
    participant_face, model_face : str, int or None
        Which face of each video to follow; None: the largest.
    body_fps : float or None
        Frames a second of a video that are looked at for the body, at their true times; None: all.
    participant_fps, model_fps : float or None
        Frames a second of a file of signals that holds no times, or false ones.
    participant_person, model_person : str or None
        Whose signals, where a file tells several people apart.
    participant_time_unit, model_time_unit : {'s', 'ms', 'us', 'ns'} or None
        What the times in a file of signals count.
    participant_angle_unit, model_angle_unit : {'rad', 'deg'} or None
        What the angles in a file of signals are in.
    only : sequence of str or None
        Which of the signals to compare, by name; None: all that both have.
    n_surrogates, surrogate, seed
        The test against chance, as for :func:`bitbox.social.imitation_quality`.
    matrix_test : bool
        Also test every pair of signals against chance.
    windows : bool
        Also write every window's correlations to windows.nc.
    trials : str or None
        A file that says when trials are and what they show, as for
        :func:`bitbox.readers.read_events`; None: there are none.
    latency : (float, float) or None
        How late the participant may be in trials, in seconds; None: as for
        :func:`bitbox.social.imitation_trials`.

    Examples
    --------
    >>> from bitbox.workflow.settings import Settings
    >>> Settings(width=2.0, lag=1.0, n_surrogates=99, seed=1).analysis()['width']
    2.0
    """

    signals: str | None = None
    width: float | None = None
    step: float | None = None
    lag: float | None = None
    fps: float | None = None
    polarity: bool = False
    causality: bool = True
    mirror: Mirror = "no"
    offset: float | Literal["auto"] = 0.0
    remove_drift: bool = False
    start: float | None = None
    end: float | None = None
    model_start: float | None = None
    model_end: float | None = None
    participant_flipped: bool = False
    model_flipped: bool = False
    participant_face: str | int | None = None
    model_face: str | int | None = None
    body_fps: float | None = None
    participant_fps: float | None = None
    model_fps: float | None = None
    participant_person: str | None = None
    model_person: str | None = None
    participant_time_unit: TimeUnit | None = None
    model_time_unit: TimeUnit | None = None
    participant_angle_unit: AngleUnit | None = None
    model_angle_unit: AngleUnit | None = None
    only: tuple[str, ...] | None = None
    n_surrogates: int = 999
    surrogate: str = "circular"
    seed: int | None = None
    matrix_test: bool = False
    windows: bool = False
    trials: str | None = None
    latency: tuple[float, float] | None = None

    def by_family(self) -> tuple[Settings, ...]:
        """Return the same settings for each of the families of signals that are named.

        Raises
        ------
        ParameterError
            A name is not known, or stands there twice; something is said of bodies, and none are
            compared; or single signals are named, and several families.
        """
        names = () if self.signals is None else families_of(self.signals)
        if self.body_fps is not None and not any(SIGNALS[name].of_body for name in names):
            raise ParameterError(
                "No signals of the body are compared.",
                expected="`body_fps` with some of "
                + ", ".join(name for name, choice in SIGNALS.items() if choice.of_body),
                got=f"body_fps={self.body_fps:g} with {self.signals or DEFAULT}",
                todo="Leave `body_fps` out, or compare the body.",
            )
        if self.only is not None and len(names) > 1:
            raise ParameterError(
                "Single signals can be named where one family of signals is compared, not several.",
                expected=f"one of {', '.join(names)}",
                got=f"{len(names)} families, and {', '.join(self.only)}",
                todo="Run the families one by one; what was measured in videos is kept.",
            )
        return tuple(replace(self, signals=name) for name in names) or (self,)

    def analysis(self) -> dict[str, Any]:
        """Return the arguments of `imitation_quality`; what is None is left to its defaults."""
        given = {name: getattr(self, name) for name in _ANALYSIS} | {"signals": self.only}
        if self.offset != "auto":  # else it is not known yet
            given["offset"] = self.offset
        angular = SIGNALS[self.signals].angular if self.signals else True
        return {k: v for k, v in given.items() if v is not None} | {"angular": angular}

    def loading(self, role: Role) -> dict[str, Any]:
        """Return the arguments of `load_recording` that say how one person's file is read."""
        stated = {name: getattr(self, f"{role}_{name}") for name in _STATED}
        return {
            "face": getattr(self, f"{role}_face"),
            "common_fps": self.fps,
            "body_fps": self.body_fps,
            "stated": {name: value for name, value in stated.items() if value is not None},
        }

    def as_done(self, participant: Recording, model: Recording) -> Settings:
        """Return the settings with what was done where the choice was left open."""
        people = (participant, model)
        done: dict[str, Any] = {
            f"{person.role}_face": "largest"
            for person in people
            if person.is_video and getattr(self, f"{person.role}_face") is None
        }
        if self.signals is None and any(person.is_video for person in people):
            done["signals"] = DEFAULT
        return replace(self, **done)


def families_of(text: str) -> tuple[str, ...]:
    """Return the names of families of signals in a text, with commas between them.

    Raises
    ------
    ParameterError
        A name is not known, or stands there twice.
    """
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in SIGNALS]
    if unknown or len(set(names)) < len(names):
        raise ParameterError(
            "Which signals to compare was not understood.",
            expected="one or several, with commas between, each once, of: " + ", ".join(SIGNALS),
            got=repr(text),
        )
    return names


def seconds_of(text: str) -> float:
    """Return a time in a recording in seconds, from seconds or h:mm:ss.

    Raises
    ------
    ValueError
        It is no such time; the message is a sentence.
    """
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)", text.strip())
    if match is None or (match[2] and float(match[3]) >= 60) or (match[1] and int(match[2]) > 59):
        raise ValueError(f"{text!r} is not a time like 90, 1:30 or 0:01:30.5.")
    return 3600.0 * int(match[1] or 0) + 60.0 * int(match[2] or 0) + float(match[3])
