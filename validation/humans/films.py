"""Films of rendered people, and the truth beside them.

The truth of a film is exact and small: the skin of the face at rest and what each action adds to it
(both in millimetres, head pose taken out), the drives of the actions, and the head's pose. See
`Truth` for the form in which it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from validation.humans.body import ACTIONS, body_of, topology
from validation.humans.hand import lay_hand
from validation.humans.people import Person
from validation.humans.performance import Performance
from validation.humans.render import AS_SKIN, Camera, Hardness, Image, Light, Renderer, as_seen

from bitbox.video import write_video

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Quality:
    """What happens to the pictures on their way.

    Parameters
    ----------
    name : str
    noise : float
        Standard deviation of the noise in grey levels of 255.
    crf : int
        Compression, see `bitbox.video.write_video`.
    shutter : float
        How long the shutter is open, as a share of the time between frames.
    hand : bool
        Whether a hand passes before the mouth.
    """

    name: str
    noise: float
    crf: int
    shutter: float = 0.0
    hand: bool = False


QUALITIES: dict[str, Quality] = {
    "clean": Quality("clean", 1.5, 18),
    "webcam": Quality("webcam", 4.0, 32),
    "blur": Quality("blur", 2.0, 23, 0.5),
}
_BLUR_STEPS = 2


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of a film.

    All places are in the axes of `bitbox.face_backend.geometry`: millimetres, x to the subject's
    left, y down, z away from the viewer, the origin midway between the eyes. A place h of the head
    is seen at R h + T.

    Attributes
    ----------
    time : ndarray, shape (T,)
        Seconds.
    drives : ndarray of float32, shape (T, 52)
        In the order of `validation.humans.body.ACTIONS`.
    pose : ndarray, shape (T, 6)
        Tx, Ty, Tz, Rx, Ry, Rz.
    neutral : ndarray of float32, shape (n, 3)
        The skin of the face at rest.
    basis : ndarray of float32, shape (52, n, 3)
        What each action adds to it.
    triangles : ndarray of int32, shape (m, 3)
    vertices : ndarray of int, shape (n,)
        Numbers of the skin's vertices in the base mesh.
    size : (int, int)
    vertical_fov : float
    """

    time: FloatArray
    drives: Float32
    pose: FloatArray
    neutral: Float32
    basis: Float32
    triangles: NDArray[np.int32]
    vertices: NDArray[np.int64]
    size: tuple[int, int]
    vertical_fov: float

    def surface(self) -> Float32:
        """Return the skin in each frame, head pose taken out, shape (T, n, 3), millimetres."""
        return self.neutral + np.tensordot(self.drives, self.basis, axes=1)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what there is, ready to be written by `numpy.savez`."""
        return {
            **{
                name: getattr(self, name) for name in ("time", "drives", "pose", "neutral", "basis")
            },
            **{name: getattr(self, name) for name in ("triangles", "vertices")},
            "size": np.array(self.size),
            "vertical_fov": np.array(self.vertical_fov),
            "action_names": np.array(ACTIONS),
        }


def film(
    person: Person,
    performance: Performance,
    camera: Camera,
    light: Light,
    quality: Quality,
    path: Path,
    hardness: Hardness = AS_SKIN,
) -> Truth:
    """Film a person, and return the truth about it.

    Parameters
    ----------
    person : Person
    performance : Performance
    camera : Camera
    light : Light
    quality : Quality
    path : Path
        The video to write, .mp4.
    hardness : Hardness
        How much of what makes skin hard to follow there is.

    Raises
    ------
    BitboxError
        If the data of the people's shapes are not installed.
    OutputError
        If the video cannot be written.
    """
    renderer = Renderer(person, camera, light, hardness)
    fps = 1 / float(np.median(np.diff(performance.time)))
    pictures = _pictures(renderer, performance, quality)
    write_video(path, pictures, fps, crf=quality.crf)
    return truth_of(renderer, performance)


def truth_of(renderer: Renderer, performance: Performance) -> Truth:
    """Return what is true of a film of a performance."""
    face, body = topology().face, body_of(renderer.person)
    return Truth(
        performance.time,
        performance.drives.astype(np.float32),
        np.stack([renderer.pose(turns) for turns in performance.turns]),
        renderer.places[face],
        body.basis[:, face],
        topology().face_triangles,
        topology().vertices[face],
        renderer.camera.size,
        renderer.camera.vertical_fov,
    )


def _pictures(renderer: Renderer, performance: Performance, quality: Quality) -> Iterator[Image]:
    import cv2

    person = renderer.person
    random = np.random.default_rng(person.seed + 70)
    step = float(np.median(np.diff(performance.time)))
    offsets = [0.0]
    if quality.shutter > 0:
        offsets = list((np.arange(_BLUR_STEPS) - (_BLUR_STEPS - 1) / 2) / _BLUR_STEPS)
    for now in performance.time:
        light = sum(
            renderer.picture(*_at(performance, now + quality.shutter * step * offset), float(now))
            for offset in offsets
        )
        light = np.asarray(light) / len(offsets)
        if quality.hand:
            light = lay_hand(light, renderer.camera, float(now), person.skin)
        seen = as_seen(light).astype(np.float32)
        grain = random.standard_normal(seen.shape, dtype=np.float32)
        if quality.noise > 3:  # small chips make coarse grain
            grain = 0.6 * grain + 0.9 * cv2.GaussianBlur(grain, (0, 0), 0.8)
        yield np.clip(seen + quality.noise * grain + 0.5, 0, 255).astype(np.uint8)


def _at(performance: Performance, now: float) -> tuple[FloatArray, FloatArray]:
    """Return drives and turns at any time."""
    time = performance.time
    after = int(np.clip(np.searchsorted(time, now), 1, len(time) - 1))
    share = float(np.clip((now - time[after - 1]) / (time[after] - time[after - 1]), 0, 1))
    drives, turns = (
        (1 - share) * rows[after - 1] + share * rows[after]
        for rows in (performance.drives, performance.turns)
    )
    return drives, turns
