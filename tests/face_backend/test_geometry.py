"""A known head, seen by a known camera, must come back as it was put in."""

import math

import numpy as np
import pytest

from bitbox.errors import InputError, ParameterError
from bitbox.face_backend import geometry

SIZE = (640, 480)


def project(points, size=SIZE, fov=63.0):
    """The image of points (T, 468, 3) in millimetres; z along the line of sight to the eyes."""
    focal = size[1] / 2 / math.tan(math.radians(fov) / 2)
    meshes = []
    for face in points:
        eyes = face[[33, 133, 263, 362]]
        middle = (eyes[:, :2] / eyes[:, 2:]).mean(axis=0)  # of the eyes in the image
        sight = np.array([*middle, 1.0]) / np.linalg.norm([*middle, 1.0])
        depth = face @ sight
        scale = focal / sight[2] / depth[[33, 133, 263, 362]].mean()
        xy = face[:, :2] / face[:, 2:] * focal + np.array(size) / 2
        meshes.append(np.column_stack([xy, depth * scale]))
    return np.array(meshes)


def pose_head(pose, head=None):
    pose = np.atleast_2d(pose).astype(float)
    head = geometry.reference_face() if head is None else head
    return head @ geometry.rotation_matrix(pose[:, 3:]).swapaxes(1, 2) + pose[:, None, :3]


def random_pose(n, seed=0):
    rng = np.random.default_rng(seed)
    shift = rng.uniform([-150, -100, 400], [150, 100, 900], (n, 3))
    return np.concatenate([shift, np.radians(rng.uniform(-40, 40, (n, 3)))], axis=1)


def test_known_pose_comes_back():
    pose = random_pose(50)
    found = geometry.canonicalize(project(pose_head(pose)), SIZE)
    np.testing.assert_allclose(found.pose[:, :3], pose[:, :3], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.pose[:, 3:], pose[:, 3:], atol=1e-9)
    np.testing.assert_allclose(
        found.shape, np.broadcast_to(geometry.reference_face(), found.shape.shape), atol=1e-6
    )


@pytest.mark.parametrize("fov", [35.0, 63.0, 90.0])
def test_field_of_view_is_the_cameras(fov):
    pose = random_pose(5)
    found = geometry.canonicalize(project(pose_head(pose), fov=fov), SIZE, fov)
    np.testing.assert_allclose(found.pose, pose, rtol=1e-6, atol=1e-6)


def test_signs_of_the_angles():
    """Nod down: the nose goes down; subject's right: to the image's left; tilt: clockwise."""
    still = geometry.reference_face()
    down, right, tilt = pose_head(np.hstack([np.zeros((3, 3)), 0.3 * np.eye(3)]))
    assert down[1, 1] > still[1, 1] + 5
    assert right[1, 0] < still[1, 0] - 5
    assert tilt[10, 0] > still[10, 0] + 5


def test_expression_survives_the_pose():
    move = np.zeros((468, 3))
    move[[61, 291]] = [[-5, -4, 1], [5, -4, 1]]
    pose = random_pose(20, seed=3)
    posed = pose_head(pose, geometry.reference_face() + move)
    found = geometry.canonicalize(project(posed), SIZE)
    deformation = found.shape - geometry.reference_face()
    np.testing.assert_allclose(deformation, np.broadcast_to(move, deformation.shape), atol=1e-6)


def test_size_of_the_person_goes_into_the_distance():
    found = geometry.canonicalize(
        project(pose_head([0, 0, 600, 0, 0, 0], 0.8 * geometry.reference_face())), SIZE
    )
    np.testing.assert_allclose(found.pose[0, 2], 600 / 0.8)
    np.testing.assert_allclose(found.shape[0], geometry.reference_face(), atol=1e-6)


def test_mirrored_video_mirrors_pose_and_shape():
    pose = random_pose(10, seed=5)
    mesh = project(pose_head(pose))
    flipped = mesh[:, geometry.mirror_vertices()] * [-1, 1, 1] + [SIZE[0], 0, 0]
    found = geometry.canonicalize(flipped, SIZE).pose
    np.testing.assert_allclose(found[:, [1, 2, 3]], pose[:, [1, 2, 3]], rtol=1e-6)
    # R = Rx Ry Rz: mirroring negates yaw and roll only
    np.testing.assert_allclose(found[:, [0, 4, 5]], -pose[:, [0, 4, 5]], rtol=1e-6)


def test_lost_frames_stay_lost():
    mesh = project(pose_head(random_pose(4)))
    mesh[2] = np.nan
    found = geometry.canonicalize(mesh, SIZE)
    lost = [False, False, True, False]
    for values in (
        found.pose,
        found.shape,
        geometry.rectangle(mesh),
        geometry.landmarks_2d(mesh),
        geometry.landmarks_3d(found.shape),
    ):
        np.testing.assert_array_equal(np.isnan(values.reshape(4, -1)).all(axis=1), lost)
        np.testing.assert_array_equal(np.isnan(values.reshape(4, -1)).any(axis=1), lost)
    assert np.isfinite(geometry.neutral(found.shape)).all()


def test_no_frames_give_no_rows():
    found = geometry.canonicalize(np.empty((0, 478, 3)), SIZE)
    assert found.pose.shape == (0, 6)
    assert found.shape.shape == (0, 468, 3)


def test_chunks_do_not_show(monkeypatch):
    mesh = project(pose_head(random_pose(7)))
    whole = geometry.canonicalize(mesh, SIZE)
    monkeypatch.setattr(geometry, "_CHUNK", 3)
    np.testing.assert_allclose(geometry.canonicalize(mesh, SIZE).pose, whole.pose, rtol=1e-12)


def test_rectangle_encloses_the_mesh():
    mesh = project(pose_head(random_pose(3)))
    x, y, w, h = geometry.rectangle(mesh).T
    np.testing.assert_allclose(x, mesh[..., 0].min(axis=1))
    np.testing.assert_allclose(y + h, mesh[..., 1].max(axis=1))
    assert (w > 0).all()


def test_landmarks_are_the_listed_vertices():
    mesh = project(pose_head(random_pose(2)))
    land = geometry.landmarks_2d(mesh)
    assert land.shape == (2, 102)
    np.testing.assert_array_equal(land[:, :2], mesh[:, 70, :2])
    np.testing.assert_array_equal(land[:, -2:], mesh[:, 87, :2])


def test_landmarks_3d_of_no_deformation_are_the_references():
    land = geometry.landmarks_3d(np.zeros((1, 468, 3))).reshape(51, 3)
    np.testing.assert_array_equal(land, geometry.reference_face()[list(geometry.IBUG51)])


def test_neutral_is_what_is_worn_most_of_the_time():
    shape = np.repeat(geometry.reference_face()[None], 11, axis=0)
    shape[:5] += 3.0
    np.testing.assert_array_equal(geometry.neutral(shape), geometry.reference_face())


def test_reference_face_is_symmetric_and_adult():
    face, mirror = geometry.reference_face(), geometry.mirror_vertices()
    np.testing.assert_array_equal(mirror[mirror], np.arange(468))
    np.testing.assert_allclose(face[mirror] * [-1, 1, 1], face, atol=2e-3)
    left, right = face[[263, 362]].mean(axis=0), face[[33, 133]].mean(axis=0)
    np.testing.assert_allclose(left - right, [63, 0, 0], atol=2e-3)
    assert face[1, 2] < face[454, 2]  # the nose is nearer to the camera than the ear


def test_errors_say_what_is_wrong():
    with pytest.raises(InputError, match="frames, 468"):
        geometry.rectangle(np.zeros((4, 51, 3)))
    with pytest.raises(InputError, match="no frame with a face"):
        geometry.neutral(np.full((3, 468, 3), np.nan))
    mesh = project(pose_head(random_pose(1)))
    with pytest.raises(ParameterError, match="field of view"):
        geometry.canonicalize(mesh, SIZE, 0)
    with pytest.raises(ParameterError, match="size of the image"):
        geometry.canonicalize(mesh, (0, 480))


def someone(seed=4):
    """A face that is not the reference one."""
    rng = np.random.default_rng(seed)
    face = geometry.reference_face() * [1.05, 0.96, 1.1]
    return face + rng.normal(scale=0.8, size=face.shape)


def test_a_known_person_is_found_again():
    pose = random_pose(30, seed=8)
    mesh = project(pose_head(pose, someone()))
    found = geometry.canonicalize(mesh, SIZE, person=someone())
    np.testing.assert_allclose(found.pose[:, :3], pose[:, :3], rtol=1e-4, atol=0.02)
    np.testing.assert_allclose(found.pose[:, 3:], pose[:, 3:], atol=1e-5)
    np.testing.assert_allclose(
        found.shape, np.broadcast_to(someone(), found.shape.shape), atol=0.02
    )


def test_movement_across_the_face_of_a_known_person_is_exact():
    move = np.zeros((468, 3))
    move[[61, 291]] = [[-5, -4, 0], [5, -4, 0]]
    mesh = project(pose_head(random_pose(20, seed=3), someone() + move))
    deformation = geometry.canonicalize(mesh, SIZE, person=someone()).shape - someone()
    np.testing.assert_allclose(
        deformation[..., :2], np.broadcast_to(move[:, :2], (20, 468, 2)), atol=0.05
    )


def test_movement_towards_the_camera_is_seen_from_the_front():
    move = np.zeros((468, 3))
    move[[0, 17], 2] = -6
    mesh = project(pose_head([10, -20, 600, 0.05, -0.1, 0], someone() + move))
    deformation = geometry.canonicalize(mesh, SIZE, person=someone()).shape[0] - someone()
    np.testing.assert_allclose(deformation[[0, 17], 2], -6, atol=0.6)


def test_understated_left_right_depth_hardly_changes_the_angle_of_a_known_person():
    pose = np.zeros((9, 6))
    pose[:, 2] = 600
    pose[:, 4] = np.radians(np.linspace(-20, 20, 9))
    mesh = project(pose_head(pose, someone()))
    twin = mesh[:, geometry.mirror_vertices(), 2]
    mesh[..., 2] = (mesh[..., 2] + twin) / 2 + 0.7 * (mesh[..., 2] - twin) / 2
    first = np.degrees(geometry.canonicalize(mesh, SIZE).pose[:, 4])
    found = np.degrees(geometry.canonicalize(mesh, SIZE, person=someone()).pose[:, 4])
    true = np.degrees(pose[:, 4])
    assert np.abs(first - true).max() > 1.5
    assert np.abs(found - true).max() < 0.5


def test_lost_frames_of_a_known_person_stay_lost():
    mesh = project(pose_head(random_pose(4), someone()))
    mesh[1] = np.nan
    found = geometry.canonicalize(mesh, SIZE, person=someone())
    np.testing.assert_array_equal(np.isnan(found.pose).all(axis=1), [False, True, False, False])
    np.testing.assert_array_equal(
        np.isnan(found.shape).any(axis=(1, 2)), [False, True, False, False]
    )
    assert geometry.canonicalize(mesh[[1]], SIZE, person=someone()).pose.shape == (1, 6)


def test_a_rigid_face_leaves_expression_out():
    move = np.zeros((468, 3))
    move[[61, 291, 17, 152], :2] = [[-5, -4], [5, -4], [0, 9], [0, 12]]
    face = 3 * geometry.reference_face() + [300, 200, 0]
    rigid = geometry.rigid_face((face + 3 * move)[None])
    np.testing.assert_allclose(rigid[0], face, atol=1e-6)


def test_the_last_bit_of_angles_does_not_depend_on_where_memory_lies() -> None:
    """NumPy takes another way for some strided columns; two runs differed by 1e-18."""
    random = np.random.default_rng(0)
    rotation = geometry.rotation_matrix(random.normal(0, 0.2, (300, 3)))
    first = geometry.angles_of(rotation).tobytes()
    for _ in range(300):
        kept = [np.empty(size, np.uint8) for size in random.integers(1, 200_000, 10)]
        assert geometry.angles_of(rotation.copy()).tobytes() == first
        del kept
