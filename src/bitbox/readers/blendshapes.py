"""MediaPipe's 52 blendshapes, as a table or as the JSON of FaceLandmarker results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import InputError
from bitbox.files import require_file
from bitbox.readers.clock import Clock, Stamps, Stated
from bitbox.readers.columns import Flavour, Layout, column, file_provenance
from bitbox.readers.dialect import check_bytes
from bitbox.readers.table import FloatArray, Table
from bitbox.signals import Signals

BLENDSHAPES = (
    *("_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft"),
    *("browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft"),
    *("eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight"),
    *("eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft"),
    *("eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen"),
    *("jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft"),
    *("mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower"),
    *("mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft"),
    *("mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft"),
    *("mouthUpperUpRight", "noseSneerLeft", "noseSneerRight"),
)
_SCHEMA = "mediapipe-blendshapes"
_UNITS = "score 0 to 1"
#: What the results are called in Python and in JavaScript.
_FACES = {"face_blendshapes", "faceBlendshapes"}
_BACKEND = "MediaPipe blendshapes"
#: Columns that may hold the time, and what they count.
_TIMES = {
    "time": "s",
    "timestamp": "s",
    "timestamp_ms": "ms",
    "timestampMs": "ms",
    "timestamp_us": "us",
    "timestampUs": "us",
}


def _layouts(names: Sequence[str]) -> list[Layout]:
    held = [(name, name) for name in names if name in BLENDSHAPES]
    return [Layout("expression", _SCHEMA, _UNITS, held)]


def _stamps(table: Table) -> Stamps | None:
    for name, unit in _TIMES.items():
        own = table.find(name)
        if own is not None:
            return Stamps(own, table.numbers(own), unit)
    return None


TABLE = Flavour(
    backend=_BACKEND,
    matches=lambda names: len(set(names) & set(BLENDSHAPES)) >= 10,
    layouts=_layouts,
    stamps=_stamps,
    frames=column("frame"),
    confidence=lambda table: None,  # noqa: ARG005 - the file holds none
)


# ---------------------------------------------------------------------- JSON


def read_blendshapes_json(path: Path, stated: Stated) -> Signals:
    """Read a list of FaceLandmarker results.

    Parameters
    ----------
    path : Path
        JSON: a list with one object a frame, each with ``timestamp_ms`` (or ``timestamp`` in
        seconds) and ``face_blendshapes``: a list of faces, each a list of objects with
        ``category_name`` and ``score``. A frame without a face has an empty list. Or the same
        as JavaScript names it: ``timestampMs``, ``faceBlendshapes``, a face an object with
        ``categories``, and ``categoryName``.
    stated : Stated
        What the user says about the file's times.

    Raises
    ------
    InputError
        The file is not such a list.
    """
    frames = _frames(path)
    values = np.full((len(frames), len(BLENDSHAPES)), np.nan)
    for i, frame in enumerate(frames):
        try:
            values[i] = _scores(path, i, frame)
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise InputError(
                f"{path.name}: the blendshapes of frame {i} cannot be read.",
                expected="objects with 'category_name' (one of MediaPipe's 52) and 'score'",
                got=str(error),
            ) from error
    clock = Clock(path, _json_stamps(path, frames), None, np.arange(len(frames)))
    time, findings = clock.times(stated)
    return Signals(
        values,
        time,
        BLENDSHAPES,
        kind="expression",
        schema=_SCHEMA,
        units=_UNITS,
        backend=_BACKEND,
        confidence=np.isfinite(values).any(axis=1).astype(np.float64),
        provenance=file_provenance(
            path, "FaceLandmarker results (JSON)", findings, **stated.settings()
        ),
    )


def _frames(path: Path) -> list[Mapping[str, Any]]:
    try:
        check_bytes(path, require_file(path, "a JSON file").st_size)
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {str(path)!r}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} cannot be read as JSON.", got=str(error)) from error
    if (
        not isinstance(content, list)
        or not content
        or not all(isinstance(frame, dict) and _FACES & set(frame) for frame in content)
    ):
        raise InputError(
            f"{path.name} is not a list of FaceLandmarker results.",
            expected="a JSON list with one object a frame that has 'face_blendshapes' "
            "(in JavaScript, 'faceBlendshapes')",
        )
    return content


def _json_stamps(path: Path, frames: list[Mapping[str, Any]]) -> Stamps | None:
    """Return the times that frames have under the first name that any of them uses."""
    for name, unit in _TIMES.items():
        given = [frame.get(name) for frame in frames]
        if any(isinstance(value, int | float) for value in given):
            try:
                numbers = [float("nan") if value is None else float(value) for value in given]
            except (TypeError, ValueError, OverflowError) as error:
                raise InputError(f"{path.name}: {name!r} is not a number everywhere.") from error
            return Stamps(name, np.array(numbers), unit)
    return None


def _scores(path: Path, number: int, frame: Mapping[str, Any]) -> FloatArray:
    faces = next(frame[name] for name in frame if name in _FACES)
    row = np.full(len(BLENDSHAPES), np.nan)
    if not faces:
        return row
    if len(faces) > 1:
        raise InputError(
            f"{path.name}: there are {len(faces)} faces in frame {number}, and nothing tells who "
            "is who.",
            todo="Run FaceLandmarker with num_faces=1, or on a video cropped to one person.",
        )
    face = faces[0]
    for category in face["categories"] if isinstance(face, dict) else face:
        name = category["categoryName" if "categoryName" in category else "category_name"]
        row[BLENDSHAPES.index(name)] = float(category["score"])
    return row
