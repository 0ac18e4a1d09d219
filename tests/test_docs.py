"""Every Python block of the README and the documentation runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUNTIME = pytest.mark.filterwarnings("ignore::bitbox.face_backend.RuntimeFallbackWarning")


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with participant.mp4, model.mp4, and what was measured in them."""
    pytest.importorskip("mediapipe")
    from bitbox.synthetic.demo import render_demo

    folder = tmp_path_factory.mktemp("docs")
    render_demo(folder, duration=20)
    return folder


@pytest.mark.video
@RUNTIME
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: p.stem)
def test_blocks_run(page: Path, videos: Path, tmp_path: Path, monkeypatch) -> None:
    """A page's blocks run in order, in one namespace, in a folder with two videos."""
    if "body_backend" in "".join(blocks(page)):
        pytest.importorskip("mediapipe.python")  # not in MediaPipe for Python 3.13
    for video in videos.glob("*.mp4"):
        shutil.copy(video, tmp_path)
    if (videos / "output").exists():  # signals that another page's blocks measured
        shutil.copytree(videos / "output", tmp_path / "output")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(blocks(page), start=1):
        code = compile(block, f"{page.name}, block {number}", "exec")
        exec(code, namespace)  # noqa: S102
    if (tmp_path / "output").exists() and not (videos / "output").exists():
        shutil.copytree(tmp_path / "output", videos / "output")


def test_there_are_blocks() -> None:
    assert len(blocks(ROOT / "README.md")) == 2
    assert sum(len(blocks(page)) for page in PAGES) >= 10


def test_every_page_is_in_the_contents() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", index, re.MULTILINE), page.name


def test_what_the_makefile_runs_is_there() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:tests|validation)/[\w/.]*", text)
    modules = [name.replace(".", "/") + ".py" for name in re.findall(r"-m (benchmarks\.\w+)", text)]
    assert len(named) > 5
    assert len(modules) > 3
    missing = [name for name in (*named, *modules) if not (ROOT / name).exists()]
    assert not missing
