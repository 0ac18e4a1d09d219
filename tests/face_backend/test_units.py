"""A deformation that is known must be named for what it is."""

from collections import Counter

import numpy as np
import pytest

from bitbox.errors import InputError
from bitbox.face_backend import units
from bitbox.face_backend.geometry import mirror_vertices, reference_face
from bitbox.face_backend.skin import skin_movement

NAMES = [unit.name for unit in units.LOCAL_UNITS]


def test_regions_have_the_documented_number_of_units():
    assert Counter(unit.region for unit in units.LOCAL_UNITS) == {
        "left brow": 4,
        "right brow": 4,
        "nose": 4,
        "left eye": 4,
        "right eye": 4,
        "upper lip": 5,
        "lower lip": 7,
    }
    assert len(set(NAMES)) == 32


def test_basis_is_orthonormal_and_smooth():
    basis = units.global_basis().reshape(79, -1)
    np.testing.assert_allclose(basis @ basis.T, np.eye(79), atol=1e-12)
    edges = units.mesh_edges()
    roughness = [
        ((mode[edges[:, 0]] - mode[edges[:, 1]]) ** 2).sum() for mode in units.global_basis()
    ]
    assert max(roughness[1:]) < 1.5  # a random pattern has about 5.6
    assert roughness[0] < 1e-20


def test_modes_have_a_fixed_sign():
    modes = units.global_basis()[[0, *range(1, 79, 3)]].sum(axis=2)
    largest = np.take_along_axis(modes, np.abs(modes).argmax(axis=1)[:, None], axis=1)
    assert (largest > 0).all()


def test_coefficients_of_the_basis_are_one_each():
    np.testing.assert_allclose(units.global_units(units.global_basis()), np.eye(79), atol=1e-12)


def test_movements_are_one_millimetre_where_largest():
    size = np.linalg.norm(units.unit_movements(), axis=2)
    np.testing.assert_allclose(size.max(axis=1), 1.0)


def test_left_and_right_mirror_each_other():
    movements, mirror = units.unit_movements(), mirror_vertices()
    swapped = {"l": "r", "r": "l"}
    for index, name in enumerate(NAMES):
        if name[:2] in {"lb", "le"}:
            twin = NAMES.index(swapped[name[0]] + name[1:])
        elif "_left_" in name:
            twin = NAMES.index(name.replace("_left_", "_right_"))
        elif "_right_" in name or name[:2] in {"rb", "re"}:
            continue
        else:
            twin = index
        np.testing.assert_allclose(
            movements[index][mirror] * [-1, 1, 1], movements[twin], atol=0.02
        )


def test_left_is_the_subjects_left():
    """The subject's left is on the right of the image: x grows."""
    face = reference_face()
    for index, name in enumerate(NAMES):
        moved = np.linalg.norm(units.unit_movements()[index], axis=1)
        centre = (moved @ face[:, 0]) / moved.sum()
        if name[:2] in {"lb", "le"} or "_left_" in name:
            assert centre > 8
        elif name[:2] in {"rb", "re"} or "_right_" in name:
            assert centre < -8
        else:
            assert abs(centre) < 0.5


def test_raising_is_up_and_lowering_is_down():
    for index, name in enumerate(NAMES):
        vertical = units.unit_movements()[index][:, 1].sum()
        if name.endswith("_raise"):
            assert vertical < 0
        elif name.endswith(("_lower", "_drop")):
            assert vertical > 0


def test_an_imperfect_head_pose_is_no_expression():
    face = reference_face()
    wrong = np.array([face * 0.02, np.cross([0.02, 0.01, -0.02], face), 0 * face + [1, -1, 2]])
    assert np.abs(wrong).max() > 1
    np.testing.assert_allclose(skin_movement(wrong), 0, atol=1e-3)


def test_units_of_a_mirrored_face_are_the_other_sides():
    """Left and right are treated alike, whatever the deformation."""
    mirror = mirror_vertices()
    deformation = np.random.default_rng(3).normal(size=(5, 468, 3))
    found = units.local_units(skin_movement(deformation))
    flipped = units.local_units(skin_movement(deformation[:, mirror] * [-1, 1, 1]))
    swapped = {"lb": "rb", "le": "re", "rb": "lb", "re": "le"}
    for index, name in enumerate(NAMES):
        twin = swapped.get(name[:2], name[:2]) + name[2:]
        if "_left_" in name or "_right_" in name:
            twin = (
                name.replace("_left_", "_right_")
                if "_left_" in name
                else name.replace("_right_", "_left_")
            )
        np.testing.assert_allclose(found[:, index], flipped[:, NAMES.index(twin)], atol=1e-3)


def test_units_are_the_millimetres_that_their_places_move():
    """On the skin the units are what they are called: each place, in its direction."""
    for index, unit in enumerate(units.LOCAL_UNITS):
        for part in unit.parts:
            places = np.array(part.read_at or part.sources)
            direction = np.array([*part.direction, 0.0])
            if part.mirrored:
                places, direction = mirror_vertices()[places], direction * [-1, 1, 1]
            moved = np.zeros((1, 468, 3))
            moved[0, places] = 2 * direction
            share = 1 / len(unit.parts)
            found = units.local_units(moved)[0]
            assert found[index] >= 2 * share - 1e-9  # places on the midline belong to both parts
            others = [i for i, other in enumerate(units.LOCAL_UNITS) if other.region != unit.region]
            away = [i for i in others if not units.LOCAL_UNITS[i].rides_on]
            np.testing.assert_allclose(found[away], 0, atol=1e-9)


def test_what_the_jaw_takes_along_is_no_movement_of_its_own():
    """Chin and lower lip go down by 4 mm, the corners by 2: only the jaw drops."""
    moved = np.zeros((1, 468, 3))
    for unit in units.LOCAL_UNITS:
        for part in unit.parts:
            places = np.array(part.read_at or part.sources)
            places = mirror_vertices()[places] if part.mirrored else places
            ridden = unit.share if unit.rides_on == "ll_jaw_drop" else 0.0
            ridden = 1.0 if unit.name == "ll_jaw_drop" else ridden
            moved[0, places, 1] = np.maximum(moved[0, places, 1], 4 * ridden)
    found = dict(zip(NAMES, units.local_units(moved)[0], strict=True))
    assert found.pop("ll_jaw_drop") == pytest.approx(4)
    np.testing.assert_allclose(list(found.values()), 0, atol=1e-9)


def test_how_well_units_are_measured_is_known_of_all():
    reliability = units.unit_reliability()
    assert list(reliability) == NAMES
    assert all(0 < r <= 1 for r in reliability.values())


def test_lost_frames_stay_lost():
    deformation = np.zeros((3, 468, 3))
    deformation[1] = np.nan
    for function in (units.local_units, units.global_units, skin_movement):
        found = function(deformation)
        assert np.isnan(found[1]).all()
        assert np.isfinite(found[[0, 2]]).all()


def test_noise_scale_finds_the_noise_under_a_movement():
    rng = np.random.default_rng(1)
    t = np.arange(900) / 30
    movement = 5 * np.sin(2 * np.pi * 0.3 * t)[:, None] * [1.0, 0.0]
    values = movement + rng.normal(scale=[0.2, 0.7], size=(900, 2))
    values[100:130] = np.nan
    np.testing.assert_allclose(units.noise_scale(values), [0.2, 0.7], rtol=0.15)


def test_noise_scale_says_where_there_is_none_to_see():
    values = np.random.default_rng(2).normal(size=(40, 3))
    values[:, 1] = 4.0
    values[5::6, 2] = np.nan
    values[8:, 2] = np.nan
    scale = units.noise_scale(values)
    np.testing.assert_array_equal(np.isnan(scale), [False, True, True])
    assert np.isnan(units.noise_scale(values[:5])).all()


def test_errors_say_what_is_wrong():
    with pytest.raises(InputError, match="frames, 468, 3"):
        units.local_units(np.zeros((468, 3)))
    with pytest.raises(InputError, match="frames, signals"):
        units.noise_scale(np.zeros(5))


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Movements made one after another, then a turn of the head, tracked from a video."""
    from bitbox.face_backend import geometry
    from bitbox.face_backend.mediapipe import track_mesh
    from bitbox.synthetic.performance import Bursts, perform
    from bitbox.synthetic.video import Scene, render_video

    names = ("le_upper_lid_lower", "rb_outer_raise", "ul_raise", "ll_left_corner_out")
    names = (*names, "ll_jaw_drop")
    time = np.arange(25 * (len(names) + 1)) / 25
    drives = {name: Bursts((number + 0.1,), (0.8,), (1.0,)) for number, name in enumerate(names)}
    turn = np.where(time >= len(names), 15 * np.sin(2 * np.pi * time), 0.0)
    path = tmp_path_factory.mktemp("filmed") / "film.mp4"
    scene = Scene(size=(640, 480), eye_distance=75.0)
    truth = render_video(path, perform(time, drives, {"yaw": turn}), scene)
    track = track_mesh(path)
    first = geometry.canonicalize(track.mesh, track.size)
    person = geometry.neutral(first.shape)
    found = geometry.canonicalize(track.mesh, track.size, person=person)
    moved = skin_movement(found.shape - geometry.neutral(found.shape))
    return names, truth, found.pose, units.local_units(moved), moved


@pytest.mark.video
def test_each_movement_is_seen_in_a_video_as_itself(filmed):
    names, truth, _, found, _ = filmed
    for number, name in enumerate(names):
        part = slice(25 * number, 25 * (number + 1))
        index = NAMES.index(name)
        assert np.corrcoef(found[part, index], truth.movement(name)[part])[0, 1] > 0.9
        moved = np.ptp(found[part], axis=0)  # millimetres of skin
        assert moved.argmax() == index


@pytest.mark.video
def test_units_say_what_landmarks_say(filmed):
    """Needs no truth: heights and widths by unit and by landmark, wherever they move clearly."""
    from validation.real_faces import with_points

    found = with_points(filmed[3], filmed[4])
    assert len(found) > 8
    assert min(found.values()) > 0.9


@pytest.mark.video
def test_a_turn_of_the_head_is_seen_in_a_video_to_two_degrees(filmed):
    names, truth, pose, *_ = filmed
    still = pose[: 25 * len(names), 4]
    turned = np.degrees(pose[25 * len(names) :, 4] - np.median(still))
    # the renderer's yaw is positive to the subject's left, ours to the right
    np.testing.assert_allclose(turned, -truth.head("yaw")[25 * len(names) :], atol=2.0)
