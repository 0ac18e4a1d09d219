"""The built-in models through newer MediaPipe: the same numbers as the built-in runtime."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitbox.measuring.models as models_module
from bitbox.errors import BackendError
from bitbox.face_backend import FaceProcessor
from bitbox.face_backend.embedders import FAR, EmbedderRuntime
from bitbox.face_backend.tracking import Crop
from bitbox.measuring.embedder import _merged, _overlap
from bitbox.video import Picture
from tests.face_backend.landmarker_bundle import make_installed, models_are_there, wheel_folder

pytestmark = [
    pytest.mark.video,
    pytest.mark.skipif(not models_are_there(), reason="no models: run bitbox models install"),
]
beside_the_built_in = pytest.mark.skipif(
    wheel_folder() is None, reason="this MediaPipe has no built-in runtime to compare with"
)


def photograph(top: int, left: int, height: int, width: int) -> Picture:
    from skimage.data import astronaut

    return Picture.of(np.ascontiguousarray(astronaut()[top : top + height, left : left + width]))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_installed(tmp_path_factory.mktemp("model") / "face.task")


@pytest.fixture(scope="module")
def runtime(bundle: Path) -> Any:
    with EmbedderRuntime(bundle) as ready:
        yield ready


@pytest.fixture(scope="module")
def built_in() -> Any:
    from bitbox.face_backend.graphs import GraphRuntime

    with GraphRuntime() as ready:
        yield ready


@beside_the_built_in
@pytest.mark.parametrize("part", [(0, 60, 300, 400), (0, 0, 512, 512), (0, 130, 400, 300)])
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_equals_the_built_in_runtime(
    runtime: EmbedderRuntime, built_in: Any, part: Any, turn: float
) -> None:
    picture = photograph(*part)
    (mine,), (other,) = runtime.find(picture), built_in.find(picture)
    np.testing.assert_allclose(mine.centre, other.centre, atol=0.01)
    assert mine.size == pytest.approx(other.size, abs=0.01)
    assert mine.angle == pytest.approx(other.angle, abs=1e-4)
    np.testing.assert_allclose(mine.look, other.look, atol=0.1)
    crop = Crop(*map(float, other.centre), 1.5 * other.size, other.angle + turn)
    (mesh, presence), (expected, sure) = runtime.mesh(picture, crop), built_in.mesh(picture, crop)
    np.testing.assert_allclose(mesh, expected, atol=1e-3)  # pixels: eyes, lips, irises, depth
    assert presence == pytest.approx(sure, abs=1e-5)


@beside_the_built_in
def test_presence_tells_where_there_is_no_face(runtime: EmbedderRuntime, built_in: Any) -> None:
    picture = photograph(250, 0, 200, 200)
    mesh, presence = runtime.mesh(picture, Crop(100, 100, 150, 0.0))
    expected, sure = built_in.mesh(picture, Crop(100, 100, 150, 0.0))
    assert presence == pytest.approx(sure, abs=1e-4)
    assert presence < 0.5
    np.testing.assert_allclose(mesh, expected, atol=1e-2)


def test_finds_two_faces_and_small_ones(runtime: EmbedderRuntime) -> None:
    from PIL import Image

    face = photograph(0, 60, 300, 400).image
    pair = Picture.of(np.concatenate([face, face[:, ::-1]], axis=1))
    assert len(runtime.find(pair)) == 2
    scene = Image.new("RGB", (1800, 1200), (90, 90, 90))
    scene.paste(Image.fromarray(face).resize((400, 300)), (1100, 600))
    far = runtime.find(Picture.of(np.array(scene)), closely=True)
    assert len(far) == 1
    assert 1100 < far[0].centre[0] < 1500


def test_no_face(runtime: EmbedderRuntime) -> None:
    assert runtime.find(Picture.of(np.full((200, 300, 3), 90, np.uint8)), closely=True) == []


def test_boxes_of_one_face_become_one() -> None:
    box = np.zeros((8, 2))
    box[0], box[1] = (50, 50), (20, 20)
    near, other = box + 0, box + 0
    near[0] += 4
    other[0] += 100
    np.testing.assert_allclose(_overlap(box, np.array([box, near, other])), [1, 256 / 544, 0])
    (first, sure), (second, less) = _merged(np.array([box, near, other]), np.array([0.6, 0.9, 0.8]))
    np.testing.assert_allclose(first[0], (0.6 * box[0] + 0.9 * near[0]) / 1.5)
    np.testing.assert_allclose(second, other)
    assert (sure, less) == (0.9, 0.8)


def test_a_bundle_with_something_else_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.task", "w") as bundle:
        bundle.writestr(FAR, b"no model")
    with pytest.raises(BackendError, match=r"a\.task cannot be used by MediaPipe"):
        EmbedderRuntime(tmp_path / "a.task")


class TestProcessor:
    """The whole way from a video to signals, where MediaPipe brings no models."""

    def run(self, video: Path, folder: Path) -> Any:
        processor = FaceProcessor()
        processor.io(video, folder)
        return processor.run_all(normalize=False)

    def test_the_installed_bundle_is_found_and_used(
        self, video: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = self.run(video, tmp_path) if wheel_folder() is not None else None
        monkeypatch.setenv(models_module.CACHE_VARIABLE, str(tmp_path))
        monkeypatch.setattr(models_module, "brings_models", lambda: False)
        with pytest.raises(BackendError, match="bitbox models install"):
            self.run(video, tmp_path)
        models_module.model_folder().mkdir()
        shutil.copy(bundle, models_module.FACE.path)
        found = self.run(video, tmp_path)
        assert "with the face models of 0.10.21" in found[5].provenance["source"]["runtime"]
        assert found[5].schema == "openbitbox-local-32-skin"
        assert np.isfinite(found[5].values).all()
        if before is None:
            return
        assert [mine.schema for mine in found] == [other.schema for other in before]
        # Nearly the same crop gives the mesh nearly the same place, and the texture fit, which has
        # little to go by in half a second, makes some more of it.
        rect, land, pose = (np.abs(found[k].values - before[k].values) for k in (0, 1, 3))
        assert rect.max() < 2
        assert np.median(land) < 0.2
        assert pose[:, 3:].max() < np.radians(1)
