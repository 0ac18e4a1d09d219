"""People who move at random: each joint by itself, and what is learnt from them."""

from __future__ import annotations

import numpy as np
from tools.learn_habits import Film, learn, mirrored
from validation.body_movements import FRAMES, at_random
from validation.moving_people import Camera

from bitbox.body_backend import habits


def test_movements_are_smooth_in_their_limits_and_not_of_one_another() -> None:
    poses = [pose for seed in range(40) for pose in at_random(seed)]
    names = ["trunk_lean", "bow", "trunk_turn", "left_shoulder_elevation", "left_elbow_flexion"]
    names += ["left_hip_flexion", "right_shoulder_plane", "left_upper_arm_turn"]
    values = np.array([[pose[name] for name in names] for pose in poses])
    alike = np.corrcoef(values.T) - np.eye(len(names))
    assert abs(alike).max() < 0.2
    assert values[:, 0].min() >= -10
    assert values[:, 0].max() <= 40
    steps = np.diff(values.reshape(40, FRAMES, -1), axis=1)
    assert abs(steps).max() < 40  # degrees in a tenth of a second
    assert at_random(3) == at_random(3)
    assert at_random(3) != at_random(4)
    assert Camera() == Camera(40.0, 0.5)  # as all films were taken before there were others


def test_a_mixture_is_found_again_in_a_mirror_too() -> None:
    random = np.random.default_rng(1)
    weights = random.normal(0, 0.1, (habits.features(np.zeros((1, 33, 3)), True).shape[1], 13))
    films = []
    for _ in range(4):
        joints = random.normal(size=(400, 33, 3))
        films.append(Film("a", joints, habits.features(joints, True) @ weights))
    found = habits.features(films[0].joints, True) @ learn(films, True, 1e-9)
    np.testing.assert_allclose(found, films[0].missing, atol=1e-4)
    joints = random.normal(size=(5, 33, 3))
    np.testing.assert_array_equal(mirrored(mirrored(joints)), joints)
