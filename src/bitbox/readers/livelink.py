"""ARKit's blendshapes, as the app Live Link Face saves them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bitbox.errors import InputError
from bitbox.readers.blendshapes import BLENDSHAPES
from bitbox.readers.clock import Stamps
from bitbox.readers.columns import Flavour, Layout
from bitbox.readers.table import FloatArray, Table

#: The names of MediaPipe, which took them from ARKit; the app writes them with a capital letter.
ARKIT = (*BLENDSHAPES[1:], "tongueOut")
_UNITS = "score 0 to 1"
_TIMECODE = re.compile(r"(\d\d?):(\d\d):(\d\d)[:;](\d\d+(?:\.\d+)?)")
#: Frames a second that timecodes count.
_TIMECODE_RATES = (24, 25, 30, 48, 50, 60, 120, 240)


def _layouts(names: Sequence[str]) -> list[Layout]:
    arkit = {name.casefold(): name for name in ARKIT}
    held = [(name, arkit[name.casefold()]) for name in names if name.casefold() in arkit]
    return [Layout("expression", "arkit-blendshapes", _UNITS, held)] if held else []


def _stamps(table: Table) -> Stamps:
    """Return the time of day in seconds."""
    name = table.find("Timecode") or ""
    parts = [_TIMECODE.fullmatch(cell) for cell in table.text(name)]
    if None in parts:
        row = parts.index(None)
        raise InputError(
            f"{table.path.name}: there is no timecode in line {table.lines[row]}.",
            expected="hours:minutes:seconds:frames, such as 10:59:35:12.345",
            got=repr(table.text(name)[row][:40]),
        )
    numbers = np.array([[float(n) for n in part.groups()] for part in parts if part])
    seconds = numbers[:, :3] @ [3600.0, 60.0, 1.0]
    seconds += 86_400 * np.cumsum(np.diff(seconds, prepend=seconds[0]) < -43_200)  # over midnight
    frames = numbers[:, 3]
    return Stamps(name, seconds + frames / _timecode_rate(table.path, seconds, frames))


def _timecode_rate(path: Path, seconds: FloatArray, frames: FloatArray) -> int:
    """Return how many frames a timecode counts in a second: more than the highest one."""
    whole = np.floor(frames)
    most = whole.max() + 1
    turns = np.flatnonzero(np.diff(seconds) == 1)
    if not len(turns):
        raise InputError(
            f"{path.name} does not tell how many frames its timecodes count in a second.",
            expected="a recording that runs over a full second",
            todo="Use a longer recording.",
        )
    return next(rate for rate in (*_TIMECODE_RATES, int(most)) if rate >= most)


def _confidence(table: Table) -> FloatArray:
    name = table.find("BlendshapeCount") or ""
    return np.where(np.nan_to_num(table.numbers(name)) > 0, 1.0, np.nan)


LIVE_LINK = Flavour(
    backend="Live Link Face",
    matches=lambda names: {"timecode", "blendshapecount"} <= {name.casefold() for name in names},
    layouts=_layouts,
    stamps=_stamps,
    frames=lambda table: None,  # noqa: ARG005 - the timecode counts them
    confidence=_confidence,
)
