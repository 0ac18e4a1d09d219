"""Video calls, cut films and titles: the right face is measured, or it is missing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.errors import VideoError
from bitbox.face_backend.follower import MOST_MISSHAPEN
from bitbox.face_backend.geometry import misshapen, reference_face, rotation_matrix
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.video import write_video
from tests.face_backend.test_mediapipe import HEIGHT, WIDTH, background, codes, middle, paste

pytestmark = pytest.mark.video

LEFT, RIGHT = 160, 480  # where the tiles of a call have their middle
Image = NDArray[np.uint8]


def call(heads, left: bool, right: bool) -> Image:
    """A picture of two tiles; one with nobody in it is dark."""
    image = background()
    for there, head, x in zip((left, right), heads, (LEFT, RIGHT), strict=True):
        if there:
            paste(image, head, x)
        else:
            image[:, x - WIDTH // 4 : x + WIDTH // 4] = 5
    return image.clip(0, 255).astype(np.uint8)


def title(text: str, font: int) -> Image:
    """Lettering that the models take for a face."""
    import cv2

    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.putText(image, text, (40, 260), font, 2, (255, 255, 255), 4, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5))


def found(track: MeshTrack) -> str:
    """Who was measured in each frame: L, R, or . for nobody."""
    x = middle(track)
    return "".join("." if np.isnan(v) else "L" if v < WIDTH / 2 else "R" for v in x)


def said(track: MeshTrack, code: str) -> str:
    (finding,) = [finding for finding in track.findings if finding.code == code]
    return finding.message


@pytest.fixture(scope="module")
def dark_tile(heads, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The left tile of a call is dark for 1.7 s."""
    frames = [call(heads, number < 20 or number >= 71, True) for number in range(95)]
    return write_video(tmp_path_factory.mktemp("call") / "dark.mp4", frames, 30)


def test_a_tile_that_goes_dark_is_missing(dark_tile: Path) -> None:
    track = track_mesh(dark_tile, face="left")
    assert found(track) == "L" * 20 + "." * 51 + "L" * 24
    assert (track.confidence[20:71] == 0).all()
    assert "In 51 frames, first at 0.67 s" in said(track, "only-others")
    assert "mostly at 2" in said(track, "several-faces")


def test_the_other_tile_is_kept_to(dark_tile: Path) -> None:
    track = track_mesh(dark_tile, face="right")
    assert found(track) == "R" * 95
    assert "only-others" not in codes(track)


@pytest.mark.parametrize(("face", "who"), [("right", "R"), ("left", "L")])
def test_a_tile_that_is_empty_at_first(heads, tmp_path: Path, face: str, who: str) -> None:
    late = [call(heads, *((True, n >= 60) if who == "R" else (n >= 60, True))) for n in range(95)]
    track = track_mesh(write_video(tmp_path / "late.mp4", late, 30), face=face)
    assert found(track) == "." * 60 + who * 35
    assert "Until 2.00 s" in said(track, "chosen-later")


def test_the_next_one_who_stays_is_measured_from_the_first_frame_on(heads, tmp_path: Path) -> None:
    """Somebody is seen first; without a cut that would be seen, a singer fills the picture."""
    ann, bob = heads
    images = []
    for number in range(125):
        image = background()
        paste(image, *((bob, 120, 0.6) if number < 35 else (ann, 440, 1.0)))
        images.append(image.clip(0, 255).astype(np.uint8))
    calls = []
    path = write_video(tmp_path / "singer.mp4", images, 30)
    track = track_mesh(path, progress=lambda *call: calls.append(call))
    assert found(track) == "L" * 35 + "R" * 90
    assert "from 1.17 s on" in said(track, "another-person")
    assert "once more" in calls[-1][0]
    again = track_mesh(path)
    np.testing.assert_array_equal(track.mesh, again.mesh)


@pytest.mark.parametrize(
    ("text", "font"),
    [("Bob & Ann", 6), ("Bob & Ann", 3), ("CHAPTER 8", 1)],
)
def test_lettering_is_no_face(heads, tmp_path: Path, text: str, font: int) -> None:
    frames = [title(text, font)] * 10 + [call(heads, False, True)] * 20
    track = track_mesh(write_video(tmp_path / "title.mp4", frames, 30))
    assert found(track) == "." * 10 + "R" * 20
    with pytest.raises(VideoError, match="No face is seen"):
        track_mesh(write_video(tmp_path / "only.mp4", frames[:10], 30))


def test_a_swinging_camera_is_no_cut(heads, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    wall = np.kron(rng.integers(0, 255, (5, 24, 3)), np.ones((80, 80, 1)))[:HEIGHT]
    lefts = np.round(600 + 450 * np.sin(2 * np.pi * 0.7 * np.arange(60) / 30)).astype(int)
    images = []
    for left in lefts.tolist():
        image = wall[:, left : left + WIDTH].copy()
        paste(image, heads[0], 900 - left)
        images.append(image.clip(0, 255).astype(np.uint8))
    changes = [np.abs(b.astype(float) - a).mean() for a, b in pairwise(images)]
    assert sum(change > 28 for change in changes) > 20
    track = track_mesh(write_video(tmp_path / "swing.mp4", images, 30))
    assert "cuts" not in codes(track)
    seen = np.isfinite(middle(track))
    inside = np.abs(900 - lefts - WIDTH / 2) < WIDTH / 2 - 110
    assert seen[inside].mean() > 0.9
    np.testing.assert_allclose(middle(track)[seen & inside], (900 - lefts)[seen & inside], atol=30)


def test_no_real_face_is_misshapen() -> None:
    """Faces turned and moved by what real and rendered faces do at most, and what is none."""
    face = reference_face()
    rng = np.random.default_rng(0)
    turned = face @ rotation_matrix([0.5, 0.7, 0.6]).T
    large = turned + rng.normal(0, 0.06 * 90, face.shape)  # all over the face, not only the mouth
    shuffled = face[rng.permutation(len(face))]
    flat = face * [1, 0.3, 1]
    away = misshapen(np.stack([3 * turned + 200, large, shuffled, flat]))
    assert away[0] < 1e-6
    assert 0.09 < away[1] < MOST_MISSHAPEN < away[2:].min()
