"""The judge of rendered people, on recordings whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from validation.humans import judge


def test_a_nod_that_reads_too_small_is_told() -> None:
    random = np.random.default_rng(3)
    true = random.normal(0, 0.1, (200, 6))
    pose = true * [1, 1, 1, 0.7, 1.1, 1.0] + 0.05
    units = np.zeros((200, len(judge.NAMES)))
    recording = judge.Recording(
        "ada",
        "head",
        30.0,
        np.arange(200) / 10,
        units,
        units,
        pose,
        true,
        units[:, :1],
        ["jawOpen"],
    )
    assert judge.pose_size(film) == pytest.approx([0.7, 1.1, 1.0])
