"""What is missing or does not start is told with what to install, by every command."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from bitbox.system.extras import need, unusable

ROOT = Path(__file__).parents[2]

# A Python in which modules cannot be imported, as if they were not installed.
_WITHOUT = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from bitbox.cli import run
sys.exit(run({arguments!r}))
"""
VIDEO = ("av", "cv2", "mediapipe", "skimage", "PIL")


def without(absent: tuple[str, ...], *arguments: str) -> tuple[int, str]:
    code = _WITHOUT.format(absent=set(absent), arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bitbox.video import write_video

    path = tmp_path_factory.mktemp("video") / "a.mp4"
    return write_video(path, [np.zeros((48, 64, 3), np.uint8)] * 30, 25)


@pytest.mark.video
@pytest.mark.parametrize("absent", [VIDEO, ("av",), ("cv2",)])
@pytest.mark.parametrize("command", ["imitate", "demo", "suggest", "info"])
def test_commands_name_the_extra(
    video: Path, tmp_path: Path, absent: tuple[str, ...], command: str
) -> None:
    arguments = {
        "imitate": ["imitate", str(video), str(video), "-o", str(tmp_path / "out")],
        "suggest": ["suggest", str(video), str(video)],
        "info": ["info", str(video)],
        "demo": ["demo", "--seconds", "20", "-o", str(tmp_path / "demo")],
    }[command]
    code, said = without(absent, *arguments)
    assert code == 1, said
    assert "pip install 'openbitbox[video]'" in said
    assert "defect" not in said


@pytest.mark.video
def test_tracking_names_the_extra(video: Path, tmp_path: Path) -> None:
    code, said = without(("mediapipe",), "imitate", *[str(video)] * 2, "-o", str(tmp_path / "out"))
    assert code == 1, said
    assert "openbitbox[video]" in said
    assert "defect" not in said


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libGL.so.1", "libgl1"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
        ("libGLESv2.so.2", "libgles2"),
        ("libEGL.so.1", "libegl1"),
        ("libxcb.so.1", "libxcb1"),
    ],
)
def test_libraries_of_the_system_name_their_package(library: str, package: str) -> None:
    error = ImportError(f"{library}: cannot open shared object file: No such file or directory")
    told = unusable(error, "Reading video", "cv2")
    assert str(told).startswith("Reading video needs OpenCV, which does not start")
    assert f"apt-get install {package}." in str(told)
    unknown = unusable(OSError("libfoo.so.3: cannot open shared object file: No such file"))
    assert "system that brings libfoo" in str(unknown)


def test_a_library_that_is_broken_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_part.py").write_text("import numpy_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match=r"does not start \(No module named"):
        need("This", "broken_part")


def test_every_extra_installs_what_is_imported() -> None:
    """No extra for a module that does not exist, no import of what no extra installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) == {"video", "report", "study", "slurm", "all"}
    assert extras["all"] == ["openbitbox[video,report,study]"]
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "bitbox").rglob("*.py")
    )
    own = [line for line in extras["study"] + extras["slurm"] if not line.startswith("openbitbox")]
    for line in own:
        name = re.split(r"[<>=]", line)[0].replace("-", "_").replace("pyyaml", "yaml")
        assert re.search(rf"(import|from) {name}\b", source), f"nothing imports {name}"
    for lines in (project["dependencies"], extras["video"], extras["report"], own):
        for line in lines:
            name = line.split(";")[0]
            assert "<" in name or "==" in name or name.startswith("xarray"), f"{line} has no cap"
