"""Tables of face tools: OpenFace, py-feat, LibreFace.

Written from the tools' public documentation of their output; `docs/readers.md` lists every column
and says what was not tried on real files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from bitbox.readers.clock import Stamps
from bitbox.readers.columns import Flavour, Layout, column, named
from bitbox.readers.table import FloatArray, Table
from bitbox.signals import ROTATION, TRANSLATION

#: iBUG landmarks 17..67 of 68: without the jaw line, as everywhere in bitbox.
_INNER = range(17, 68)


def _landmarks(names: Sequence[str]) -> list[Layout]:
    columns = [(f"{axis}_{i}", f"{axis}{i - 17}") for i in _INNER for axis in "xy"]
    if not {source for source, _ in columns} <= set(names):
        return []
    return [Layout("landmark", "ibug51", "px", columns, dimension=2)]


def _some(layout: Layout, names: Sequence[str]) -> list[Layout]:
    """Return the layout if the file has all of its columns."""
    sources = {source for source, _ in layout.columns}
    return [layout] if sources and sources <= set(names) else []


# ---------------------------------------------------------------------- OpenFace 2


def _openface_layouts(names: Sequence[str]) -> list[Layout]:
    units = [(name, name.removesuffix("_r")) for name in names if re.fullmatch(r"AU\d\d_r", name)]
    held = [name for name in (*TRANSLATION, *ROTATION) if f"pose_{name}" in names]
    whole = [group for group in (TRANSLATION, ROTATION) if set(group) <= set(held)]
    pose = [(f"pose_{name}", name) for group in whole for name in group]
    return [
        *_some(Layout("expression", "openface-au", "intensity 0 to 5", units), names),
        *_some(Layout("pose", "openface-pose", "mm, rad", pose, angles="rad"), names),
        *_landmarks(names),
    ]


def _openface_confidence(table: Table) -> FloatArray | None:
    if "success" not in table.names:
        return None
    success = table.numbers("success")
    sure = table.numbers("confidence") if "confidence" in table.names else np.ones(len(table))
    return np.where(success == 1, np.clip(sure, 0, 1), np.nan)


def _openface_stamps(table: Table) -> Stamps | None:
    if "timestamp" not in table.names:
        return None
    return Stamps("timestamp", table.numbers("timestamp"))


OPENFACE = Flavour(
    backend="OpenFace",
    matches=lambda names: (
        {"frame", "success"} <= set(names)
        and any(re.fullmatch(r"AU\d\d_[rc]|pose_[TR][xyz]|x_\d+", name) for name in names)
    ),
    layouts=_openface_layouts,
    stamps=_openface_stamps,
    frames=lambda table: table.numbers("frame") - 1,  # OpenFace counts from 1
    confidence=_openface_confidence,
    person=named("face_id"),
)

# ---------------------------------------------------------------------- py-feat


def _pyfeat_layouts(names: Sequence[str]) -> list[Layout]:
    units = [(name, name) for name in names if re.fullmatch(r"AU\d\d", name)]
    pose = [("Pitch", "Rx"), ("Yaw", "Ry"), ("Roll", "Rz")]
    rectangle = [
        *(("FaceRectX", "x"), ("FaceRectY", "y")),
        *(("FaceRectWidth", "w"), ("FaceRectHeight", "h")),
    ]
    return [
        *_some(Layout("expression", "pyfeat-au", "probability or intensity 0 to 1", units), names),
        # translations came with radians; older versions wrote degrees, some without saying so
        *_some(
            Layout(
                "pose",
                "pyfeat-pose",
                "rad",
                pose,
                angles="rad" if set("XYZ") <= set(names) else "unknown",
            ),
            names,
        ),
        *_landmarks(names),
        *_some(Layout("rectangle", "rectangle", "px", rectangle), names),
    ]


def _pyfeat_confidence(table: Table) -> FloatArray | None:
    if "FaceScore" not in table.names:
        return None
    return np.clip(table.numbers("FaceScore"), 0, 1)


PYFEAT = Flavour(
    backend="py-feat",
    matches=lambda names: {"FaceRectX", "FaceScore"} <= set(names) and "frame" in names,
    layouts=_pyfeat_layouts,
    stamps=lambda table: None,  # noqa: ARG005 - the file holds none
    frames=column("frame"),
    confidence=_pyfeat_confidence,
    person=named("Identity"),
)

# ---------------------------------------------------------------------- LibreFace


def _libreface_layouts(names: Sequence[str]) -> list[Layout]:
    found = [(re.fullmatch(r"au_(\d+)_intensity", name), name) for name in names]
    units = [(name, f"AU{int(match[1]):02d}") for match, name in found if match]
    pose = [("pitch", "Rx"), ("yaw", "Ry"), ("roll", "Rz")]
    return [
        *_some(Layout("expression", "libreface-au", "intensity 0 to 5", units), names),
        *_some(Layout("pose", "libreface-pose", "rad", pose, angles="deg"), names),
    ]


def _libreface_stamps(table: Table) -> Stamps | None:
    name = "frame_time_in_ms"
    return Stamps(name, table.numbers(name), "ms") if name in table.names else None


LIBREFACE = Flavour(
    backend="LibreFace",
    matches=lambda names: (
        any(re.fullmatch(r"au_\d+(_intensity)?", name) for name in names)
        and bool({"frame_idx", "frame_time_in_ms"} & set(names))
    ),
    layouts=_libreface_layouts,
    stamps=_libreface_stamps,
    frames=column("frame_idx"),
    confidence=lambda table: None,  # noqa: ARG005 - the file holds none
)
