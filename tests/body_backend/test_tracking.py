"""Following a body: the joints of a frame while other people are looked for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.body_backend import tracking
from bitbox.body_backend.pose_graph import Square
from bitbox.body_backend.tracking import Meanwhile, track_body
from bitbox.video import Picture


class Counted:
    """Stands for the models; says on which thread joints were computed."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def find(self, _: Picture, __: Any) -> list[Any]:
        return []

    def joints(self, _: Picture, square: Square) -> tuple[np.ndarray, Square, float]:
        self.threads.append(threading.current_thread().name)
        return np.full((33, 7), square.x, np.float32), square, 1.0


@pytest.fixture
def picture() -> Picture:
    return Picture.of(np.zeros((8, 8, 3), np.uint8))


def test_what_was_begun_is_used_once_and_for_the_same_square(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "is_core_left", lambda: True)
    models: Any = Counted()
    here, mine, other = threading.current_thread().name, Square(1, 1, 4, 0), Square(2, 2, 4, 0)
    with Meanwhile(models) as both:
        both.begin(picture, mine)
        assert both.joints(picture, mine)[0][0, 0] == 1
        assert len(models.threads) == 1
        assert models.threads[0] != here
        assert both.joints(picture, mine)[0][0, 0] == 1  # anew
        both.begin(picture, mine)
        assert both.joints(picture, other)[0][0, 0] == 2  # somebody else was found
        both.begin(picture, mine)
        another = Picture.of(np.zeros((8, 8, 3), np.uint8))
        assert both.joints(another, mine)[0][0, 0] == 1
    assert [name == here for name in models.threads] == [False, True, False, True, False, True]


def test_where_no_core_is_left_it_comes_after(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "is_core_left", lambda: False)
    models: Any = Counted()
    with Meanwhile(models) as both:
        both.begin(picture, Square(1, 1, 4, 0))
        assert models.threads == []
        both.joints(picture, Square(1, 1, 4, 0))
    assert models.threads == [threading.current_thread().name]


@pytest.mark.video
def test_joints_are_the_same_to_the_bit(two_people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for left in (True, False):
        monkeypatch.setattr(tracking, "is_core_left", lambda left=left: left)
        rows.append(np.array(track_body(two_people, person="right", threshold=0.5).rows))
    np.testing.assert_array_equal(*rows)
