"""The Tasks FaceLandmarker through MediaPipe's real interface, on a model made of its own parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitbox.measuring.models as models_module
from bitbox.errors import BackendError, SchemaError
from bitbox.face_backend import FaceProcessor
from bitbox.face_backend.mediapipe import open_runtime
from bitbox.face_backend.tasks import TasksRuntime, _cut_out
from bitbox.face_backend.tracking import Crop
from bitbox.provenance import hash_file
from bitbox.social import imitation
from bitbox.video import Picture
from tests.face_backend.landmarker_bundle import (
    make_bundle,
    make_installed,
    models_are_there,
    wheel_folder,
)

pytestmark = [
    pytest.mark.video,
    pytest.mark.skipif(not models_are_there(), reason="no models: run bitbox models install"),
]
#: Vertices that the refinement of eyes and lips leaves alone: oval, nose, cheeks.
PLAIN = [10, 152, 234, 454, 1, 4, 5, 195, 168, 50, 280, 205, 425, 103, 332]


def portrait() -> Any:
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[0:300, 60:460])


def rotated(image: Any, degrees: float) -> Any:
    from PIL import Image

    return np.ascontiguousarray(Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("model") / "face_landmarker.task")


@pytest.fixture(scope="module")
def own_models(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The argument that makes the runtime that this MediaPipe offers by itself."""
    if wheel_folder() is not None:
        return None
    return make_installed(tmp_path_factory.mktemp("model") / "face.task")


@pytest.fixture(scope="module")
def tasks(bundle: Path) -> Any:
    with TasksRuntime(bundle) as runtime:
        yield runtime


def test_finds_the_face_where_the_built_in_runtime_does(
    tasks: TasksRuntime, own_models: Path | None
) -> None:
    image = portrait()
    with open_runtime(own_models) as built_in:
        (other,) = built_in.find(Picture.of(image))
    (found,) = tasks.find(Picture.of(image))
    assert np.linalg.norm(found.centre - other.centre) < 0.2 * other.size
    assert 0.7 < found.size / other.size < 1.5
    assert abs(found.angle - other.angle) < 0.1


@pytest.mark.parametrize("degrees", [0, 20])
def test_mesh_agrees_with_the_built_in_runtime(
    tasks: TasksRuntime, own_models: Path | None, degrees: float
) -> None:
    image = rotated(portrait(), degrees)
    with open_runtime(own_models) as built_in:
        (face,) = built_in.find(Picture.of(image))
        crop = Crop(*map(float, face.centre), 1.5 * face.size, face.angle)
        expected, _ = built_in.mesh(Picture.of(image), crop)
    mesh, confidence = tasks.mesh(Picture.of(image), crop)
    assert confidence == 1.0
    assert mesh.shape == (478, 3)
    away = np.linalg.norm(mesh[PLAIN, :2] - expected[PLAIN, :2], axis=1)
    eyes = np.linalg.norm(expected[33, :2] - expected[263, :2])
    assert away.mean() < 0.04 * eyes
    depth = np.corrcoef(mesh[:468, 2], expected[:468, 2])[0, 1]
    assert depth > 0.95
    assert 0.8 < np.ptp(mesh[:468, 2]) / np.ptp(expected[:468, 2]) < 1.25


def test_the_face_in_the_crop_is_measured_not_another(tasks: TasksRuntime) -> None:
    pair = np.concatenate([portrait(), portrait()[:, ::-1]], axis=1)
    faces = sorted(tasks.find(Picture.of(pair)), key=lambda face: float(face.centre[0]))
    assert len(faces) == 2
    for face in faces:
        mesh, _ = tasks.mesh(Picture.of(pair), Crop(*map(float, face.centre), 1.5 * face.size, 0.0))
        assert np.linalg.norm(mesh[:468, :2].mean(axis=0) - face.centre) < 0.3 * face.size


def test_a_small_face_is_found_by_looking_closely(tasks: TasksRuntime) -> None:
    from PIL import Image

    scene = Image.new("RGB", (1800, 1200), (90, 90, 90))
    scene.paste(Image.fromarray(portrait()).resize((600, 450)), (1100, 600))
    image = np.array(scene)
    assert tasks.find(Picture.of(image)) == []
    (face,) = tasks.find(Picture.of(image), closely=True)
    assert 1100 < face.centre[0] < 1700
    assert 600 < face.centre[1] < 1050


def test_no_face(tasks: TasksRuntime) -> None:
    blank = np.full((200, 200, 3), 90, np.uint8)
    assert tasks.find(Picture.of(blank)) == []
    mesh, confidence = tasks.mesh(Picture.of(blank), Crop(100, 100, 90, 0.0))
    assert np.isnan(mesh).all()
    assert confidence == 0


def test_the_name_tells_version_and_model(tasks: TasksRuntime, bundle: Path) -> None:
    assert tasks.name.startswith("mediapipe ")
    assert "FaceLandmarker" in tasks.name
    assert hash_file(bundle) in tasks.name


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "a.task").write_bytes(b"no model at all")
    with pytest.raises(BackendError, match=r"a\.task cannot be used"):
        TasksRuntime(tmp_path / "a.task")


@pytest.mark.parametrize(("x", "y"), [(50, 40), (0, 0), (99, 79), (-30, 200)])
def test_cut_out_is_square_and_black_outside(x: float, y: float) -> None:
    image = np.random.default_rng(0).integers(1, 255, size=(80, 100, 3), dtype=np.uint8)
    part, corner = _cut_out(image, x, y, 20)
    assert part.shape == (40, 40, 3)
    for row in range(0, 40, 7):
        for column in range(0, 40, 7):
            u, v = column + int(corner[0]), row + int(corner[1])
            inside = 0 <= u < 100 and 0 <= v < 80
            expected = image[v, u] if inside else (0, 0, 0)
            np.testing.assert_array_equal(part[row, column], expected)


class TestProcessor:
    """The whole way from a video to signals, with a model file."""

    def run(self, video: Path, folder: Path, **options: Any) -> Any:
        processor = FaceProcessor(**options)
        processor.io(video, folder)
        return processor.run_all(normalize=False)

    def test_by_path(
        self, video: Path, bundle: Path, own_models: Path | None, tmp_path: Path
    ) -> None:
        built_in = self.run(video, tmp_path, model=own_models)
        tasks = self.run(video, tmp_path, model=bundle)
        again = self.run(video, tmp_path, model=bundle)
        assert "FaceLandmarker" in tasks[0].provenance["source"]["runtime"]
        assert hash_file(bundle) in tasks[0].provenance["source"]["runtime"]
        assert "FaceLandmarker" not in built_in[0].provenance["source"]["runtime"]
        assert again == tasks
        with pytest.raises(SchemaError, match="landmarker"):  # another mesh, other units
            imitation(tasks[5], built_in[5], width=0.2)
        codes = {finding["code"] for finding in tasks[5].provenance["findings"]}
        assert (tasks[5].reliability, "reliability-unknown" in codes) == ({}, True)
        assert len(built_in[5].reliability) == 32
        assert "reliability-unknown" not in str(built_in[5].provenance["findings"])
        assert np.isfinite(tasks[5].values).all()
        # the same face in the same place, by two different ways
        assert np.abs(tasks[0].values - built_in[0].values).max() < 8
        assert np.abs(tasks[3].values - built_in[3].values)[:, 3:].max() < np.radians(6)

    def test_by_environment_variable(
        self, video: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BITBOX_FACE_LANDMARKER", str(bundle))
        rect = self.run(video, tmp_path)[0]
        assert "FaceLandmarker" in rect.provenance["source"]["runtime"]

    def test_named_but_missing(self, video: Path, tmp_path: Path) -> None:
        with pytest.raises(BackendError, match="no model file"):
            self.run(video, tmp_path, model=tmp_path / "none.task")

    def test_needed_and_nowhere(
        self, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BITBOX_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(models_module, "brings_models", lambda: False)
        with pytest.raises(BackendError, match="bitbox models install"):
            self.run(video, tmp_path)
