"""A person's own face: how deep it is follows from its own turning, and how it is put on."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.face_backend import geometry, person
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.face_backend.person import Person, deeper, tilt_of
from tests.face_backend.test_geometry import SIZE, pose_head, project, someone

NOSE = [1, 4, 5]


def turning(degrees: float, n: int = 120) -> np.ndarray:
    """Return poses of a head that turns and nods by so much."""
    course = np.arange(n) / 10
    pose = np.zeros((n, 6))
    pose[:, 2] = 600
    pose[:, 3] = np.radians(degrees) * np.sin(1.3 * course)
    pose[:, 4] = np.radians(degrees) * np.sin(course)
    return pose


def longer_nose() -> np.ndarray:
    face = someone()
    face[NOSE, 2] -= 6
    return face


def measured(degrees: float) -> np.ndarray:
    """Return by how much `deeper` mends a face whose nose is thought to be too short."""
    mesh = project(pose_head(turning(degrees), longer_nose()))
    found = geometry.canonicalize(mesh, SIZE, person=someone())
    return deeper(found.shape, found.pose, someone())


def test_depth_follows_from_turning() -> None:
    back = measured(12)
    assert np.all((back[NOSE] > -6.5) & (back[NOSE] < -4))
    assert np.abs(np.delete(back, NOSE)).max() < 1


def test_a_head_that_is_still_tells_nothing() -> None:
    assert np.abs(measured(0.5)).max() < 0.3


def test_missing_frames_do_not_count() -> None:
    mesh = project(pose_head(turning(12), longer_nose()))
    found = geometry.canonicalize(mesh, SIZE, person=someone())
    shapes = found.shape.copy()
    shapes[3], shapes[7, 200] = np.nan, np.nan
    kept = np.delete(np.arange(len(shapes)), [3, 7])
    np.testing.assert_allclose(
        deeper(shapes, found.pose, someone()),
        deeper(found.shape[kept], found.pose[kept], someone()),
        atol=1e-9,
    )
    np.testing.assert_array_equal(
        deeper(np.full((2, 468, 3), np.nan), np.zeros((2, 6)), someone()), np.zeros(468)
    )


def test_turning_alone_moves_a_place_of_unknown_depth_less() -> None:
    mesh = project(pose_head(turning(12), longer_nose())).astype(np.float32)
    n = len(mesh)
    track = MeshTrack(mesh, np.arange(n) / 10, np.ones(n), np.ones(n, int), SIZE, (), "test")
    own = Person.measure(track, geometry.VERTICAL_FOV)
    found = own.canonical(track, slice(None), geometry.VERTICAL_FOV)
    assert np.abs(found.shape - own.still)[..., :2].max() < 0.2


def test_the_tilt_of_a_face_is_that_of_its_mirror_image() -> None:
    face = someone()
    twin = face[geometry.mirror_vertices()] * [-1, 1, 1]
    assert tilt_of(twin, 63.0) == pytest.approx(tilt_of(face, 63.0), abs=1e-3)
    assert abs(np.degrees(tilt_of(geometry.reference_face(), 63.0))) < 8


def test_pitch_is_told_without_the_tilt_of_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    from bitbox.face_backend.builtin import measure

    mesh = project(pose_head(turning(8), someone())).astype(np.float32)
    n = len(mesh)
    track = MeshTrack(mesh, np.arange(n) / 10, np.ones(n), np.ones(n, int), SIZE, (), "test")
    pitch = []
    for tilt in (0.0, 0.1):
        monkeypatch.setattr(person, "tilt_of", lambda _shape, _fov, tilt=tilt: tilt)
        pitch.append(measure(track, ["pose"], 63.0)["pose"][:, 3])
    np.testing.assert_allclose(pitch[0] - pitch[1], 0.1, atol=0.01)
