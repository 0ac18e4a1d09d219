"""The columns of a manifest: what each means, and how its cells are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from bitbox.analysis.senses import Mirror
from bitbox.errors import BitboxError, InputError
from bitbox.files import require_file
from bitbox.statistics.columns import COLUMNS as SCORECARD
from bitbox.workflow.recordings import SIGNALS, is_video
from bitbox.workflow.settings import seconds_of

_Reader = Callable[[str, Path], Any]


@dataclass(frozen=True)
class Column:
    """A column that is known.

    Attributes
    ----------
    meaning : str
        In words.
    read : callable
        From a cell and the manifest's folder to a value; ValueError says what is wrong.
    setting : str
        The field of `bitbox.workflow.settings.Settings`; empty: not a setting.
    """

    meaning: str
    read: _Reader
    setting: str = ""


def _recording(text: str, folder: Path) -> Path:
    path = folder / Path(text).expanduser()
    if path.is_dir():
        return path  # OpenPose writes folders
    try:
        status = require_file(path, "a video or a file of signals")
        if status.st_size == 0:
            raise InputError(f"{text} is empty.")
        if is_video(path):
            _open(path, status.st_mtime_ns)
    except InputError as error:
        raise ValueError(" ".join(part for part in (error.what, error.todo) if part)) from None
    return path


@cache
def _open(path: Path, _changed: int) -> tuple[float | None, bool]:
    """Return how long a video is, if it says so, and whether it has sound; look once at each.

    Raises
    ------
    VideoError
        It cannot be opened.
    """
    from bitbox.video import probe

    info = probe(path)
    return info.duration, info.has_audio


def duration(path: Path) -> float | None:
    """Return how long a recording is in seconds, if that can be told."""
    changed = path.stat().st_mtime_ns
    return _open(path, changed)[0] if is_video(path) else _last_moment(path, changed)


@cache
def _last_moment(path: Path, _changed: int) -> float | None:
    from bitbox.readers import read_signals

    try:
        time = read_signals(path).time
    except BitboxError:
        return None  # without more being stated, perhaps; told where it is compared
    return float(time[-1]) if len(time) else None


def has_sound(path: Path) -> bool:
    """Return whether a recording has sound; files of signals have none."""
    return is_video(path) and _open(path, path.stat().st_mtime_ns)[1]


def _text(text: str, _: Path) -> str:
    return text


def _number(text: str, _: Path) -> float:
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e9:
        raise ValueError(f"Expected a number of seconds, got {text!r}.")
    return value


def _offset(text: str, folder: Path) -> float | str:
    if text.lower() == "auto":
        return "auto"
    try:
        return _number(text, folder)
    except ValueError:
        raise ValueError(f"Expected a number of seconds, or auto, got {text!r}.") from None


def _trials(text: str, folder: Path) -> str:
    path = folder / Path(text).expanduser()
    try:
        status = require_file(path, "a list of trials")
        _read_trials(path, status.st_mtime_ns)
    except BitboxError as error:
        raise ValueError(_in_short(error)) from None
    return str(path)


@cache
def _read_trials(path: Path, _changed: int) -> None:
    """Read a list of trials, and see that imitation can be told from it; look once at each.

    Raises
    ------
    BitboxError
        It cannot.
    """
    from bitbox.analysis.trial_design import design_of
    from bitbox.readers.events import read_events

    design_of(read_events(path), None)


def _in_short(error: BitboxError) -> str:
    got = f"Got {error.got}." if error.got else None
    return " ".join(part for part in (error.what, got, error.todo) if part)


def _moment(text: str, _: Path) -> float:
    return seconds_of(text.replace(",", ".") if text.count(",") == 1 else text)


def _mirror(text: str, _: Path) -> str:
    if text.lower() not in get_args(Mirror):
        raise ValueError(f"Expected {', '.join(get_args(Mirror))}, got {text!r}.")
    return text.lower()


def _flipped(text: str, _: Path) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError(f"Expected yes or no, got {text!r}.")
    return text.lower() == "yes"


def _face(text: str, _: Path) -> str | int:
    if text in ("largest", "left", "right"):
        return text
    if text.isdecimal() and text.isascii():
        return int(text)
    raise ValueError(f"Expected largest, left, right or a number from 0, got {text!r}.")


def _signals(text: str, _: Path) -> str:
    if text not in SIGNALS:
        raise ValueError(f"Expected one of {', '.join(SIGNALS)}, got {text!r}.")
    return text


COLUMNS: Mapping[str, Column] = {
    "participant": Column("the recording of who imitates", _recording),
    "model": Column("the recording of who is imitated", _recording),
    "id": Column("who the participant is; the name of the file if left out", _text),
    "group": Column("the group that the participant belongs to", _text),
    "condition": Column("the condition, task or trial", _text),
    "session": Column("the session", _text),
    "offset": Column(
        "seconds added to the participant's clock; auto: found from what both heard",
        _offset,
        "offset",
    ),
    "trials": Column("when something is shown, and what: a file of trials", _trials, "trials"),
    "mirror": Column("left with left (no), as in a mirror (yes), or either", _mirror, "mirror"),
    "start": Column("from when, in the participant's recording", _moment, "start"),
    "end": Column("up to when", _moment, "end"),
    "model_start": Column("from when, on the model's own clock", _moment, "model_start"),
    "model_end": Column("up to when, on the model's own clock", _moment, "model_end"),
    "participant_flipped": Column(
        "yes: the camera flipped the participant's picture", _flipped, "participant_flipped"
    ),
    "model_flipped": Column(
        "yes: the camera flipped the model's picture", _flipped, "model_flipped"
    ),
    "participant_face": Column("which face of the participant's video", _face, "participant_face"),
    "model_face": Column("which face of the model's video", _face, "model_face"),
    "signals": Column("what is compared", _signals, "signals"),
}
#: What the tables of results call something of their own, so that a manifest cannot.
TAKEN = frozenset(
    {
        *(column.name for column in SCORECARD),
        *("signal", "excess", "half_a", "half_b", "trial", "trial_onset", "trial_offset"),
        *("trial_label", "trial_hit", "trial_score", "trial_z", "trial_p", "trial_p_fwer"),
        *("trial_gain", "pair", "done", "error", "line", "headline", "warnings", "imitated"),
        *("tested", "share", "median_z", "seconds", "too_short"),
    }
)
REQUIRED = ("participant", "model")
#: Together, they name a row.
NAMED = ("id", "group", "condition", "session")
