"""The 3DI runtime, through real processes: small programs stand in for 3DI's own."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import BackendError, ParameterError, VideoError
from bitbox.face_backend import FaceProcessor, FaceProcessor3DI
from bitbox.face_backend.threedi_launch import PROGRAMS, SCRIPTS, find_launcher
from bitbox.video import write_video

N = 12
FPS = 30.0
ODD_NAME = 'it\'s, a "video"; $(touch pwned) -x.mp4'

#: Stands in for every program: notes its arguments and folder, and writes files of 3DI's shapes.
PROGRAM = """#!{python} -S
import json, os, random, sys
name = os.path.basename(sys.argv[0])
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps([name, os.getcwd(), arguments]) + "\\n")
print("speaking of", name)
n, behaviour = {n}, {behaviour!r}
if behaviour.get("fail") == name:
    print("no CUDA-capable device is detected", file=sys.stderr)
    sys.exit(3)
if behaviour.get("die") == name:
    os.kill(os.getpid(), 9)
random.seed(name)
def write(path, rows, columns, lost=()):
    def cell(row):
        return 0 if row in lost else random.gauss(100, 10)
    values = [[cell(row) for _ in range(columns)] for row in range(rows)]
    save(path, [[1, 2, 3], [1, 2]] if behaviour.get("ragged") == name else values)
def save(path, values):
    with open(path, "w") as file:
        file.writelines(" ".join(map(str, row)) + "\\n" for row in values)
lost = behaviour.get("lost", [])
if name == "video_detect_face":
    assert os.path.getsize(arguments[0]) > 0
    write(arguments[1], n, 4, lost)
elif name == "video_detect_landmarks":
    write(arguments[2], behaviour.get("rows", n), 102, lost)
    sys.exit(1)  # as the real one does when all went well
elif name == "video_learn_identity":
    write(arguments[4], 1, 199); write(arguments[5], 1, 199)
elif name == "save_identity_and_shape.py":
    write(arguments[4], 5, 3); write(arguments[5], 5, 1)
elif name == "video_from_saved_identity":
    write(arguments[6], n - 1, 79); write(arguments[7], n - 1, 9); write(arguments[8], n - 1, 3)
elif name == "produce_canonicalized_3Dlandmarks.py":
    write(arguments[1], n - 1, 153)
elif name == "compute_local_exp_coefficients.py":
    write(arguments[1], n - 1, behaviour.get("local", 32))
else:  # the two that smooth
    values = [[float(cell) + 1 for cell in line.split()] for line in open(arguments[0])]
    save(arguments[1], values)
"""

#: Stands in for docker and the like: answers `image inspect`, and runs what it is told to run
#: with the mounted folders in place of the inner ones.
CONTAINER = """#!{python}
import csv, json, os, subprocess, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(["container", os.getcwd(), words]) + "\\n")
if words[:2] == ["image", "inspect"]:
    if words[-1] != "bitbox:latest":
        sys.exit("Error: No such image: " + words[-1])
    print("sha256:0123")
    sys.exit(0)
places = {{}}
while words:
    word = words.pop(0)
    if word == "--mount":
        fields = dict(f.split("=", 1) for f in next(csv.reader([words.pop(0)])) if "=" in f)
        places[fields.get("target") or fields["destination"]] = fields["source"]
    elif word in ("bitbox:latest",) or word.endswith(".sif"):
        break
def outside(word):
    for inner, outer in places.items():
        if word == inner or word.startswith(inner + "/"):
            return outer + word[len(inner):]
    return word
program, *rest = [outside(word) for word in words]
if program == "python":
    program = {python!r}
sys.exit(subprocess.run([program, *rest], cwd={inside!r}).returncode)
"""


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a native installation; its programs behave as told."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)

    def make(**behaviour: Any) -> Path:
        folder = tmp_path / "3DI build"
        for name in (*PROGRAMS, *SCRIPTS):
            text = PROGRAM.format(
                python=sys.executable,
                log=str(tmp_path / "log"),
                n=N,
                behaviour=behaviour,
            )
            script(folder / name, text)
        return folder

    return make


@pytest.fixture
def container(install: Any, tmp_path: Path) -> Any:
    """Put a container program on the PATH, with 3DI in its image."""

    def make(name: str) -> None:
        text = CONTAINER.format(
            python=sys.executable, log=str(tmp_path / "log"), inside=str(install())
        )
        script(tmp_path / "bin" / name, text)

    return make


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(N)]
    return write_video(tmp_path_factory.mktemp("film") / "a.mp4", images, FPS, start=1.0)


@pytest.fixture
def video(film: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(film, tmp_path / ODD_NAME))


def calls(tmp_path: Path) -> list[tuple[str, str, list[str]]]:
    path = tmp_path / "log"
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()]


pytestmark = pytest.mark.video


class TestNative:
    def test_run_all(self, install: Any, video: Path, tmp_path: Path) -> None:
        processor = FaceProcessor3DI(install())
        processor.io(video, tmp_path / "out")
        signals = processor.run_all(normalize=False)
        assert [s.kind for s in signals] == [
            *("rectangle", "landmark", "expression", "pose", "landmark-can", "expression"),
        ]
        assert [s.values.shape for s in signals] == [
            (N, width) for width in (4, 102, 79, 6, 153, 32)
        ]
        assert {s.backend for s in signals} == {"3DI"}
        assert signals[2].schema == "3DI-global-79"
        assert signals[5].schema == "3DI-local-32"
        for s in signals:
            np.testing.assert_allclose(s.time, np.arange(N) / FPS, atol=1e-3)
        # fitted files have one row fewer than frames: the last is missing, not made up
        assert np.isfinite(signals[3].values[:-1]).all()
        assert np.isnan(signals[3].values[-1]).all()

    def test_each_program_runs_once_in_order_and_in_its_folder(
        self, install: Any, video: Path, tmp_path: Path
    ) -> None:
        folder = install()
        processor = FaceProcessor3DI(folder, camera=45, config=2)
        processor.io(video, tmp_path / "out")
        processor.run_all()
        processor.run_all(normalize=False)
        made = calls(tmp_path)
        assert sorted(name for name, _, _ in made) == sorted(
            Path(name).name for name in (*PROGRAMS, *SCRIPTS)
        )
        assert {cwd for _, cwd, _ in made} == {str(folder)}
        assert made[0][0] == "video_detect_face"
        assert made[0][2][0] == str(video)
        told = {name: arguments for name, _, arguments in made}
        assert told["video_learn_identity"][2:4] == ["configs/BFMmm-19830.cfg2.global4.txt", "45"]
        assert told["compute_local_exp_coefficients.py"][-1] == "0.0.1.F591-cd-K32d"

    def test_no_shell_sees_the_file_name(self, install: Any, video: Path, tmp_path: Path) -> None:
        processor = FaceProcessor3DI(install())
        processor.io(video)
        processor.detect_faces()
        assert not list(tmp_path.rglob("pwned"))

    def test_columns_of_the_pose(self, install: Any, video: Path, tmp_path: Path) -> None:
        processor = FaceProcessor3DI(install(), return_output="dict")
        processor.io(video, tmp_path / "out")
        pose = processor.fit(normalize=False)[1]
        (entry,) = [e for e in processor.cache.entries() if e.what == "3di-pose-smooth"]
        raw = np.loadtxt(entry.path)
        assert pose.names == ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")
        np.testing.assert_array_equal(pose.values[:-1], raw[:, [0, 1, 2, 7, 6, 8]])

    def test_lost_frames_are_missing_in_every_output(self, install: Any, video: Path) -> None:
        processor = FaceProcessor3DI(install(lost=[2, 3]))
        processor.io(video)
        for signals in processor.run_all(normalize=False):
            assert np.isnan(signals.values[[2, 3]]).all()
            assert signals.confidence[2] == 0
            assert np.isfinite(signals.values[4:-1]).all()
        assert [finding.code for finding in processor.findings] == ["clock-start", "face-lost"]

    def test_fifty_local_units(self, install: Any, video: Path) -> None:
        processor = FaceProcessor3DI(install(local=50))
        processor.io(video)
        units = processor.localized_expressions(normalize=False)
        assert units.schema == "3DI-local-50"
        assert units.names[-1] == "mo22"

    def test_a_second_run_starts_no_program(
        self, install: Any, video: Path, tmp_path: Path
    ) -> None:
        folder = install()
        results = []
        for _ in range(2):
            processor = FaceProcessor3DI(folder)
            processor.io(video, tmp_path / "out")
            results.append(processor.run_all())
        assert results[0] == results[1]
        assert len(calls(tmp_path)) == len(PROGRAMS) + len(SCRIPTS)

    def test_another_installation_is_not_mistaken_for_it(
        self, install: Any, video: Path, tmp_path: Path
    ) -> None:
        for local in (32, 50):
            processor = FaceProcessor3DI(install(local=local))
            processor.io(video, tmp_path / "out")
            assert len(processor.localized_expressions().names) == local

    def test_the_face_processor_uses_it_where_it_is_installed(
        self, install: Any, video: Path
    ) -> None:
        processor = FaceProcessor(runtime=install())
        processor.io(video)
        assert processor.detect_faces().backend == "3DI"
        with pytest.raises(ParameterError, match="3DI"):
            FaceProcessor(runtime=install(), face="left")


class TestFailures:
    def test_a_program_that_fails_is_named_with_its_last_words(
        self, install: Any, video: Path, tmp_path: Path
    ) -> None:
        processor = FaceProcessor3DI(install(fail="video_learn_identity"))
        processor.io(video, tmp_path / "out")
        with pytest.raises(BackendError, match=r"video_learn_identity.*no CUDA-capable"):
            processor.run_all()
        # what came before it is kept, and what failed is not
        kept = {entry.what for entry in processor.cache.entries()}
        assert kept == {"3di-rects", "3di-landmarks"}

    def test_a_killed_program(self, install: Any, video: Path) -> None:
        processor = FaceProcessor3DI(install(die="video_detect_landmarks"))
        processor.io(video)
        with pytest.raises(BackendError, match=r"video_detect_landmarks.*killed"):
            processor.detect_landmarks()

    def test_a_file_that_is_cut_off(self, install: Any, video: Path) -> None:
        processor = FaceProcessor3DI(install(ragged="produce_canonicalized_3Dlandmarks.py"))
        processor.io(video)
        with pytest.raises(BackendError, match="cannot be used"):
            processor.fit()

    def test_rows_that_do_not_match_the_frames(self, install: Any, video: Path) -> None:
        processor = FaceProcessor3DI(install(rows=N - 3))
        processor.io(video)
        with pytest.raises(BackendError, match=f"{N - 3} rows"):
            processor.detect_landmarks()

    def test_no_face(self, install: Any, video: Path) -> None:
        processor = FaceProcessor3DI(install(lost=list(range(N))))
        processor.io(video)
        with pytest.raises(VideoError, match="no face"):
            processor.detect_faces()


class TestMissing:
    def test_parts_of_a_native_installation(self, install: Any) -> None:
        folder = install()
        (folder / "video_detect_face").unlink()
        (folder / "scripts" / "total_variance_rec.py").unlink()
        with pytest.raises(BackendError) as caught:
            FaceProcessor3DI(folder)
        assert "video_detect_face, scripts/total_variance_rec.py" in str(caught.value)

    def test_a_program_that_may_not_be_run(self, install: Any) -> None:
        folder = install()
        (folder / "video_detect_face").chmod(0o644)
        with pytest.raises(BackendError, match="may not be run: video_detect_face"):
            FaceProcessor3DI(folder)

    def test_no_python(self, install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = install()
        monkeypatch.setenv("PATH", str(folder))
        with pytest.raises(BackendError, match="Python"):
            FaceProcessor3DI(folder)

    @pytest.mark.parametrize(
        ("runtime", "words"),
        [
            ("bitbox:latest", "No container program"),
            ("./nowhere", "no folder or container file"),
            (Path("nowhere"), "no folder or container file"),
            ("--privileged", "neither a folder nor the name"),
            ("", "neither a folder nor the name"),
        ],
    )
    @pytest.mark.usefixtures("install")
    def test_never_falls_back(self, runtime: Any, words: str) -> None:
        with pytest.raises(BackendError, match=words):
            FaceProcessor3DI(runtime)

    def test_an_image_that_docker_does_not_have(self, container: Any) -> None:
        container("docker")
        with pytest.raises(BackendError, match="docker has no image 'other:latest'"):
            FaceProcessor3DI("other:latest")

    def test_docker_without_its_daemon(self, install: Any, tmp_path: Path) -> None:
        install()
        text = f"#!{sys.executable}\nimport sys\nsys.exit('Cannot connect to the Docker daemon.')"
        script(tmp_path / "bin" / "docker", text)
        with pytest.raises(BackendError, match="Cannot connect to the Docker daemon"):
            FaceProcessor3DI("bitbox:latest")

    @pytest.mark.usefixtures("install")
    def test_an_image_file_without_apptainer(self, tmp_path: Path) -> None:
        (tmp_path / "a.sif").write_bytes(b"x")
        with pytest.raises(BackendError, match="apptainer"):
            FaceProcessor3DI(tmp_path / "a.sif")

    def test_options_cannot_smuggle_arguments(self, install: Any) -> None:
        with pytest.raises(ParameterError, match="camera"):
            FaceProcessor3DI(install(), camera="-x 30")


class TestContainer:
    @pytest.mark.parametrize("kind", ["docker", "podman"])
    def test_run_all(self, container: Any, kind: str, video: Path, tmp_path: Path) -> None:
        container(kind)
        processor = FaceProcessor3DI("bitbox:latest", folder_inside="/opt/3DI")
        processor.io(video, tmp_path / "out")
        signals = processor.run_all(normalize=False)
        assert [len(s.names) for s in signals] == [4, 102, 79, 6, 153, 32]
        words = next(w for name, _, w in calls(tmp_path) if name == "container" and w[0] == "run")
        assert words[:3] == ["run", "--rm", "--network=none"]
        gpu = "--gpus=all" if kind == "docker" else "--device=nvidia.com/gpu=all"
        assert gpu in words
        assert words[words.index("--workdir") + 1] == "/opt/3DI"
        place = words.index("bitbox:latest")
        assert words[place + 1] == "./video_detect_face"
        assert words[place + 2] == "/input/video.mp4"
        assert not list(tmp_path.rglob("pwned"))

    def test_docker_is_preferred_and_podman_tried_next(
        self, container: Any, tmp_path: Path
    ) -> None:
        container("podman")
        text = f"#!{sys.executable}\nimport sys\nsys.exit('Error: No such image: x')"
        script(tmp_path / "bin" / "docker", text)
        launcher: Any = find_launcher("bitbox:latest")
        assert launcher.kind == "podman"
        container("docker")
        launcher = find_launcher("bitbox:latest")
        assert launcher.kind == "docker"

    @pytest.mark.parametrize("kind", ["apptainer", "singularity"])
    def test_image_file(self, container: Any, kind: str, video: Path, tmp_path: Path) -> None:
        container(kind)
        image = tmp_path / "3DI.sif"
        image.write_bytes(b"an image")
        with pytest.raises(BackendError, match="folder_inside"):
            FaceProcessor3DI(image)
        processor = FaceProcessor3DI(image, folder_inside="/opt/3DI/build")
        processor.io(video, tmp_path / "out")
        assert len(processor.localized_expressions(normalize=False).names) == 32
        words = next(w for name, _, w in calls(tmp_path) if name == "container")
        assert words[:2] == ["exec", "--nv"]
        assert words[words.index("--pwd") + 1] == "/opt/3DI/build"
        assert words[words.index(str(image)) + 1] == "./video_detect_face"
