"""A folder of OpenPose's JSON files, one a frame."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import InputError
from bitbox.files import require_file
from bitbox.provenance import versions
from bitbox.readers.clock import need_fps
from bitbox.readers.table import FloatArray
from bitbox.signals import Signals

_FILE = re.compile(r"(?P<video>.*)_(?P<frame>\d{12})_keypoints\.json")
_COMMON = ("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist")
#: Names of the points, by the number of points a person.
BODY_POINTS: dict[int, tuple[str, ...]] = {
    25: (
        *_COMMON,
        *("MidHip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle"),
        *("REye", "LEye", "REar", "LEar"),
        *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
    ),
    18: (
        *_COMMON,
        *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle"),
        *("REye", "LEye", "REar", "LEar"),
    ),
}


def is_openpose_folder(path: Path) -> bool:
    """Tell whether a folder holds OpenPose's files."""
    return any(_FILE.fullmatch(item.name) for item in path.iterdir())


def read_openpose(path: Path, fps: float | None) -> Signals:
    """Read body points of one person.

    Parameters
    ----------
    path : Path
        Folder with ``{video}_{12 digits}_keypoints.json``, as OpenPose's ``--write_json`` makes.
    fps : float or None
        Frame rate of the video; the files hold none.

    Returns
    -------
    Signals
        Kind ``'body'``: ``Nose_x, Nose_y, ...`` in the files' units (pixels by default). Points
        that OpenPose did not find (confidence 0) and frames without a file are missing.

    Raises
    ------
    InputError
        The files cannot be used.
    ParameterError
        `fps` is missing.

    Notes
    -----
    OpenPose does not tell people apart over time. Where there are several, the one with the
    largest body in the first frame is followed to the nearest body in each next one.
    """
    rate = need_fps(path, fps)
    files = _files(path)
    numbers = sorted(files)
    n_frames = numbers[-1] - numbers[0] + 1
    rows: list[FloatArray | None] = [None] * n_frames
    last: FloatArray | None = None
    for number in numbers:
        people = _people(files[number])
        if people:
            body = _follow(people, last)
            rows[number - numbers[0]] = body
            last = body if np.isfinite(body[:, 0]).any() else last
    points = {len(row) for row in rows if row is not None}
    if len(points) != 1 or not points <= set(BODY_POINTS):
        raise InputError(
            f"{path.name} holds no body points that are known."
            if not points
            else f"{path.name} holds a body model that is not known.",
            expected="people with 25 (BODY_25) or 18 (COCO) points",
            got=", ".join(map(str, sorted(points))) or "no people",
        )
    (n_points,) = points
    empty = np.full((n_points, 3), np.nan)
    stack = np.array([empty if row is None else row for row in rows])
    values = stack[:, :, :2].reshape(n_frames, 2 * n_points)
    confidence = np.nan_to_num(stack[:, :, 2].mean(axis=1))
    return Signals(
        values,
        np.arange(numbers[0], numbers[-1] + 1) / rate,
        tuple(f"{name}_{axis}" for name in BODY_POINTS[n_points] for axis in "xy"),
        kind="body",
        schema=f"openpose-{n_points}",
        units="px",
        backend="OpenPose",
        confidence=np.clip(confidence, 0, 1),
        provenance={
            "source": {
                "file": path.name,
                "sha256": _hash_files([files[number] for number in numbers]),
                "format": "OpenPose JSON folder",
            },
            "settings": {"fps": rate},
            "versions": versions(),
        },
    )


def _files(path: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    videos = set()
    for item in path.iterdir():
        match = _FILE.fullmatch(item.name)
        if match:
            videos.add(match["video"])
            found[int(match["frame"])] = item
    if not found:
        raise InputError(
            f"The folder {path.name!r} holds no OpenPose files.",
            expected="files like video_000000000000_keypoints.json",
        )
    if len(videos) > 1:
        raise InputError(
            f"The folder {path.name!r} holds files of {len(videos)} videos.",
            got=", ".join(repr(video) for video in sorted(videos)[:4]),
            todo="Put each video's files into a folder of its own.",
        )
    return found


def _people(path: Path) -> list[FloatArray]:
    """Return the (points, 3) of each person: x, y, confidence; NaN, NaN, 0 where not found."""
    require_file(path, "a JSON file of OpenPose")
    try:
        people = json.loads(path.read_text(encoding="utf-8"))["people"]
        bodies = [_body(person["pose_keypoints_2d"]) for person in people]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{path.name} cannot be read as an OpenPose file.",
            expected="'people' with 'pose_keypoints_2d'",
            got=str(error) or type(error).__name__,
        ) from error
    return [body for body in bodies if len(body)]


def _body(flat: Sequence[Any]) -> FloatArray:
    body = np.array(flat, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(body).all():
        raise ValueError("a coordinate that is not finite")
    body[body[:, 2] == 0, :2] = np.nan
    return body


def _follow(people: list[FloatArray], last: FloatArray | None) -> FloatArray:
    """Return the person nearest to the last one, or the largest if there is none yet."""
    if len(people) == 1:
        return people[0]
    if last is None:
        return max(people, key=_size)
    centre = _centre(last)
    return min(people, key=lambda body: float(np.linalg.norm(_centre(body) - centre)))


def _centre(body: FloatArray) -> FloatArray:
    seen = np.isfinite(body[:, 0])
    return np.asarray(body[seen, :2].mean(axis=0)) if seen.any() else np.full(2, np.inf)


def _size(body: FloatArray) -> float:
    seen = body[np.isfinite(body[:, 0]), :2]
    return float(np.prod(np.ptp(seen, axis=0))) if len(seen) else 0.0


def _hash_files(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
