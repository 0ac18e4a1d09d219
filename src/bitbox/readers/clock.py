"""When each row of a file was recorded: its times, its frame numbers, and what the user states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from bitbox.errors import InputError, NoClockError, ParameterError
from bitbox.findings import Finding
from bitbox.readers.order import check_times
from bitbox.signals.checks import FASTEST, SLOWEST, FloatArray, frame_interval, frame_rate

TimeUnit = Literal["s", "ms", "us", "ns"]
AngleUnit = Literal["rad", "deg"]

#: How many of a unit a second has, and what it is called.
PER_SECOND: Mapping[str, float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
#: How many seconds longer units have; the last is what spreadsheets count.
_LONGER = {"minutes": 60.0, "hours": 3600.0, "days": 86_400.0}
_CALLED = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True)
class Stated:
    """What the user says about a file; None is to be found out from the file.

    Parameters
    ----------
    fps : float or None
        Frame rate of the recording.
    kind, person : str or None
        Which signals, and whose.
    time_unit : {'s', 'ms', 'us', 'ns'} or None
        What the file's times count.
    angle_unit : {'rad', 'deg'} or None
        What the file's angles are in.

    Raises
    ------
    ParameterError
        A unit is not known.
    """

    fps: float | None = None
    kind: str | None = None
    person: str | None = None
    time_unit: TimeUnit | None = None
    angle_unit: AngleUnit | None = None

    def __post_init__(self) -> None:
        for name, known in (("time_unit", get_args(TimeUnit)), ("angle_unit", get_args(AngleUnit))):
            given = getattr(self, name)
            if given is not None and given not in known:
                raise ParameterError(
                    f"The {name.replace('_', ' ')} is not known.",
                    expected=f"{name} to be " + " or ".join(map(repr, known)),
                    got=repr(given),
                )

    def settings(self) -> dict[str, Any]:
        """Return what is recorded of it with the Signals."""
        return {"fps": self.fps, "time_unit": self.time_unit}


@dataclass(frozen=True)
class Stamps:
    """A file's own times.

    Parameters
    ----------
    column : str
        What they are called in the file.
    values : ndarray, shape (rows,)
        The numbers there.
    unit : str
        What they count, by the documentation of the tool.
    """

    column: str
    values: FloatArray
    unit: str = "s"


@dataclass(frozen=True)
class Clock:
    """What a file holds about time, one entry a row.

    Parameters
    ----------
    path : Path
        The file.
    stamps : Stamps or None
        Its times, if it has any.
    frames : ndarray, shape (rows,), or None
        Frame numbers from 0, if it has any.
    lines : ndarray of int, shape (rows,)
        Where in the file the rows are, for messages.
    """

    path: Path
    stamps: Stamps | None
    frames: FloatArray | None
    lines: Any

    def times(self, stated: Stated) -> tuple[FloatArray, tuple[Finding, ...]]:
        """Return the time of every row in seconds, and what is to be said about it.

        The file's own times are used if they make a rate that a recording of a person may have
        and do not contradict the frame numbers. Where they do, what the user states decides.

        Raises
        ------
        InputError
            The times make no frame rate that is possible, contradict the frame numbers, are
            missing, or do not increase, and nothing is stated that helps.
        ParameterError
            The file holds no times, and `fps` is missing, impossible, or not what was stated.
        """
        if self.stamps is None:
            return self._counted(stated), self._about_first()
        time = self.stamps.values / PER_SECOND[stated.time_unit or self.stamps.unit]
        problem = self._problem(time, self.stamps)
        if problem is None or (stated.time_unit is not None and _runs(time)):
            checked = check_times(self.path, time, lines=self.lines)
            return checked, self._unused(checked, stated, problem)
        if stated.fps is None:
            if not _runs(time):
                check_times(self.path, time, lines=self.lines)
            raise problem
        return self._by_fps(time, need_fps(self.path, stated.fps)), (
            Finding(
                "times-not-used",
                "warning",
                f"The times of {self.path.name} (column {self.stamps.column!r}) were not used: "
                f"{_what(problem)} The time was counted by its "
                f"{'rows' if self.frames is None else 'frame numbers'} and {stated.fps:g} frames "
                "a second.",
                "Check that the frame rate is the video's own.",
            ),
        )

    def _counted(self, stated: Stated) -> FloatArray:
        if stated.time_unit is not None:
            raise ParameterError(
                f"{self.path.name} holds no times, so they have no unit.",
                got=f"time_unit={stated.time_unit!r}",
                todo="Leave `time_unit` out, and give `fps`.",
            )
        frames = np.arange(len(self.lines)) * 1.0 if self.frames is None else self._from_zero()
        return check_times(self.path, frames / need_fps(self.path, stated.fps), lines=self.lines)

    def _from_zero(self) -> FloatArray:
        """Return frame numbers from 0 where they start one beside it."""
        frames = np.zeros(0) if self.frames is None else self.frames
        return frames - frames[0] if len(frames) and abs(frames[0]) == 1 else frames

    def _about_first(self) -> tuple[Finding, ...]:
        if self.frames is None or not len(self.frames) or abs(self.frames[0]) != 1:
            return ()
        usual = 1 if self.frames[0] < 0 else 0
        return (
            Finding(
                "frames-from",
                "info",
                f"{self.path.name} numbers its frames from {1 - usual} rather than {usual}: the "
                "first was taken for the beginning of the recording.",
                "If one frame was left out before it, add an empty row for that.",
            ),
        )

    def _problem(self, time: FloatArray, stamps: Stamps) -> InputError | None:
        """Say why the times cannot be right, or None."""
        if not _runs(time):
            return InputError(f"{self.path.name}: times are missing or do not increase.")
        rate = frame_rate(time)
        if not np.isnan(rate) and not SLOWEST <= rate <= FASTEST:
            return self._impossible(rate, stamps)
        wrong = None if self.frames is None else _contradiction(time, self.frames)
        if wrong is None:
            return None
        first, last, count = wrong
        return InputError(
            f"{self.path.name}: times and frame numbers contradict each other from line "
            f"{self.lines[first]} to line {self.lines[last]}.",
            expected="frame numbers that increase"
            if count <= 0
            else f"{count:g} frames to take as long as in the rest of the file",
            got=f"{count:g} frames" if count <= 0 else f"{time[last] - time[first]:.4g} s",
            todo="Give `fps` to go by the frame numbers, or `time_unit` to go by the times.",
        )

    def _impossible(self, rate: float, stamps: Stamps) -> InputError:
        own = 1 / frame_interval(stamps.values)  # rows a counted unit
        likely = [unit for unit, n in PER_SECOND.items() if SLOWEST <= own * n <= FASTEST]
        longer = [unit for unit, n in _LONGER.items() if SLOWEST <= own / n <= FASTEST]
        if likely:
            todo = (
                f"The times are likely {_CALLED[likely[0]]}: if so, give time_unit={likely[0]!r}."
            )
        elif longer:
            todo = f"The times are likely {longer[0]}: turn them into seconds, or give `fps`."
        elif abs(own - 1) < 0.01:
            todo = "The times are likely frame numbers: if so, give the frame rate as `fps`."
        else:
            todo = "Give the frame rate as `fps`, or what the times count as `time_unit`."
        return InputError(
            f"{self.path.name}: the times in {stamps.column!r}, read as "
            f"{_CALLED[stamps.unit]}, make a frame rate that no recording of a person has.",
            expected=f"{SLOWEST:g} to {FASTEST:g} frames a second",
            got=f"{rate:,.4g} a second",
            todo=todo,
        )

    def _unused(
        self, time: FloatArray, stated: Stated, problem: InputError | None
    ) -> tuple[Finding, ...]:
        """Say what was stated against the file's times, or in their favour."""
        if problem is not None:
            unit = _CALLED[str(stated.time_unit)]
            return (
                Finding(
                    "unlikely-times",
                    "warning",
                    f"The times of {self.path.name} were taken for {unit} as stated, although: "
                    f"{_what(problem)}",
                    "Check the unit of the times, and how the file was made.",
                ),
            )
        rate = frame_rate(time)
        if stated.fps is None or np.isnan(rate) or abs(stated.fps - rate) <= 0.01 * rate:
            return ()
        return (
            Finding(
                "fps-not-used",
                "info",
                f"{self.path.name} has times of its own, {rate:.2f} frames a second; fps="
                f"{stated.fps:g} was not needed to read it.",
                "Nothing, if the file's times are true.",
            ),
        )

    def _by_fps(self, time: FloatArray, fps: float) -> FloatArray:
        """Return times by the stated frame rate, where the file's own are of no use."""
        seconds = time  # without frame numbers, and if it does not run: the check says so
        if self.frames is not None:
            seconds = self._from_zero() / fps
        elif _runs(time):  # the mean interval is a frame, and pauses stay as many of them
            seconds = (time - time[0]) / (frame_interval(time) * fps)
        return check_times(self.path, seconds, lines=self.lines)


def _what(problem: InputError) -> str:
    """Return a problem's sentence without the file's name, and with what was got."""
    what = problem.what.split(": ", 1)[-1]
    got = "" if problem.got is None else f" ({problem.got})"
    return what.rstrip(".") + got + "."


def _runs(time: FloatArray) -> bool:
    return bool(np.isfinite(time).all() and (np.diff(time) > 0).all())


def _contradiction(time: FloatArray, frames: FloatArray) -> tuple[int, int, float] | None:
    """Return the first two rows where time and frame numbers cannot both be right, or None.

    The third number is how many frames there are between them.

    Frame numbers must increase, and skipped ones must take time. A pause between two frames of
    consecutive numbers is no contradiction: cameras do pause.
    """
    known = np.flatnonzero(np.isfinite(frames))
    if len(known) < 2:
        return None
    count, seconds = np.diff(frames[known]), np.diff(time[known])
    if (count > 0).all():
        interval = np.median(seconds / count)
        wrong = (count > 1) & (seconds < 0.5 * count * interval)
    else:
        wrong = count <= 0
    if not wrong.any():
        return None
    step = int(np.flatnonzero(wrong)[0])
    return int(known[step]), int(known[step + 1]), float(count[step])


def need_fps(path: Path, fps: float | None) -> float:
    """Return the frame rate, which a file without times cannot be read without.

    Raises
    ------
    ParameterError
        The frame rate is not given, or no recording of a person has it.
    """
    if fps is None:
        raise NoClockError(
            f"{path.name} counts frames and has no times in seconds.",
            expected="the frame rate of the video it was made from",
            todo="Give it as `fps`, for instance fps=29.97.",
        )
    if not SLOWEST <= fps <= FASTEST:
        raise ParameterError(
            "The frame rate makes no sense.",
            expected=f"fps from {SLOWEST:g} to {FASTEST:g}",
            got=f"fps={fps:g}",
        )
    return float(fps)
