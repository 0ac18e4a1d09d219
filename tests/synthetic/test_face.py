"""The portrait moves as it is told to: movements, head pose, and pictures that fit both."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.synthetic.face import HEAD, Face, backdrop, rotation
from bitbox.synthetic.movements import EXPRESSIONS, MOVEMENTS, displacements, mirrored, resolve
from bitbox.synthetic.portrait import EYE_CORNERS_MM, face_mesh, portrait

pytest.importorskip("cv2")
pytest.importorskip("skimage")
pytestmark = pytest.mark.video

FloatArray = NDArray[np.float64]
SIZE = (320, 180)
REST = np.zeros(len(MOVEMENTS))
STILL = np.zeros(len(HEAD))
NOSE, CHIN, LEFT_EYE, RIGHT_EYE, FOREHEAD = 1, 152, 263, 33, 10


def drive(name: str, amount: float = 1.0) -> FloatArray:
    out = REST.copy()
    for single, share in resolve({name: np.array(amount)}).items():
        out[MOVEMENTS.index(single)] = share
    return out


def head(**what: float) -> FloatArray:
    out = STILL.copy()
    for name, value in what.items():
        out[HEAD.index(name)] = value
    return out


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(SIZE, 0.7)


def picture(face: Face, drives: FloatArray, pose: FloatArray) -> NDArray[np.uint8]:
    canvas = backdrop(face.size)
    face.draw(canvas, drives, pose)
    return canvas


def test_portrait_is_a_mesh_without_holes() -> None:
    whole = portrait()
    assert whole.vertices.shape[1] == 3
    assert whole.triangles.max() < len(whole.vertices)
    assert ((whole.head >= 0) & (whole.head <= 1)).all()
    np.testing.assert_allclose(whole.head[:468][[NOSE, CHIN, FOREHEAD]], 1)
    assert whole.matte[100, 225] == 255  # face
    assert whole.matte[20, 20] == 0  # flag
    across = whole.vertices[LEFT_EYE] - whole.vertices[RIGHT_EYE]
    assert np.linalg.norm(across) == pytest.approx(EYE_CORNERS_MM * whole.pixels_per_mm)


def test_kept_mesh_is_what_the_tracker_measures() -> None:
    pytest.importorskip("mediapipe")
    from bitbox.synthetic.portrait import measure_mesh

    try:
        measured = measure_mesh()
    except AttributeError:
        pytest.skip("this MediaPipe has no Face Mesh solution")
    assert np.abs(measured - face_mesh()).max() < 0.5


def test_rest_is_the_portrait(face: Face) -> None:
    points = face.points(REST, STILL)[:468, :2]
    expected = portrait().vertices[:468, :2] * 0.7
    np.testing.assert_allclose(points - points[0], expected - expected[0], atol=1e-9)


def test_every_local_unit_has_its_movement() -> None:
    from bitbox.face_backend.units import LOCAL_UNITS

    assert tuple(unit.name for unit in LOCAL_UNITS) == MOVEMENTS
    assert {single for parts in EXPRESSIONS.values() for single in parts} <= set(MOVEMENTS)
    assert all(mirrored(mirrored(name)) == name for name in MOVEMENTS)
    with pytest.raises(ParameterError, match="no movement called 'wave'"):
        resolve({"wave": REST})


@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_movement_moves_its_own_region(name: str) -> None:
    moved = np.linalg.norm(displacements()[MOVEMENTS.index(name), :468], axis=1)
    place = portrait().vertices[int(np.argmax(moved)), :2]
    low, high = {
        "b": ((190, 85), (262, 105)),
        "no": ((205, 108), (245, 136)),
        "e": ((190, 90), (262, 130)),
        "ul": ((198, 132), (250, 152)),
        "ll": ((198, 132), (250, 182)),
    }[name[:2] if name[:2] in ("no", "ul", "ll") else name[1]]
    assert (place >= low).all(), place
    assert (place <= high).all(), place
    side = {"l": 1, "r": -1}[name[0]] if name[1] in "be" else 0
    if side or "_left_" in name or "_right_" in name:
        side = side or (1 if "_left_" in name else -1)
        assert side * (place[0] - portrait().vertices[NOSE, 0]) > 0  # the subject's side


@pytest.mark.parametrize("name", MOVEMENTS)
def test_sides_mirror_each_other(name: str) -> None:
    one = np.linalg.norm(displacements()[MOVEMENTS.index(name)], axis=1).max()
    other = np.linalg.norm(displacements()[MOVEMENTS.index(mirrored(name))], axis=1).max()
    assert one == pytest.approx(other, rel=0.25)


@pytest.mark.parametrize(
    ("what", "point", "axis", "sign"),
    [
        ({"yaw": 15}, NOSE, 0, 1),
        ({"pitch": 15}, NOSE, 1, 1),
        ({"roll": 15}, FOREHEAD, 0, 1),
        ({"roll": 15}, LEFT_EYE, 1, 1),
        ({"x": 10}, NOSE, 0, 1),
        ({"y": 10}, NOSE, 1, 1),
    ],
)
def test_signs_of_the_head(
    face: Face, what: dict[str, float], point: int, axis: int, sign: int
) -> None:
    way = face.points(REST, head(**what))[point] - face.points(REST, STILL)[point]
    assert sign * way[axis] > 3
    assert np.abs(way[1 - axis]) < sign * way[axis]


def test_angles_are_those_of_a_rigid_head() -> None:
    """What a least-squares fit of a rotation to the face points gives back, seen from far away."""
    face = Face(SIZE, 0.7, vertical_fov=2.0)
    rest = face.points(REST, STILL)[:468]
    turned = face.points(REST, head(yaw=12, pitch=-8, roll=5, x=30, approach=0.1))[:468]
    a, b = rest - rest.mean(axis=0), turned - turned.mean(axis=0)
    b[:, 2] *= 1.1  # depth is not enlarged by coming closer
    u, _, v = np.linalg.svd(a.T @ b)
    np.testing.assert_allclose(v.T @ u.T, rotation(12, -8, 5), atol=0.02)
    scale = np.sqrt((b**2).sum() / (a**2).sum())
    assert scale == pytest.approx(1.1, abs=0.02)


def test_millimetres_and_approach() -> None:
    face = Face(SIZE, 0.7, vertical_fov=2.0)
    rest = face.points(REST, STILL)[:468]
    shifted = face.points(REST, head(x=20, y=-5))[:468]
    way = (shifted - rest)[:, :2]
    expected = np.broadcast_to(np.array([20, -5]) * face.pixels_per_mm, way.shape)
    np.testing.assert_allclose(way, expected, rtol=0.02)
    centre = np.array([SIZE[0] / 2, SIZE[1] / 2])
    closer = face.points(REST, head(approach=0.2))[:468]
    np.testing.assert_allclose(closer[:, :2] - centre, 1.2 * (rest[:, :2] - centre), rtol=0.02)


def test_at_rest_every_camera_sees_the_photograph() -> None:
    near, far = (Face(SIZE, 0.7, vertical_fov=fov) for fov in (63.0, 2.0))
    np.testing.assert_allclose(
        near.points(REST, STILL)[:, :2], far.points(REST, STILL)[:, :2], atol=1e-6
    )


def test_perspective_enlarges_what_comes_nearer() -> None:
    """The side of the face that is turned to the camera is drawn larger, the other smaller."""
    near, far = (Face(SIZE, 0.7, vertical_fov=fov) for fov in (63.0, 2.0))
    left, right = (263, 362), (33, 133)  # outer and inner corner of either eye

    def widths(face: Face) -> list[float]:
        points = face.points(REST, head(yaw=15))[:, :2]
        return [float(np.linalg.norm(points[a] - points[b])) for a, b in (left, right)]

    (left_near, right_near), (left_far, right_far) = widths(near), widths(far)
    assert right_near / left_near > 1.02 * right_far / left_far


def test_the_other_person_does_the_same_with_the_same_side() -> None:
    other = Face(SIZE, 0.7, other_person=True)
    rest = other.points(REST, STILL)
    wink = other.points(drive("le_upper_lid_lower"), STILL)
    moved = np.linalg.norm(wink - rest, axis=1)[:468]
    assert (
        rest[int(np.argmax(moved)), 0] > rest[NOSE, 0]
    )  # the subject's left, right in the picture
    assert other.points(REST, head(yaw=10))[NOSE, 0] > rest[NOSE, 0]
    assert other.points(REST, head(roll=10))[FOREHEAD, 0] > rest[FOREHEAD, 0]
    assert other.points(REST, head(x=10))[NOSE, 0] > rest[NOSE, 0]
    same = picture(Face(SIZE, 0.7), REST, STILL).astype(int)
    assert np.abs(picture(other, REST, STILL).astype(int) - same).mean() > 3


def test_pictures_show_what_is_told(face: Face) -> None:
    rest = picture(face, REST, STILL).astype(int)
    points = face.points(REST, STILL)
    open_mouth = picture(face, drive("mouth_open"), STILL).astype(int)
    x, y = points[14, :2]
    inside = face.points(drive("mouth_open"), STILL)[14, 1]
    row = round((y + inside) / 2)
    assert open_mouth[row, round(x)].sum() < 150 < rest[row, round(x)].sum()
    changed = np.abs(open_mouth - rest).sum(axis=2) > 30
    rows, columns = np.nonzero(changed)
    assert rows.min() > points[NOSE, 1] - 5
    assert columns.min() > points[:468, 0].min() - 10
    # the body and the wall stay when the head turns
    turned = picture(face, REST, head(yaw=20)).astype(int)
    changed = np.abs(turned - rest).sum(axis=2) > 30
    assert changed[:, :40].sum() == 0
    assert changed[-10:].sum() == 0


def test_no_holes_when_all_moves(face: Face) -> None:
    """Wherever the person was opaque in the middle of the head, it is never the wall."""
    rng = np.random.default_rng(0)
    marked = np.full((SIZE[1], SIZE[0], 3), (0, 255, 0), np.uint8)
    for _ in range(20):
        drives = rng.uniform(0, 1, len(MOVEMENTS))
        pose = head(yaw=rng.uniform(-20, 20), pitch=rng.uniform(-20, 20), roll=rng.uniform(-15, 15))
        canvas = marked.copy()
        face.draw(canvas, drives, pose)
        inside = face.points(drives, pose)[:468, :2]
        low, high = (
            np.ceil(inside.min(axis=0)).astype(int),
            np.floor(inside.max(axis=0)).astype(int),
        )
        middle = (low + high) // 2
        part = canvas[
            (low[1] + middle[1]) // 2 : (high[1] + middle[1]) // 2,
            (low[0] + middle[0]) // 2 : (high[0] + middle[0]) // 2,
        ].astype(int)
        green = (part[..., 1] > 200) & (part[..., 0] < 80) & (part[..., 2] < 80)
        assert not green.any()


def test_a_face_out_of_the_picture_is_gone(face: Face) -> None:
    np.testing.assert_array_equal(picture(face, REST, head(x=2000)), backdrop(SIZE))
