"""The judge of rendered people, on recordings whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from validation.humans import judge


def test_a_nod_that_reads_too_small_is_told() -> None:
    true = np.random.default_rng(3).normal(0, 0.1, (200, 6))
    pose = true * [1, 1, 1, 0.7, 1.1, 1.0] + 0.05
    none, time = np.zeros((200, 1)), np.arange(200) / 10
    film = judge.Recording("ada", "head", 30.0, time, none, none, pose, true, none, ["jawOpen"])
    assert judge.pose_size(film) == pytest.approx([0.7, 1.1, 1.0])
