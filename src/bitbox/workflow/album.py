"""The few pictures of a face that the report shows, kept beside what was measured of it.

They are made once, cropped and shrunk as the report shows them, so that neither another analysis
of the same recordings nor anything else has to open the video again.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.body_backend.skeleton import BONES
from bitbox.measuring.store import Cache, make_key
from bitbox.provenance import hash_file
from bitbox.report import pictures as drawing
from bitbox.report.content import Picture, Thumbnail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.signals import Signals

_WHAT = "pictures"


def pictures(video: Path, landmarks: Signals, cache: Cache | None, count: int) -> list[Picture]:
    """Return a few pictures of the face or body, spread over the frames in which it was tracked.

    Parameters
    ----------
    video : Path
    landmarks : Signals
        What was measured in it.
    cache : Cache, optional
        Where pictures are looked for, and kept.
    count : int
        How many, at most.

    Raises
    ------
    VideoError
        If the video is needed and cannot be decoded any more.
    BackendError
        If Pillow is needed and not installed.
    """
    body = landmarks.kind == "body"  # of which some joints are hidden in most frames
    seen = np.isfinite(landmarks.values)
    tracked = np.flatnonzero(seen.any(axis=1) if body else seen.all(axis=1))
    if not len(tracked):
        return []
    places = np.linspace(0, len(tracked) - 1, count + 2).astype(int)[:-1]
    wanted = tracked[places]
    key = _key(landmarks, [float(time) for time in landmarks.time[wanted]])
    found = None if cache is None else cache.read(_WHAT, key, _load)
    if found is not None:
        return found[0]
    points = landmarks.values.reshape(len(landmarks.time), -1, 2)
    made = [
        drawing.picture(
            Thumbnail(float(landmarks.time[row]), image, points[row], BONES if body else ())
        )
        for row, image in sorted(_frames(video, landmarks.time, tracked, wanted).items())
    ]
    if cache is not None:
        text = json.dumps([asdict(picture) for picture in made])
        cache.write(video.stem, _WHAT, key, ".txt", lambda path: path.write_text(text, "utf-8"))
    return made


def _key(landmarks: Signals, times: list[float]) -> str:
    """Return what pictures depend on: the film, what was measured how, which times, the drawing."""
    return make_key(
        {
            "what": _WHAT,
            "input": landmarks.provenance["source"]["sha256"],
            "settings": dict(landmarks.provenance["settings"]),
            "times": times,
            "code": [hash_file(file) for file in (__file__, str(drawing.__file__))],
        }
    )


def _load(path: Path) -> list[Picture]:
    stored: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        Picture(
            **{
                **fields,
                "paths": tuple(fields["paths"]),
                "points": tuple((x, y) for x, y in fields["points"]),
            }
        )
        for fields in stored
    ]


def _frames(
    video: Path, times: NDArray[np.float64], tracked: NDArray[np.intp], wanted: NDArray[np.intp]
) -> dict[int, NDArray[np.uint8]]:
    """Return images by frame: of each wanted frame but the first, or a key frame on the way there.

    A key frame is decoded by itself; any other takes all frames since the key frame before.
    """
    from bitbox.video import frames_at, read_frames

    found: dict[int, NDArray[np.uint8]] = {}
    late = []
    with read_frames(video) as frames:
        for before, row in itertools.pairwise(wanted):
            frame = frames.key_frame(float(times[row]))
            near = None if frame is None else int(np.abs(times - frame.time).argmin())
            if (
                frame is not None
                and near is not None
                and abs(times[near] - frame.time) < 1e-6
                and before < near <= row
                and near in tracked
            ):
                found[near] = frame.image
            else:
                late.append(int(row))
    images = frames_at(video, [float(times[row]) for row in late]) if late else []
    return found | dict(zip(late, images, strict=True))
