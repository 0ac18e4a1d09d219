"""Two people in one video are tracked together, just as each would be alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import VideoError
from bitbox.face_backend import FaceProcessor
from bitbox.face_backend.graphs import GraphRuntime
from bitbox.face_backend.mediapipe import track_faces, track_mesh
from bitbox.video import write_video
from bitbox.video.frames import FrameReader
from tests.face_backend.test_mediapipe import background, middle, paste

pytestmark = pytest.mark.video


def film(path: Path, heads, where) -> Path:
    """Both heads at places, and sizes, that `where` gives for each frame."""
    images = []
    for number in range(60):
        image = background()
        for head, (x, size) in zip(
            (*heads, heads[0] * [0.8, 1.0, 0.9]), where(number), strict=False
        ):
            paste(image, head, round(x), size)
        images.append(image.clip(0, 255).astype(np.uint8))
    return write_video(path, images, 30)


SCENES = {
    "side by side": lambda n: ((160, 0.9), (470 + n / 4, 0.9)),
    "on the lap": lambda n: ((250, 1.0), (430 - n / 10, 0.6)),
    "they swap places": lambda n: ((150 + 5.5 * n, 0.5), (480 - 5.5 * n, 1.0)),
    "a third who passes": lambda n: ((120, 0.8), (330, 0.8), (620 - 2 * n, 0.45)),
}


@pytest.mark.parametrize("scene", SCENES)
def test_each_is_tracked_as_alone(scene: str, heads, tmp_path: Path) -> None:
    path = film(tmp_path / "two.mp4", heads, SCENES[scene])
    both = track_faces(path, [0, 1])
    for number, track in enumerate(both):
        alone = track_mesh(path, face=number)
        np.testing.assert_array_equal(track.mesh, alone.mesh)
        np.testing.assert_array_equal(track.confidence, alone.confidence)
        assert track.findings == alone.findings
    seen = [np.isfinite(middle(track)) for track in both]
    assert (seen[0].mean(), seen[1].mean()) > (0.5, 0.5)
    together = seen[0] & seen[1]
    assert (np.abs(middle(both[0]) - middle(both[1]))[together] > 20).mean() > 0.9


def test_the_video_is_gone_through_once(heads, tmp_path: Path, monkeypatch) -> None:
    path = film(tmp_path / "two.mp4", heads, SCENES["side by side"])
    opened, looked = [], []
    read, find = FrameReader.__init__, GraphRuntime.find

    def opening(self, *given, **named) -> None:
        opened.append(given)
        read(self, *given, **named)

    def looking(self, picture, **named):
        looked.append(picture)
        return find(self, picture, **named)

    monkeypatch.setattr(FrameReader, "__init__", opening)
    monkeypatch.setattr(GraphRuntime, "find", looking)
    track_mesh(path, face="left")
    alone = len(looked)
    opened.clear()
    looked.clear()
    track_faces(path, ["left", "right"])
    assert len(opened) == 1
    assert len(looked) <= alone + 1


def test_processors_share_the_work(heads, tmp_path: Path, monkeypatch) -> None:
    path = film(tmp_path / "two.mp4", heads, SCENES["side by side"])

    def pair(folder: Path) -> list[FaceProcessor]:
        processors = [FaceProcessor(face=side) for side in ("left", "right")]
        for processor in processors:
            processor.io(path, folder)
        return processors

    left, right = pair(tmp_path / "a")
    left.track_beside(right, ["pose"])
    both = [processor.fit(normalize=False)[1] for processor in (left, right)]
    separate = [processor.fit(normalize=False)[1] for processor in pair(tmp_path / "b")]
    for one, other in zip(both, separate, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    # all of it is stored: nothing is tracked again
    monkeypatch.setattr("bitbox.face_backend.mediapipe.read_frames", None)
    left, right = pair(tmp_path / "a")
    left.track_beside(right, ["landmark"])
    assert left.detect_landmarks() != right.detect_landmarks()


def test_a_face_that_is_not_there(heads, tmp_path: Path) -> None:
    path = film(tmp_path / "one.mp4", heads[:1], lambda n: ((300 + n, 1.0),))
    with pytest.raises(VideoError):
        track_faces(path, [0, 1])
