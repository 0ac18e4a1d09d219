"""A folder of OpenPose's JSON files, one a frame."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import InputError
from bitbox.files import require_file
from bitbox.findings import Finding
from bitbox.people.identity import Choice, choose
from bitbox.people.stretches import BODY, Linker
from bitbox.provenance import versions
from bitbox.readers.clock import need_fps
from bitbox.readers.table import FloatArray
from bitbox.signals import Signals
from bitbox.signals.checks import MOST_CELLS

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


_FURTHEST = 1e9  # nothing in a picture is further away than so many pixels


@dataclass(frozen=True)
class _Body:
    """A person in one picture: x, y and confidence of each point, shape (points, 3)."""

    values: FloatArray
    look: None = None

    @property
    def points(self) -> FloatArray:
        return self.values[:, :2]

    @property
    def size(self) -> float:
        seen = self.points[np.isfinite(self.points[:, 0])]
        return float(np.ptp(seen, axis=0).max())


def read_openpose(path: Path, fps: float | None, person: str | int = "largest") -> Signals:
    """Read body points of one person.

    Parameters
    ----------
    path : Path
        Folder with ``{video}_{12 digits}_keypoints.json``, as OpenPose's ``--write_json`` makes.
    fps : float or None
        Frame rate of the video; the files hold none.
    person : {"largest", "left", "right"} or int, default "largest"
        Whom to follow where there are several, as `bitbox.people.identity` decides it.

    Returns
    -------
    Signals
        Kind ``'body'``: ``Nose_x, Nose_y, ...`` in the files' units (pixels by default). Points
        that OpenPose did not find (confidence 0), frames without a file and frames in which the
        person is not seen are missing.

    Raises
    ------
    InputError
        The files cannot be used.
    ParameterError
        `fps` is missing, or `person` is none of the above.

    Notes
    -----
    OpenPose does not tell people apart over time. A person is followed only as far as anybody can
    have got in the time that passed, see `bitbox.people.stretches`.

    Examples
    --------
    >>> import json
    >>> from pathlib import Path
    >>> from bitbox.readers import read_openpose
    >>> folder = Path('pose')
    >>> folder.mkdir()
    >>> for k in range(3):
    ...     points = [part for p in range(25) for part in (100 + k + p, 50 + 2 * p, 0.9)]
    ...     frame = {'people': [{'pose_keypoints_2d': points}]}
    ...     _ = (folder / f'anna_{k:012d}_keypoints.json').write_text(json.dumps(frame))
    >>> signals = read_openpose(folder, fps=30)
    >>> signals.names[:2], signals.values[:, 0]
    (('Nose_x', 'Nose_y'), array([100., 101., 102.]))
    """
    rate = need_fps(path, fps)
    files = _files(path)
    numbers = sorted(files)
    n_frames = numbers[-1] - numbers[0] + 1
    _check_frames(path, numbers, n_frames)
    bodies = [[_Body(body) for body in _people(files[number])] for number in numbers]
    points = {len(body.values) for people in bodies for body in people}
    if len(points) != 1 or not points <= set(BODY_POINTS):
        raise InputError(
            f"{path.name} holds no body points that are known."
            if not points
            else f"{path.name} holds a body model that is not known.",
            expected="people with 25 (BODY_25) or 18 (COCO) points",
            got=", ".join(map(str, sorted(points))) or "no people",
        )
    (n_points,) = points
    stack = np.full((n_frames, n_points, 3), np.nan)
    rows, findings = _one_person(np.array(numbers) / rate, bodies, person)
    if all(body is None for body in rows):
        most = max(len(people) for people in bodies)
        raise InputError(
            f"{path.name} never shows the person {person!r} (numbers count from 0, from the left).",
            expected="one of the people who are seen together",
            got=f"at most {most} at once",
            todo="Choose another with `person`, such as 'largest'.",
        )
    for number, body in zip(numbers, rows, strict=True):
        if body is not None:
            stack[number - numbers[0]] = body
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
            "settings": {"fps": rate, "person": person},
            "findings": [finding.to_dict() for finding in findings],
            "versions": versions(),
        },
    )


def _one_person(
    times: FloatArray, bodies: Sequence[Sequence[_Body]], which: str | int
) -> tuple[list[FloatArray | None], list[Finding]]:
    """Return the body of one person at each time, None where it is not seen."""
    linker = Linker(BODY)
    seen = []
    for time, people in zip(times.tolist(), bodies, strict=True):
        whose = linker.see(time, people)
        seen.append({s.number: body.values for s, body in zip(whose, people, strict=True)})
    choice = choose(linker, which, end=float(times[-1]), noun="person")
    chosen = [choice.at(time) for time in times.tolist()]
    rows = [
        None if s is None else there.get(s.number) for s, there in zip(chosen, seen, strict=True)
    ]
    most = max(len(people) for people in bodies)
    return rows, [*_about_others(choice, most), *choice.findings]


def _about_others(choice: Choice, most: int) -> list[Finding]:
    if most < 2 or not choice.spans:
        return []
    middle = np.median(np.concatenate([span.stretch.log[:, 1] for span in choice.spans]))
    return [
        Finding(
            "several-people",
            "warning",
            f"There are up to {most} people. One of them was followed, who is mostly at"
            f" x = {middle:.0f}.",
            "Check that it is the right one; choose another by person='left', 'right' or a number.",
        )
    ]


def _check_frames(path: Path, numbers: Sequence[int], n_frames: int) -> None:
    """Refuse frame numbers between which more frames are missing than memory can hold."""
    if n_frames * 2 * max(BODY_POINTS) > MOST_CELLS:
        raise InputError(
            f"The folder {path.name!r} holds frames that are too far apart.",
            expected=f"up to {MOST_CELLS // (2 * max(BODY_POINTS)):,} frames from first to last",
            got=f"{len(numbers):,} files with numbers from {numbers[0]:,} to {numbers[-1]:,}",
            todo="Keep the files of one recording in the folder.",
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
    return [body for body in bodies if np.isfinite(body[:, 0]).any()]


def _body(flat: Sequence[Any]) -> FloatArray:
    body = np.array(flat, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(body).all():
        raise ValueError("a coordinate that is not finite")
    if (abs(body) > _FURTHEST).any():
        raise ValueError(f"a coordinate beyond {_FURTHEST:.0e}")
    body[body[:, 2] == 0, :2] = np.nan
    return body


def _hash_files(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
