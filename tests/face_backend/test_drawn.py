"""Drawn faces: said to be drawn, and passed over where somebody real is there as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.face_backend.face_chart import chart
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.face_backend.painted import Paint
from bitbox.video import write_video
from tests.face_backend.test_mediapipe import background, codes, middle, paste

pytestmark = pytest.mark.video
Image = NDArray[np.uint8]


def cartoon(image: NDArray[np.float64], x: int, number: int) -> None:
    """Draw a face of 150 by 200 pixels that talks."""
    import cv2

    def ellipse(at: tuple[int, int], size: tuple[int, int], colour: tuple[int, int, int]) -> None:
        cv2.ellipse(image, (x + at[0], 180 + at[1]), size, 0, 0, 360, colour, -1, cv2.LINE_AA)

    ellipse((0, 0), (78, 104), (90, 60, 40))
    ellipse((0, 8), (70, 92), (225, 175, 140))
    for side in (-1, 1):
        ellipse((30 * side, -12), (13, 8), (255, 255, 255))
        ellipse((30 * side, -12), (6, 6), (40, 30, 30))
        ellipse((30 * side, -32), (15, 3), (60, 40, 30))
    ellipse((0, 15), (6, 9), (205, 150, 120))
    ellipse((0, 50), (24, 6 + number % 5), (190, 70, 70))


def film(path: Path, people: list[tuple[object, int]], frames: int = 40) -> Path:
    images = []
    for number in range(frames):
        image = background()
        for head, x in people:
            cartoon(image, x, number) if head is None else paste(image, head, x, 0.8)
        images.append(image.clip(0, 255).astype(np.uint8))
    return write_video(path, images, 30)


def test_a_drawn_face_is_said_to_be_drawn(tmp_path: Path) -> None:
    track = track_mesh(film(tmp_path / "drawn.mp4", [(None, 320)]))
    (said,) = [finding for finding in track.findings if finding.code == "drawn"]
    assert said.severity == "warning"
    assert "followed from 0.00 to 1.30 s looks drawn" in said.message
    assert np.isfinite(track.mesh).all()


@pytest.mark.parametrize(
    ("face", "x", "passed"), [("largest", 480, True), ("left", 160, False), ("right", 480, None)]
)
def test_a_drawn_face_is_passed_over_for_a_real_one(
    heads, tmp_path: Path, face: str, x: int, passed: bool | None
) -> None:
    """Where the largest is meant; who asks for the left one gets it, and is told."""
    people = [(None, 160), (heads[0], 480)]
    track = track_mesh(film(tmp_path / "both.mp4", people), face=face)
    np.testing.assert_allclose(middle(track), x, atol=30)
    said = [finding.message for finding in track.findings if finding.code == "drawn"]
    assert ["passed over" in message for message in said] == ([] if passed is None else [passed])


def test_no_real_face_is_said_to_be_drawn(heads, tmp_path: Path) -> None:
    assert "drawn" not in codes(track_mesh(film(tmp_path / "real.mp4", [(heads[0], 320)])))


def test_what_cannot_be_told_is_not_said() -> None:
    """Nothing is said of what is too small, too bright, or seen too darkly."""
    chart_size = int(chart().inside.sum())
    even = np.full(chart_size, 180, dtype=np.uint8)
    even[: chart_size // 10] = 60
    told = {}
    for name, texture, eyes in (
        ("drawn", even, 50.0),
        ("small", even, 15.0),
        ("bright", np.where(even > 100, 245, 100).astype(np.uint8), 50.0),
        ("dark", even // 8, 50.0),
    ):
        paint = Paint()
        for _ in range(20):
            paint.add(texture, eyes)
        told[name] = paint.is_painted()
    assert told == {"drawn": True, "small": None, "bright": False, "dark": False}
