"""The columns of a manifest: what each means, and how its cells are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bitbox.errors import InputError
from bitbox.files import require_file
from bitbox.workflow.recordings import SIGNALS, is_video

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
def _open(path: Path, _changed: int) -> None:
    """Raise VideoError, which is an InputError, if a video cannot be opened; look once at each."""
    from bitbox.video import probe

    probe(path)


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
    "offset": Column("seconds added to the participant's clock", _number, "offset"),
    "participant_face": Column("which face of the participant's video", _face, "participant_face"),
    "model_face": Column("which face of the model's video", _face, "model_face"),
    "signals": Column("what is compared", _signals, "signals"),
}
REQUIRED = ("participant", "model")
#: Together, they name a row.
NAMED = ("id", "group", "condition", "session")
