"""Depth: what the model guesses by habit is put right, and limbs keep their lengths."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.body_backend.depth import likely_depth
from bitbox.body_backend.habits import LEGS, corrections
from bitbox.body_backend.skeleton import JOINTS
from bitbox.body_backend.space import TRUNK, as_guessed, in_space, trunk_of
from bitbox.synthetic.body import body_joints

PIXELS = 200.0  # a metre


def seen_by_a_model(poses: list[dict[str, float]], push: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rows as the tracker gives them, the wrists pushed to the camera, and the truth."""
    truth = np.full((len(poses), 33, 3), np.nan)
    for row, pose in enumerate(poses):
        for name, place in body_joints(pose).items():
            if name in JOINTS:
                truth[row, JOINTS.index(name)] = place
    rows = np.zeros((len(poses), 33, 7), np.float32)
    rows[..., :2] = truth[..., :2] * PIXELS + 300
    rows[..., 4:7] = truth
    rows[:, [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")], 6] -= push
    rows[..., 3] = np.isfinite(truth[..., 0])
    return rows, truth


def raised(n: int = 60) -> list[dict[str, float]]:
    return [{"left_shoulder_elevation": 2.0 * k, "left_elbow_flexion": 1.5 * k} for k in range(n)]


@pytest.mark.usefixtures("no_habits")
def test_an_arm_in_the_picture_plane_stays_near_it_whatever_the_model_says() -> None:
    rows, truth = seen_by_a_model(raised(), push=0.2)
    found = in_space(rows, rows[..., 3] > 0.5, np.arange(60) / 30)
    wrist = JOINTS.index("left_wrist")
    off = abs(found[:, wrist] - truth[:, wrist])
    assert np.nanmax(off[:, :2]) < 1e-6
    assert np.nanmax(off[:, 2]) < 0.06


@pytest.mark.usefixtures("no_habits")
def test_an_arm_towards_the_camera_keeps_its_depth_and_sign() -> None:
    poses = raised() + [
        {"left_shoulder_elevation": 90, "left_shoulder_plane": 1.5 * k} for k in range(40)
    ]
    rows, truth = seen_by_a_model(poses, push=0.0)
    found = in_space(rows, rows[..., 3] > 0.5, np.arange(100) / 30)
    elbow = JOINTS.index("left_elbow")
    assert np.nanmax(abs(found[60:, elbow] - truth[60:, elbow])) < 0.06
    assert np.nanmax(abs(found[-10:, elbow] - truth[-10:, elbow])) < 0.02
    assert found[-1, elbow, 2] < -0.2


@pytest.mark.usefixtures("no_habits")
def test_the_size_in_the_picture_drops_out() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.0)
    near = rows.copy()
    near[..., :2] *= np.linspace(1, 2, 60)[:, None, None]  # somebody comes nearer
    time, seen = np.arange(60) / 30, rows[..., 3] > 0.5
    one, other = in_space(rows, seen, time), in_space(near, seen, time)
    shoulder = JOINTS.index("left_shoulder")
    length = np.linalg.norm(one[:, shoulder] - one[:, JOINTS.index("left_hip")], axis=1)
    assert np.ptp(length) < 1e-6
    assert np.nanmax(abs(other - one)[15:-15]) < 0.02
    hips = (one[:, JOINTS.index("left_hip")] + one[:, JOINTS.index("right_hip")]) / 2
    shoulders = (one[:, shoulder] + one[:, JOINTS.index("right_shoulder")]) / 2
    np.testing.assert_allclose(np.linalg.norm(shoulders - hips, axis=1), TRUNK, atol=1e-6)


@pytest.mark.usefixtures("no_habits")
def test_what_is_never_seen_is_missing_and_disturbs_nothing() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.0)
    seen = rows[..., 3] > 0.5
    seen[:, JOINTS.index("left_knee")] = False
    seen[:, JOINTS.index("right_knee")] = False
    found = in_space(rows, seen, np.arange(60) / 30)
    assert np.isnan(found[:, JOINTS.index("left_knee")]).all()
    assert np.isfinite(found[:, JOINTS.index("left_elbow")]).all()
    nobody = in_space(rows, np.zeros_like(seen), np.arange(60) / 30)
    assert np.isnan(nobody).all()


def with_a_head(rows: np.ndarray) -> np.ndarray:
    """Put nose and ears above the shoulders, where the figure has none."""
    rows = rows.copy()
    middle = rows[:, [JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]].mean(axis=1)
    for name, across in (("nose", 0.0), ("left_ear", 0.08), ("right_ear", -0.08)):
        place = JOINTS.index(name)
        rows[:, place, :3] = middle[:, :3] + np.array([across, -0.25, 0.0]) * PIXELS
        rows[:, place, 3] = 1
        rows[:, place, 4:7] = middle[:, 4:7] + [across, -0.25, 0.0]
    return rows


def test_habits_are_put_right_and_not_in_the_picture_of_the_trunk() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.0)
    rows = with_a_head(rows)
    seen, time = rows[..., 3] > 0.5, np.arange(60) / 30
    found = in_space(rows, seen, time)
    assert np.isfinite(found[seen]).all()
    shoulders = [JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]
    wide = np.diff(found[:, shoulders, 0]) / np.diff(rows[:, shoulders, 0])
    assert np.ptp(wide) < 1e-6  # all of one size, as in the picture
    guess = as_guessed(rows, seen, time)
    away = corrections(guess / trunk_of(guess), legs=True)
    assert np.ptp(away.shoulders) > 1e-3  # raised arms lean less than they seem to
    assert abs(away.shoulders).max() < 0.5
    assert abs(away.legs).max() < 0.5


def test_habits_of_a_mirrored_person_are_mirrored() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.05)
    rows = with_a_head(rows)
    guess = as_guessed(rows, rows[..., 3] > 0.5, np.arange(60) / 30)
    mirrored = guess * [-1.0, 1.0, 1.0]
    for left, name in enumerate(JOINTS):
        if name.startswith("left"):
            right = JOINTS.index(name.replace("left", "right"))
            mirrored[:, [left, right]] = mirrored[:, [right, left]]
    one, other = corrections(guess, legs=True), corrections(mirrored, legs=True)
    np.testing.assert_allclose(other.shoulders, one.shoulders, atol=1e-4)
    exchanged = one.legs[:, [1, 0, 3, 2]] * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(other.legs, exchanged, atol=1e-4)


def test_legs_that_are_not_seen_are_not_asked_about_habits() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.0)
    rows = with_a_head(rows)
    rows[:, LEGS, 3] = 0.1
    time = np.arange(60) / 30
    one = in_space(rows, rows[..., 3] > 0.5, time)
    rows[:, LEGS, 4:7] += 0.3
    np.testing.assert_array_equal(in_space(rows, rows[..., 3] > 0.5, time), one)
    assert not corrections(rows[..., 4:7].astype(float), legs=False).legs.any()


def test_the_depth_of_a_limb_is_weighed() -> None:
    looks = np.array([1.0, 0.5, 0.5, 0.5, 1.3, np.nan])
    guess = np.array([0.0, 0.5, -0.5, 0.0, 0.2, 0.1])
    depth = likely_depth(guess, looks, 1.0, doubt=0.25, inexact=0.05)
    assert abs(depth[0]) < 1e-9
    assert depth[1] == pytest.approx(np.sqrt(0.75), abs=0.05)  # as far as it looks too short
    assert depth[2] == pytest.approx(-depth[1])
    assert abs(depth[3]) < 1e-9  # to which side is not known
    assert 0 < depth[4] < 0.1  # it looks too long already
    assert np.isnan(depth[5])
    many = likely_depth(np.tile(guess, 5000), np.tile(looks, 5000), 1.0, 0.25, 0.05)
    np.testing.assert_array_equal(many, np.tile(depth, 5000))
