"""The demonstration is what its truth says, and its cache never serves halves."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import OutputError, ParameterError
from bitbox.synthetic import demo
from bitbox.synthetic.demo import demo_performances, demo_truth, render_demo
from bitbox.synthetic.movements import EXPRESSIONS, MOVEMENTS
from bitbox.synthetic.video import FaceTruth, truth_path
from bitbox.video import probe

pytest.importorskip("av")
pytest.importorskip("cv2")
pytest.importorskip("skimage")
pytestmark = pytest.mark.video

TINY = (192, 108)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BITBOX_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "synthetic"


def course(performance: Any, movement: str) -> Any:
    if movement in EXPRESSIONS:
        return performance.drives[:, MOVEMENTS.index(next(iter(EXPRESSIONS[movement])))]
    return performance.head[:, {"yaw": 0, "pitch": 1}[movement]]


def test_truth_holds_of_what_is_done() -> None:
    participant, model = demo_performances(60)
    for movement in demo_truth(60).movements:
        x, y = course(participant, movement.movement), course(model, movement.movement)
        r = [np.corrcoef(x[30:-30], y[30 - k : len(y) - 30 - k])[0, 1] for k in range(-30, 31)]
        if movement.imitated:
            assert movement.delay is not None
            assert movement.gain is not None
            assert np.argmax(r) - 30 == round(movement.delay * 30)
            assert 0.9 < max(r) < 0.9999
            assert np.polyfit(y[:-12], x[12:], 1)[0] == pytest.approx(movement.gain, abs=0.08)
        else:
            assert max(r) < 0.45
            assert x.std() == pytest.approx(y.std(), rel=0.4)


def test_truth_names_signals() -> None:
    table = demo_truth().to_frame()
    assert set(table.index) - set(MOVEMENTS) == {"Rx", "Ry"}
    assert table.index.is_unique
    assert table.loc[~table["imitated"], ["delay", "gain"]].isna().all(axis=None)
    assert (table.loc[table["imitated"], "delay"] == 0.4).all()
    assert {"brow_raise", "yaw"} == set(table.loc[~table["imitated"], "movement"])


def test_videos_are_rendered_once_and_copied(tmp_path: Path, cache: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    pair = render_demo(
        tmp_path / "out",
        duration=5,
        size=TINY,
        progress=lambda _, done, total: seen.append((done, total)),
    )
    assert seen[-1] == (300, 300)
    assert (pair.participant.parent, pair.participant.name) == (tmp_path / "out", "participant.mp4")
    for path in (pair.participant, pair.model):
        info = probe(path)
        assert (info.n_frames, info.codec) == (150, "h264")
        assert info.fps == pytest.approx(30)
        np.testing.assert_allclose(
            FaceTruth.load(truth_path(path)).time, np.arange(150) / 30, atol=1e-5
        )
    (kept,) = cache.iterdir()
    before = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    again = render_demo(duration=5, size=TINY, progress=lambda *_: pytest.fail("rendered again"))
    assert again.model.parent == kept
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == before
    assert again.model.read_bytes() == pair.model.read_bytes()
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_other_settings_or_code_are_rendered_anew(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render_demo(duration=5, size=(96, 54))
    render_demo(duration=6, size=(96, 54))
    monkeypatch.setattr(demo, "_code_version", lambda: "other")
    render_demo(duration=5, size=(96, 54))
    assert len(list(cache.iterdir())) == 3


def test_an_interrupted_rendering_leaves_nothing(cache: Path) -> None:
    def stop(_: str, done: int, total: int | None) -> None:
        if done > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_demo(duration=5, size=(96, 54), progress=stop)
    assert list(cache.iterdir()) == []


def test_what_a_killed_rendering_left_goes(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    left = cache / ".demo-1"
    left.mkdir()
    (left / "participant.mp4").write_text("half")
    os.utime(left, (1e9, 1e9))
    render_demo(duration=5, size=(96, 54))
    assert [path.name[0] for path in cache.iterdir()] != ["."]
    assert not left.exists()


def _render(folder: str) -> bytes:
    return render_demo(folder, duration=5, size=(96, 54)).model.read_bytes()


def test_two_at_once_both_end_right(tmp_path: Path, cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        one, two = pool.map(_render, [str(tmp_path / "a"), str(tmp_path / "b")])
    assert one == two
    assert len(list(cache.iterdir())) == 1


def test_wrong_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match="5 s at least"):
        render_demo(duration=1)
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("BITBOX_CACHE_DIR", str(blocked))
    with pytest.raises(OutputError, match="cannot be written"):
        render_demo(duration=5, size=(96, 54))
