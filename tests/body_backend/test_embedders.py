"""Bodies and hands through newer MediaPipe: the same numbers as its own graphs give."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bitbox.body_backend.embedders as embedders
from bitbox.body_backend import BodyProcessor
from bitbox.body_backend.angles import ANGLE_NAMES
from bitbox.body_backend.embedders import HAND, JOINTS, PEOPLE, HandEmbedder, PoseEmbedder
from bitbox.body_backend.hand_graph import HandRuntime
from bitbox.body_backend.pose_graph import PoseRuntime, Square
from bitbox.errors import BackendError
from bitbox.measuring import models
from bitbox.video import Picture
from tests.body_models import make_installed, require_models

pytestmark = pytest.mark.video


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_installed(tmp_path_factory.mktemp("models") / "body.task")


@pytest.fixture(scope="module")
def pose(bundle: Path) -> Iterator[PoseEmbedder]:
    with PoseEmbedder(bundle) as ready:
        yield ready


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    from skimage.data import astronaut

    from bitbox.synthetic.body import draw_body

    drawn = draw_body({"left_shoulder_elevation": 70.0}, (320, 400), place=(0.4, 0.52))
    return [Picture.of(np.ascontiguousarray(astronaut())), Picture.of(np.asarray(drawn))]


@pytest.fixture(autouse=True)
def _models() -> None:
    require_models()


needs_graphs = pytest.mark.skipif(
    not models.brings_models(), reason="this MediaPipe has no graphs to compare with"
)


@needs_graphs
@pytest.mark.parametrize("which", [0, 1])
def test_equals_the_graphs(pose: PoseEmbedder, pictures: list[Picture], which: int) -> None:
    picture = pictures[which]
    with PoseRuntime() as graphs:
        mine, others = pose.find(picture, None), graphs.find(picture, None)
        assert len(mine) == len(others) == 1
        square = others[0].square
        np.testing.assert_allclose(mine[0].centre, others[0].centre, atol=0.05)
        assert mine[0].size == pytest.approx(others[0].size, rel=1e-3)
        assert mine[0].score == pytest.approx(others[0].score, abs=1e-3)
        for turn in (0.0, 0.5):
            turned = Square(square.x, square.y, square.side, square.angle + turn)
            joints, around, presence = pose.joints(picture, turned)
            expected, also, sure = graphs.joints(picture, turned)
            np.testing.assert_allclose(joints, expected, atol=2e-6 * square.side)
            assert around.x == pytest.approx(also.x, abs=1e-3)
            assert around.side == pytest.approx(also.side, rel=1e-5)
            assert presence == pytest.approx(sure, abs=1e-5)


@needs_graphs
def test_somebody_in_a_part_of_the_picture(pose: PoseEmbedder, pictures: list[Picture]) -> None:
    region = (40.0, 0.0, 240.0, 400.0)
    with PoseRuntime() as graphs:
        (mine,), (other,) = (r.find(pictures[1], region) for r in (pose, graphs))
    np.testing.assert_allclose(mine.centre, other.centre, atol=0.1)


@needs_graphs
def test_hands_equal_the_graph(bundle: Path, pictures: list[Picture]) -> None:
    with HandEmbedder(bundle) as mine, HandRuntime() as graph:
        for square in (Square(180, 400, 200, 0.2), Square(60, 60, 90, -1.0)):
            hand, expected = (r.look(pictures[0], square) for r in (mine, graph))
            np.testing.assert_allclose(hand.places, expected.places, atol=1e-3)
            np.testing.assert_allclose(hand.points, expected.points, atol=1e-6)
            assert hand.presence == pytest.approx(expected.presence, abs=1e-6)


def test_nobody(pose: PoseEmbedder) -> None:
    assert pose.find(Picture.of(np.full((200, 300, 3), 90, np.uint8)), None) == []


def test_a_joint_stays_where_its_map_is_not_sure() -> None:
    maps = np.full((64, 64, 3), -9.0)
    maps[10, 20, 0] = 9.0  # surely at row 10, column 20
    maps[10, 20, 1] = -0.5
    places = np.array([(18.0, 11.0), (18.0, 11.0), (-4.0, 70.0)]) / 64
    moved = embedders._centred(places, maps)
    np.testing.assert_allclose(moved[0] * 64, (20, 10), atol=0.15)
    np.testing.assert_array_equal(moved[1:], places[1:])


def test_a_bundle_with_something_else_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.task", "w") as made:
        for name in (PEOPLE, JOINTS, HAND):
            made.writestr(name, b"no model")
    for runtime in (PoseEmbedder, HandEmbedder):
        with pytest.raises(BackendError, match=r"a\.task cannot be used by MediaPipe"):
            runtime(tmp_path / "a.task")


def test_the_pinned_checksum_is_that_of_the_models(bundle: Path) -> None:
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() == models.BODY.sha256


def measured(video: Path, folder: Path) -> tuple[np.ndarray, str]:
    processor = BodyProcessor()
    processor.io(video, folder)
    angles = processor.fit()[1]
    return angles.values, angles.provenance["source"]["runtime"]


def test_a_video_where_mediapipe_brings_no_models(
    waving: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = measured(waving, tmp_path / "graphs")[0] if models.brings_models() else None
    monkeypatch.setenv(models.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(embedders, "brings_models", lambda: False)
    with pytest.raises(BackendError, match="bitbox models install"):
        measured(waving, tmp_path / "none")
    models.model_folder().mkdir()
    shutil.copy(bundle, models.BODY.path)
    after, name = measured(waving, tmp_path / "bundle")
    assert "pose, complexity 1, of 0.10.21" in name
    assert np.isfinite(after).mean() > 0.5
    if before is not None:
        # each frame's square comes from the joints before: they differ as two encodings would
        both = np.isfinite(before) & np.isfinite(after)
        assert both.sum() > 0.98 * np.isfinite(before).sum()
        assert np.median(np.abs(before - after)[both]) < np.radians(1)
        arm = ANGLE_NAMES.index("left_shoulder_elevation")
        assert np.corrcoef(before[:, arm], after[:, arm])[0, 1] > 0.999
