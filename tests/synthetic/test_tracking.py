"""A face tracker sees in the rendered pictures what was done.

The network's mesh alone is looked at here, before it is refined and not the units made of it: if it
did not follow the pictures, they would be no test of anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.synthetic.face import Face
from bitbox.synthetic.movements import MOVEMENTS, displacements
from bitbox.synthetic.performance import Performance, perform
from bitbox.synthetic.video import FaceTruth, Scene, render_video

pytest.importorskip("av")
pytest.importorskip("cv2")
pytest.importorskip("mediapipe")
pytestmark = pytest.mark.video

FloatArray = NDArray[np.float64]
# A large face in a small picture, taken from a metre away rather than from 23 cm.
SCENE = Scene(size=(640, 360), eye_distance=80, vertical_fov=16)
FRAMES = 30
#: The tracker hardly follows the wings of the nose, however far they move.
BLIND = {"no_left_wing_raise", "no_right_wing_raise", "no_flare"}


def tracked(folder: Path, performance: Performance) -> tuple[FloatArray, FaceTruth]:
    """Return the tracked mesh, shape (T, 468, 3), and the truth."""
    from bitbox.face_backend.mediapipe import track_mesh
    from bitbox.face_backend.refinement import FaceSpool

    path = folder / "face.mp4"
    truth = render_video(path, performance, SCENE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FaceSpool, "refined", lambda spool: (spool._meshes.array(), None))
        track = track_mesh(path)
    np.testing.assert_allclose(track.time, truth.time - truth.time[0], atol=1e-4)
    assert np.isfinite(track.mesh).all()
    return np.asarray(track.mesh, dtype=np.float64)[:, :468], truth


def amount(mesh: FloatArray, movement: str, face: Face) -> FloatArray:
    """Return how far the points went along a movement, 1 being all the way, shape (T,)."""
    way = displacements()[MOVEMENTS.index(movement), :468, :2] * face.zoom
    size = np.linalg.norm(way, axis=1)
    most = size > size.max() / 2
    moved: FloatArray = mesh[:, most, :2] - mesh[:1, most, :2]
    along: FloatArray = (moved * way[most]).sum(axis=(1, 2)) / (size[most] ** 2).sum()
    return along


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[FloatArray, FaceTruth]:
    """One movement after the other, each for a second."""
    time = np.arange(FRAMES * len(MOVEMENTS)) / 30
    burst = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAMES) / FRAMES)
    courses = {}
    for number, name in enumerate(MOVEMENTS):
        courses[name] = np.zeros(len(time))
        courses[name][number * FRAMES : (number + 1) * FRAMES] = burst
    return tracked(tmp_path_factory.mktemp("alone"), perform(time, courses))


@pytest.mark.parametrize("name", [name for name in MOVEMENTS if name not in BLIND])
def test_each_movement_alone_is_followed(name: str, alone: Any) -> None:
    mesh, truth = alone
    part = slice(MOVEMENTS.index(name) * FRAMES, (MOVEMENTS.index(name) + 1) * FRAMES)
    found = amount(mesh[part], name, truth.faces()[0])
    done = truth.movement(name)[part]
    assert np.corrcoef(found, done)[0, 1] > 0.85
    shifted = [np.corrcoef(np.roll(done, k), found)[0, 1] for k in range(-4, 5)]
    assert abs(int(np.argmax(shifted)) - 4) <= 1  # without delay


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> tuple[FloatArray, FaceTruth]:
    """Yaw, pitch, roll and distance one after the other, each to and fro in two seconds."""
    phase = np.sin(2 * np.pi * np.arange(60) / 60)
    courses = {}
    for number, (name, size) in enumerate(
        {"yaw": 20.0, "pitch": 20.0, "roll": 20.0, "x": 40.0, "approach": 0.2}.items()
    ):
        courses[name] = np.zeros(300)
        courses[name][60 * number : 60 * number + 60] = size * phase
    return tracked(tmp_path_factory.mktemp("head"), perform(np.arange(300) / 30, {}, courses))


def fitted(mesh: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return yaw, pitch and roll in degrees relative to the first frame, by least squares."""
    angles = []
    rest = mesh[0] - mesh[0].mean(axis=0)
    for points in mesh:
        u, _, v = np.linalg.svd(rest.T @ (points - points.mean(axis=0)))
        r = v.T @ np.diag([1, 1, np.linalg.det(v.T @ u.T)]) @ u.T
        angles.append(
            [np.arctan2(-r[0, 2], r[2, 2]), np.arcsin(-r[1, 2]), np.arctan2(r[1, 0], r[1, 1])]
        )
    yaw, pitch, roll = np.degrees(angles).T
    return yaw, pitch, roll


@pytest.mark.parametrize(("name", "number"), [("yaw", 0), ("pitch", 1), ("roll", 2)])
def test_head_angles_are_followed(name: str, number: int, head: Any) -> None:
    mesh, truth = head
    part = slice(60 * number, 60 * number + 60)
    found = fitted(mesh)[number][part]
    done = truth.head(name)[part]
    assert np.corrcoef(found, done)[0, 1] > 0.98
    assert 0.7 < np.polyfit(done, found, 1)[0] < 1.3


def test_points_are_where_they_were_drawn(head: Any) -> None:
    mesh, truth = head
    distance = np.linalg.norm(mesh[..., :2] - truth.mesh()[..., :2], axis=2)
    assert np.median(distance) < 0.03 * 80  # of the distance between the eyes
    assert np.percentile(distance.mean(axis=1), 95) < 0.06 * 80
    width = np.ptp(mesh[240:300, :, 0], axis=1)
    assert np.corrcoef(width, truth.head("approach")[240:300])[0, 1] > 0.99
