"""Of what is small, a little more is asked before it is taken for a face."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.face_backend.second_look import is_face
from bitbox.face_backend.tracking import Crop, Detection
from bitbox.video import Picture


@pytest.mark.parametrize(
    ("side", "score", "taken"), [(40, 0.64, False), (40, 0.68, True), (90, 0.62, True)]
)
def test_small_faces_have_to_look_more_like_one(side: float, score: float, taken: bool) -> None:
    def find(view: Picture) -> list[Detection]:
        sizes = view.width / 1.5, view.width / 1.35 / 1.5
        middle = np.full(2, view.width / 2)
        return [Detection(middle, size, 0.0, np.zeros(768), score) for size in sizes]

    picture = Picture.of(np.zeros((120, 160, 3), dtype=np.uint8))
    assert is_face(find, picture, Crop(80, 60, side, 0.0)) == taken
