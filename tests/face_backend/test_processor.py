"""The face processor on a real face in a real (short) video."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitbox.face_backend.mediapipe as tracker_module
from bitbox.errors import InputError, OutputError, ParameterError, VideoError
from bitbox.face_backend import FaceProcessor, RuntimeFallbackWarning
from bitbox.face_backend.builtin import code_fingerprint
from bitbox.provenance import hash_file
from bitbox.signals import Signals
from bitbox.video import write_video

N_FRAMES = 16
FPS = 25.0
KINDS = ["rectangle", "landmark", "expression", "pose", "landmark-can", "expression"]
UNITS_WIDTH = [4, 102, 79, 6, 153, 32]


def portrait(shift: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[0:240, 100 + shift : 420 + shift])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = [portrait(round(12 * np.sin(i / 3))) for i in range(N_FRAMES)]
    path = tmp_path_factory.mktemp("video") / "participant.mp4"
    return write_video(path, images, FPS, start=0.5)


@pytest.fixture(scope="module")
def results(video: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The folder and the objects of one complete run."""
    folder = tmp_path_factory.mktemp("output")
    processor = FaceProcessor()
    processor.io(input_file=video, output_dir=folder)
    return folder, processor.run_all(normalize=True)


@pytest.fixture
def count_tracking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the videos that are tracked anew, by the real tracker."""
    tracked: list[str] = []
    real = tracker_module.track_mesh

    def noting(path: Any, **options: Any) -> Any:
        tracked.append(Path(path).name)
        return real(path, **options)

    monkeypatch.setattr(tracker_module, "track_mesh", noting)
    return tracked


pytestmark = pytest.mark.video


class TestOutputs:
    def test_run_all_returns_six_signals_in_the_documented_order(self, results: Any) -> None:
        signals = results[1]
        assert [s.kind for s in signals] == KINDS
        assert [len(s.names) for s in signals] == UNITS_WIDTH
        assert [s["type"] for s in signals] == KINDS

    def test_names_schemas_and_units(self, results: Any) -> None:
        rect, land, exp_glob, pose, land_can, exp_loc = results[1]
        assert rect.names == ("x", "y", "w", "h")
        assert land.names[:3] == ("x0", "y0", "x1")
        assert land_can.names[:4] == ("x0", "y0", "z0", "x1")
        assert pose.names == ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")
        assert exp_glob.names[0] == "GE0"
        assert exp_glob.names[-1] == "GE78"
        assert exp_loc.names[0].startswith("lb_")
        assert exp_glob.schema == "openbitbox-global-79-skin"
        assert exp_loc.schema == "openbitbox-local-32-skin"
        assert [rect.units, land.units, land_can.units] == ["px", "px", "mm"]

    def test_every_frame_has_a_row_at_its_true_time(self, results: Any) -> None:
        for signals in results[1]:
            np.testing.assert_allclose(signals.time, np.arange(N_FRAMES) / FPS, atol=1e-3)
            assert signals.confidence is not None
            assert (signals.confidence > 0.5).all()
            assert np.isfinite(signals.values).all()

    def test_the_face_is_where_it_is(self, results: Any) -> None:
        rect, land = results[1][:2]
        x, y, w, h = np.median(rect.values, axis=0)
        assert 60 < x < 130
        assert 40 < y < 100
        assert 60 < w < 130
        points = land.values[0].reshape(51, 2)
        x, y, w, h = rect.values[0]
        assert ((points >= [x - 1, y - 1]) & (points <= [x + w + 1, y + h + 1])).all()

    def test_provenance_tells_where_it_comes_from(self, video: Path, results: Any) -> None:
        for signals in results[1]:
            assert signals.backend == "openbitbox-mediapipe"
            source = signals.provenance["source"]
            assert source["file"] == "participant.mp4"
            assert source["sha256"] == hash_file(video)
            assert source["size"] == [320, 240]
            assert "mediapipe" in source["runtime"]
            assert signals.provenance["settings"]["face"] == "largest"
            assert signals.provenance["settings"]["code"] == code_fingerprint()
            assert "numpy" in signals.provenance["versions"]
            assert [f["code"] for f in signals.provenance["findings"]] == ["clock-start"]

    def test_normalize_takes_out_the_neutral_and_changes_only_expressions(
        self, video: Path, results: Any
    ) -> None:
        folder, normalized = results
        processor = FaceProcessor()
        processor.io(video, folder)
        raw = processor.run_all(normalize=False)
        for before, after in zip(raw, normalized, strict=True):
            if before.kind != "expression":
                assert before == after
                continue
            assert before.units == "mm"
            assert after.units == "noise SD"
            np.testing.assert_allclose(np.median(after.values, axis=0), 0, atol=1e-9)
            centred = before.values - np.median(before.values, axis=0)
            scale = np.std(centred, axis=0) / np.std(after.values, axis=0)
            np.testing.assert_allclose(centred, after.values * scale, atol=1e-9)


class TestSteps:
    def test_steps_agree_with_run_all(self, video: Path, results: Any) -> None:
        processor = FaceProcessor()
        processor.io(video)
        rect = processor.detect_faces()
        land = processor.detect_landmarks()
        exp_glob, pose, land_can = processor.fit(normalize=True)
        exp_loc = processor.localized_expressions(normalize=True)
        assert (rect, land, exp_glob, pose, land_can, exp_loc) == results[1]

    def test_any_order_and_one_tracking(self, video: Path, count_tracking: list[str]) -> None:
        processor = FaceProcessor()
        processor.io(video)
        processor.localized_expressions()
        processor.detect_faces()
        processor.fit(normalize=False)
        assert count_tracking == ["participant.mp4"]

    def test_they_agree_whatever_there_is_to_find(self, tmp_path: Path) -> None:
        # so short that the noise is unknown, and with a lost face
        images = [*[portrait(i) for i in range(5)], np.zeros((240, 320, 3), np.uint8)]
        video = write_video(tmp_path / "short.mp4", images, FPS)
        together, apart = FaceProcessor(), FaceProcessor()
        together.io(video)
        apart.io(video)
        exp_loc = apart.localized_expressions()
        exp_glob, pose, land_can = apart.fit()
        land, rect = apart.detect_landmarks(), apart.detect_faces()
        assert together.run_all() == (rect, land, exp_glob, pose, land_can, exp_loc)
        codes = [finding.code for finding in together.findings]
        assert "noise-unknown" in codes
        assert sorted(codes) == sorted(finding.code for finding in apart.findings)
        assert "noise-unknown" in str(exp_loc.provenance["findings"])
        assert "noise-unknown" not in str(rect.provenance["findings"])

    def test_before_io_is_an_error_that_names_io(self) -> None:
        with pytest.raises(ParameterError, match=r"processor\.io"):
            FaceProcessor().detect_faces()

    def test_progress_is_told(self, video: Path) -> None:
        told: list[tuple[str, int, int | None]] = []
        processor = FaceProcessor(progress=lambda *call: told.append(call))
        processor.io(video)
        processor.detect_faces()
        assert told[-1][1] == N_FRAMES
        assert "participant.mp4" in told[-1][0]


class TestReturnOutput:
    def test_file_gives_paths_of_equal_signals(self, video: Path, results: Any) -> None:
        folder, signals = results
        processor = FaceProcessor(return_output="file")
        processor.io(video, folder)
        paths = processor.run_all()
        assert all(path.parent == folder for path in paths)
        assert tuple(Signals.from_parquet(path) for path in paths) == signals
        assert processor.detect_faces() == paths[0]

    def test_none_only_writes(self, video: Path, tmp_path: Path) -> None:
        processor = FaceProcessor(return_output=None)
        processor.io(video, tmp_path)
        assert processor.detect_faces() is None
        assert processor.run_all() is None
        assert {e.what for e in processor.cache.entries()} == {
            *("mesh", "track", "rectangle", "landmark", "pose", "landmark-can"),
            *("expression-global", "expression-local"),
        }

    @pytest.mark.parametrize("how", ["file", None])
    def test_files_need_a_folder(self, video: Path, how: Any) -> None:
        with pytest.raises(ParameterError, match="output_dir"):
            FaceProcessor(return_output=how).io(video)

    def test_nonsense_is_refused(self) -> None:
        with pytest.raises(ParameterError, match="return_output"):
            FaceProcessor(return_output="frame")  # type: ignore[arg-type]

    def test_a_cleared_file_is_made_again(self, video: Path, tmp_path: Path, results: Any) -> None:
        shutil.copytree(results[0], tmp_path / "o")
        processor = FaceProcessor(return_output="file")
        processor.io(video, tmp_path / "o")
        first = processor.detect_faces()
        processor.cache.clear()
        assert not first.exists()
        assert processor.detect_faces().exists()


class TestCache:
    def test_a_second_run_reads_and_does_not_track(
        self, video: Path, results: Any, count_tracking: list[str]
    ) -> None:
        processor = FaceProcessor()
        processor.io(video, results[0])
        assert processor.run_all() == results[1]
        assert count_tracking == []

    def test_another_setting_of_the_analysis_keeps_the_tracking(
        self, video: Path, results: Any, count_tracking: list[str]
    ) -> None:
        processor = FaceProcessor(vertical_fov=40)
        processor.io(video, results[0])
        pose = processor.run_all()[3]
        assert count_tracking == []
        assert np.median(pose.values[:, 2]) > np.median(results[1][3].values[:, 2])

    def test_another_face_choice_tracks_again(
        self, video: Path, results: Any, count_tracking: list[str]
    ) -> None:
        processor = FaceProcessor(face="left")
        processor.io(video, results[0])
        processor.detect_faces()
        assert count_tracking == ["participant.mp4"]

    def test_a_renamed_video_is_recognised_and_bears_its_new_name(
        self, video: Path, results: Any, tmp_path: Path, count_tracking: list[str]
    ) -> None:
        renamed = shutil.copy(video, tmp_path / "model.mp4")
        processor = FaceProcessor()
        processor.io(renamed, results[0])
        rect = processor.detect_faces()
        assert count_tracking == []
        assert rect.provenance["source"]["file"] == "model.mp4"
        np.testing.assert_array_equal(rect.values, results[1][0].values)

    def test_changed_content_under_the_same_name_is_tracked(
        self, video: Path, results: Any, tmp_path: Path, count_tracking: list[str]
    ) -> None:
        other = tmp_path / video.name
        write_video(other, [portrait(0)] * 4, FPS)
        processor = FaceProcessor()
        processor.io(other, results[0])
        assert processor.detect_faces().n_frames == 4
        assert count_tracking == [video.name]

    def test_retention_as_documented(self, video: Path, tmp_path: Path) -> None:
        processor = FaceProcessor()
        processor.cache.change_retention_period("1 year")
        processor.io(input_file=str(video), output_dir=str(tmp_path))
        assert processor.cache.retention == "1 year"

    def test_findings_survive_the_cache(self, tmp_path: Path) -> None:
        images = [portrait(0)] * 6 + [np.zeros((240, 320, 3), np.uint8)] * 6
        path = write_video(tmp_path / "leaves.mp4", images, FPS)
        seen = []
        for _ in range(2):
            processor = FaceProcessor()
            processor.io(path, tmp_path / "out")
            signals = processor.detect_faces()
            seen.append([finding.code for finding in processor.findings])
            assert np.isnan(signals.values[8:]).all()
            assert signals.confidence is not None
            assert (signals.confidence[8:] == 0).all()
        assert "face-lost" in seen[0]
        assert seen[0] == seen[1]


class TestBadInput:
    def make(self, name: str, folder: Path) -> Path:
        path = folder / name
        makers: dict[str, Callable[[], object]] = {
            "missing.mp4": lambda: None,
            "empty.mp4": path.touch,
            "folder.mp4": path.mkdir,
        }
        makers[name]()
        return path

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("missing.mp4", "no file"),
            ("empty.mp4", "empty"),
            ("folder.mp4", "not a file"),
        ],
    )
    def test_unusable_files(self, tmp_path: Path, name: str, words: str) -> None:
        path = self.make(name, tmp_path)
        with pytest.raises(InputError, match=words):
            FaceProcessor().io(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_text_file_called_mp4(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.mp4"
        path.write_text("This is no video.")
        processor = FaceProcessor()
        processor.io(path, tmp_path / "out")
        with pytest.raises(VideoError):
            processor.run_all()
        assert processor.cache.entries() == []

    def test_a_video_without_a_face(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "wall.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 5, FPS)
        processor = FaceProcessor()
        processor.io(path, tmp_path / "out")
        with pytest.raises(VideoError, match="No face"):
            processor.run_all()
        assert processor.cache.entries() == []

    def test_a_folder_that_cannot_be_written(self, video: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OutputError):
            FaceProcessor().io(video, tmp_path / "file" / "out")

    @pytest.mark.parametrize("face", ["middle", -1, True, 1.5])
    def test_face_choice(self, face: Any) -> None:
        with pytest.raises(ParameterError, match="face"):
            FaceProcessor(face=face)

    @pytest.mark.parametrize("fov", [0, 180, float("nan"), "wide"])
    def test_field_of_view(self, fov: Any) -> None:
        with pytest.raises(ParameterError, match="field of view"):
            FaceProcessor(vertical_fov=fov)


class TestRuntime:
    def test_documented_usage_falls_back_with_one_warning(
        self, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))  # no container programs
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            processor = FaceProcessor(runtime="bitbox:latest")
            processor.io(input_file=video, output_dir=tmp_path / "output")
            rect, *_ = processor.run_all(normalize=True)
        mine = [w for w in caught if issubclass(w.category, RuntimeFallbackWarning)]
        assert len(mine) == 1
        assert "bitbox:latest" in str(mine[0].message)
        assert "units" in str(mine[0].message)
        assert mine[0].filename == __file__
        assert rect.backend == processor.backend == "openbitbox-mediapipe"

    def test_built_in_by_default_without_a_warning(self) -> None:
        assert FaceProcessor().backend == "openbitbox-mediapipe"


def test_importing_is_cheap() -> None:
    code = (
        "import sys; from bitbox.face_backend import FaceProcessor as FP, FaceProcessor3DI; FP();"
        "heavy = {'av', 'cv2', 'mediapipe', 'PIL', 'plotly', 'pandas'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


RUN = """
import sys
from bitbox.face_backend import FaceProcessor
processor = FaceProcessor(return_output=None, progress=lambda *call: print("on", flush=True))
processor.io(sys.argv[1], sys.argv[2])
processor.run_all()
"""


def start_run(video: Path, folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", RUN, str(video), str(folder)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


class TestRuns:
    def test_two_at_once_on_one_folder_both_end_right(
        self, video: Path, results: Any, tmp_path: Path
    ) -> None:
        with start_run(video, tmp_path) as one, start_run(video, tmp_path) as two:
            one.communicate()
            two.communicate()
        assert (one.returncode, two.returncode) == (0, 0)
        processor = FaceProcessor()
        processor.io(video, tmp_path)
        assert processor.run_all() == results[1]
        assert not list(tmp_path.glob(".*.tmp*"))

    def test_a_killed_run_is_simply_started_again(
        self, video: Path, results: Any, tmp_path: Path
    ) -> None:
        for frames in (1, N_FRAMES):  # in the middle of tracking, and right after it
            with start_run(video, tmp_path) as run:
                assert run.stdout is not None
                for _ in range(frames):
                    run.stdout.readline()
                run.kill()
        processor = FaceProcessor()
        processor.io(video, tmp_path)
        assert processor.run_all() == results[1]
