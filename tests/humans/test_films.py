"""A rendered person, tracked: the truth is the film's, and what is measured is near it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from validation.humans import data

from bitbox.face_backend import geometry, units
from bitbox.face_backend.skin import skin_movement

pytest.importorskip("av")
pytest.importorskip("cv2")
pytest.importorskip("mediapipe")
pytestmark = [
    pytest.mark.video,
    pytest.mark.skipif(not data.is_there(), reason="the shapes of people are not installed"),
]

#: Movements made one after another by somebody who is in no other data, and the unit of each.
SHOWN = {
    "jawOpen": "ll_jaw_drop",
    "mouthSmileLeft": "ul_left_corner_raise",
    "browOuterUpRight": "rb_outer_raise",
    "eyeBlinkLeft": "le_upper_lid_lower",
}
EACH = 11  # frames
START = 16


class Recording(NamedTuple):
    drives: np.ndarray
    true: np.ndarray
    measured: np.ndarray
    pose: np.ndarray
    true_pose: np.ndarray
    arrays: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Sixty frames of 320 x 320: four movements, while the head turns a little."""
    from validation.humans.body import ACTIONS
    from validation.humans.films import QUALITIES, film
    from validation.humans.measure import beside, track
    from validation.humans.people import by_name
    from validation.humans.performance import Performance
    from validation.humans.render import LIGHTS, Camera

    time = np.arange(60) / 10
    drives = np.zeros((60, len(ACTIONS)))
    for place, name in enumerate(SHOWN):
        at = (np.arange(60) - START - EACH * place) / (EACH - 1)
        inside = (at > 0) & (at < 1)
        drives[inside, ACTIONS.index(name)] = np.sin(np.pi * at[inside]) ** 2
    turns = np.zeros((60, 3))
    turns[START:, 1] = np.radians(10) * np.sin(np.arange(60 - START) / 7)
    path = tmp_path_factory.mktemp("film") / "ada.mp4"
    truth = film(
        by_name("ada"),
        Performance("test", time, drives, turns),
        Camera(63.0, (320, 320), 56.0),
        LIGHTS["window"],
        QUALITIES["clean"],
        path,
    )
    arrays = beside(truth, track(path))
    true = np.tensordot(arrays["drives"], arrays["point_basis"], axes=1)
    return Recording(
        drives, true, arrays["deform_refined"], arrays["pose_refined"], arrays["pose"], arrays
    )


def test_the_truth_is_linear_in_the_drives(recording: Recording) -> None:
    arrays = recording.arrays
    surface = arrays["neutral"] + np.tensordot(arrays["drives"], arrays["basis"], axes=1)
    corners = surface[:, arrays["triangles"][arrays["point_triangle"]]]
    points = (corners * arrays["point_weights"][:, :, None]).sum(axis=2)
    assert np.abs(points - arrays["point_neutral"] - recording.true).max() < 1e-3


def test_tracked_points_are_where_the_truth_says(recording: Recording) -> None:
    """At rest, the points' places on the skin are seen where the tracker sees the points."""
    arrays = recording.arrays
    assert (arrays["confidence"] > 0.5).all()
    assert np.quantile(arrays["point_miss"], 0.95) < 1.5
    placed = arrays["point_neutral"] @ geometry.rotation_matrix(arrays["pose"][0, 3:]).T
    placed = placed + arrays["pose"][0, :3]
    focal = 160 / np.tan(np.radians(63) / 2)
    seen = placed[:, :2] * focal / placed[:, 2:] + 160
    away = np.linalg.norm(seen - np.median(arrays["mesh_raw"][:14, :468, :2], axis=0), axis=1)
    assert np.median(away) < 0.1
    # the two lips meet, and each has its own points
    upper, lower = arrays["point_basis"][24, 13], arrays["point_basis"][24, 14]
    assert lower[1] > 2 * max(upper[1], 3.0)


def test_points_move_with_the_skin(recording: Recording) -> None:
    scale = float(recording.arrays["scale"])
    for point, axis in ((152, 1), (17, 1), (61 + 230, 1), (386, 1)):
        true, found = recording.true[:, point, axis], recording.measured[:, point, axis] * scale
        assert np.corrcoef(true, found)[0, 1] > 0.8, point


@pytest.mark.parametrize("action", SHOWN)
def test_units_follow_the_skin(recording: Recording, action: str) -> None:
    found = units.local_units(skin_movement(recording.measured))
    unit = [unit.name for unit in units.LOCAL_UNITS].index(SHOWN[action])
    from validation.humans.body import ACTIONS

    course = recording.drives[:, ACTIONS.index(action)]
    assert np.corrcoef(found[:, unit], course)[0, 1] > 0.7


def test_units_say_what_landmarks_say(recording: Recording) -> None:
    from validation.real_faces import with_points

    skin = skin_movement(recording.measured)
    found = with_points(units.local_units(skin), skin)
    assert len(found) > 4
    assert min(found.values()) > 0.9


def test_pose_follows_the_head(recording: Recording) -> None:
    yaw, true = recording.pose[:, 4], recording.true_pose[:, 4]
    assert np.corrcoef(yaw, true)[0, 1] > 0.97
    assert np.abs((yaw - yaw[:14].mean()) - true).max() < np.radians(4)


def test_films_are_the_same_each_time(tmp_path: Path) -> None:
    from validation.humans.people import by_name
    from validation.humans.render import LIGHTS, Camera, Renderer

    camera = Camera(63.0, (96, 96), 16.0)
    pictures = [
        Renderer(by_name("gil"), camera, LIGHTS["screen"]).picture(np.zeros(52), np.zeros(3), 0.5)
        for _ in range(2)
    ]
    assert np.array_equal(pictures[0], pictures[1])
    assert 0.05 < pictures[0].mean() < 0.8


def test_a_hand_over_the_mouth_is_no_movement(tmp_path: Path) -> None:
    """The confidence stayed at 1, and what the network made up under the hand passed for lips."""
    from validation.humans.films import Quality, film
    from validation.humans.hand import covering
    from validation.humans.people import by_name
    from validation.humans.performance import all_at_once
    from validation.humans.render import LIGHTS, Camera

    from bitbox.face_backend import FaceProcessor

    path = tmp_path / "june.mp4"
    quality = Quality("hand", 1.5, 18, hand=True)
    camera = Camera(63.0, (320, 320), 56.0)
    film(by_name("june"), all_at_once(3, False, 6.5), camera, LIGHTS["window"], quality, path)
    processor = FaceProcessor()
    processor.io(input_file=path)
    signals = processor.localized_expressions(normalize=False)
    near = covering(signals.time)
    lips = [n for n, unit in enumerate(units.LOCAL_UNITS) if "lip" in unit.region]
    brows = [n for n, unit in enumerate(units.LOCAL_UNITS) if "brow" in unit.region]
    missing = np.isnan(signals.values)
    assert missing[near > 0.9][:, lips].mean() > 0.8
    assert missing[near == 0].mean() < 0.02
    assert missing[:, brows].mean() < 0.02
    assert signals.confidence is not None
    assert np.median(signals.confidence[near > 0.9]) < 0.5 < signals.confidence[near == 0].min()
    assert "face-hidden" in [finding.code for finding in processor.findings]
