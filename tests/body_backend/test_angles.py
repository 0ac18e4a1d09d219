"""Angles are what their definitions say, on figures that were put together from them."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.body_backend.angles import ANGLE_NAMES, angles_of, trunk_axes
from bitbox.body_backend.skeleton import JOINTS
from bitbox.signals import Signals
from bitbox.synthetic.body import POSE_ANGLES, body_joints


def measured(pose: dict[str, float]) -> dict[str, float]:
    points = np.full((1, 33, 3), np.nan)
    for name, place in body_joints(pose).items():
        if name in JOINTS:
            points[0, JOINTS.index(name)] = place
    return dict(zip(ANGLE_NAMES, np.degrees(angles_of(points)[0]), strict=True))


def some_pose(seed: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    limits = {
        "elevation": (25, 150),
        "plane": (-30, 120),
        "flexion": (5, 110),
        "abduction": (-20, 40),
    }
    pose = {}
    for name in POSE_ANGLES:
        low, high = limits.get(name.rsplit("_", 1)[1], (-35, 35))
        pose[name] = float(random.uniform(low, high))
    return pose


@pytest.mark.parametrize("seed", range(20))
def test_angles_come_back_from_where_the_joints_are(seed: int) -> None:
    pose = some_pose(seed)
    found = measured(pose)
    for name, value in pose.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def signals(values: np.ndarray, names: tuple[str, ...], schema: str, dimension: int) -> Signals:
    return Signals(
        values,
        np.arange(len(values)) / 30,
        names,
        kind="body",
        schema=schema,
        units="rad" if dimension == 1 else "m",
        dimension=dimension,
        backend="test",
    )


def test_the_mirror_exchanges_sides_and_turns() -> None:
    """As the body itself would look in a mirror: every angle, not only those with a side."""
    random = np.random.default_rng(5)
    points = random.normal(size=(40, 33, 3))
    swap = {"left": "right", "right": "left"}
    other = [f"{swap[n[: n.find('_')]]}_{n[n.find('_') + 1 :]}" if "_" in n else n for n in JOINTS]
    flipped = points[:, [JOINTS.index(name) for name in other]] * [-1, 1, 1]
    one = signals(angles_of(points), ANGLE_NAMES, "openbitbox-angles", 1).mirrored()
    assert one.names == ANGLE_NAMES
    for name, found, expected in zip(ANGLE_NAMES, one.values.T, angles_of(flipped).T, strict=True):
        np.testing.assert_allclose(found, expected, err_msg=name)
    names = tuple(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
    joints = [
        signals(p.reshape(40, -1), names, "openbitbox-joints-can-33", 3) for p in (points, flipped)
    ]
    np.testing.assert_allclose(joints[0].mirrored().values, joints[1].values)
    assert joints[0].mirrored().mirrored() == joints[0]


def test_motion_has_no_sides_and_stays_what_it_is() -> None:
    motion = signals(np.ones((9, 2)), ("arms_share", "arms_change"), "openbitbox-motion", 1)
    np.testing.assert_array_equal(motion.mirrored().values, motion.values)


def test_a_hanging_arm_has_no_plane_and_a_hidden_joint_no_angle() -> None:
    found = measured({"left_shoulder_elevation": 10, "right_shoulder_elevation": 30})
    assert np.isnan(found["left_shoulder_plane"])
    assert found["right_shoulder_plane"] == pytest.approx(0)
    assert np.isnan(found["left_wrist_bend"])  # the figure has no fingers
    assert np.isnan(found["neck_turn"])


def test_axes_are_right_handed_and_face_the_camera() -> None:
    points = np.full((1, 33, 3), np.nan)
    for name, place in body_joints({}).items():
        if name in JOINTS:
            points[0, JOINTS.index(name)] = place
    axes = trunk_axes(points)
    np.testing.assert_allclose(axes.left, [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(axes.up, [[0, -1, 0]], atol=1e-12)
    np.testing.assert_allclose(axes.front, [[0, 0, -1]], atol=1e-12)
