"""Pictures show what was measured, where it was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import InputError, OutputError, ParameterError
from bitbox.face_backend import FaceProcessor
from bitbox.face_backend.plot import (
    AXES,
    LANDMARK,
    RECTANGLE,
    draw_face,
    evenly,
    plot_signals,
)
from bitbox.signals import Signals
from bitbox.video import probe, read_frames, write_video

N = 10
BLANK = np.full((200, 300, 3), 255, np.uint8)


def where(image: Any, colour: tuple[int, int, int]) -> Any:
    """Rows and columns (n, 2) of the pixels of a colour, as x, y."""
    return np.argwhere((image == colour).all(axis=2))[:, ::-1]


def box(points: Any) -> list[int]:
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


class TestDrawing:
    def test_rectangle(self) -> None:
        image = draw_face(BLANK, np.array([50.0, 20.0, 100.0, 60.0]))
        assert box(where(image, RECTANGLE)) == [50, 20, 150, 80]
        assert (BLANK == 255).all()

    def test_landmarks(self) -> None:
        image = draw_face(BLANK, None, np.array([30.0, 40.0, np.nan, 7.0, 200.0, 150.0]))
        points = where(image, LANDMARK)
        assert box(points) == [29, 39, 201, 151]
        assert len(points) < 20

    def test_axes_point_where_the_head_does(self) -> None:
        straight = np.array([0, 0, 600.0, 0, 0, 0])
        image = draw_face(BLANK, pose=straight)
        x, y = where(image, AXES["x"]), where(image, AXES["y"])
        assert x[:, 0].max() > 160  # to the image's right
        assert np.ptp(x[:, 1]) <= 3
        assert y[:, 1].max() > 110  # down
        # turned by 90 degrees about the line of sight, x points down and y to the image's left
        rolled = draw_face(BLANK, pose=np.array([0, 0, 600.0, 0, 0, np.pi / 2]))
        assert where(rolled, AXES["x"])[:, 1].max() > 110
        assert where(rolled, AXES["y"])[:, 0].min() < 140

    def test_axes_start_at_the_head(self) -> None:
        focal = 100 / np.tan(np.radians(40) / 2)
        pose = np.array([100.0, -50.0, 500.0, 0, 0, 0])
        image = draw_face(BLANK, pose=pose, vertical_fov=40)
        start = [150 + focal * 100 / 500, 100 - focal * 50 / 500]
        assert abs(where(image, AXES["x"])[:, 0].min() - start[0]) <= 3
        assert abs(where(image, AXES["y"])[:, 1].min() - start[1]) <= 3

    def test_nothing_is_drawn_of_a_lost_face(self) -> None:
        image = draw_face(BLANK, np.full(4, np.nan), np.full(102, np.nan), np.full(6, np.nan))
        np.testing.assert_array_equal(image, BLANK)


def some_signals(names: tuple[str, ...] = ("smile", "frown", "<b>blink</b>")) -> Signals:
    values = np.random.default_rng(0).normal(size=(N, len(names)))
    values[4] = np.nan
    return Signals(
        values,
        np.arange(N) / 30,
        names,
        kind="expression",
        schema="test",
        units="mm",
        backend="test",
    )


class TestSignals:
    def test_a_line_a_signal_with_true_values_and_gaps(self) -> None:
        signals = some_signals()
        figure = plot_signals(signals)
        assert len(figure.data) == 3
        np.testing.assert_array_equal(figure.data[1].customdata, signals.values[:, 1])
        np.testing.assert_array_equal(figure.data[0].x, signals.time)
        assert np.isnan(figure.data[0].y[4])
        low, high = np.nanmin(figure.data[1].y), np.nanmax(figure.data[1].y)
        assert (low, high) == pytest.approx((-1.45, -0.55))

    def test_names_cannot_be_markup(self) -> None:
        text = json.dumps(plot_signals(some_signals()).to_plotly_json(), default=str)
        assert "<b>" not in text
        assert "&lt;b&gt;blink" in text

    def test_still_and_missing_signals(self) -> None:
        signals = some_signals().replace(values=np.tile([1.0, np.nan, 0.0], (N, 1)))
        figure = plot_signals(signals)
        np.testing.assert_array_equal(figure.data[0].y, np.zeros(N))
        assert np.isnan(figure.data[1].y).all()

    def test_too_many_must_be_chosen(self) -> None:
        signals = some_signals(tuple(f"GE{i}" for i in range(79)))
        with pytest.raises(ParameterError, match="79 signals"):
            plot_signals(signals)
        assert len(plot_signals(signals, ["GE3", "GE70"]).data) == 2


@pytest.mark.parametrize(
    ("n", "count", "numbers"), [(10, 3, [0, 4, 9]), (2, 6, [0, 1]), (1, 1, [0])]
)
def test_evenly(n: int, count: int, numbers: list[int]) -> None:
    assert evenly(n, count) == numbers


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> FaceProcessor:
    from skimage.data import astronaut

    folder = tmp_path_factory.mktemp("plot")
    # the face is not in the middle: of a head that is looked at straight, an axis is but a dot
    images = [np.ascontiguousarray(astronaut()[40:280, 50 + i : 370 + i]) for i in range(N)]
    times = np.cumsum([0.5, *([0.04, 0.05] * N)[: N - 1]])
    video = write_video(folder / "a.mp4", images, 25, times=times)
    processor = FaceProcessor(return_output=None)
    processor.io(video, folder / "output")
    return processor


@pytest.mark.video
class TestProcessor:
    def test_frames(self, processor: FaceProcessor, tmp_path: Path) -> None:
        sheet = processor.plot("frames", tmp_path / "sheet.png", frames=4)
        assert sheet.size[0] == 1200
        assert (tmp_path / "sheet.png").stat().st_size > 10_000
        pixels = np.asarray(sheet)
        for colour in (RECTANGLE, LANDMARK, *AXES.values()):
            assert (np.abs(pixels.astype(int) - colour).sum(axis=2) < 60).sum() > 20

    def test_signals(self, processor: FaceProcessor, tmp_path: Path) -> None:
        figure = processor.plot("signals", tmp_path / "a.html", output="pose")
        assert [line.name for line in figure.data] == ["Tx", "Ty", "Tz", "Rx", "Ry", "Rz"]
        page = (tmp_path / "a.html").read_text(encoding="utf-8")
        assert 'src="http' not in page  # opens offline

    def test_video(self, processor: FaceProcessor, tmp_path: Path) -> None:
        path = processor.plot("video", tmp_path / "overlay.mp4")
        info = probe(path)
        assert (info.codec, info.pixel_format) == ("h264", "yuv420p")
        with read_frames(path) as frames:
            drawn = list(frames)
        with read_frames(processor._current().path) as frames:
            plain = list(frames)
        assert len(drawn) == N
        times = [[frame.time for frame in film] for film in (drawn, plain)]
        np.testing.assert_allclose(times[0], times[1], atol=1e-3)
        changed = np.abs(drawn[3].image.astype(int) - plain[3].image).max(axis=2) > 80
        assert 50 < changed.sum() < 0.2 * changed.size

    def test_nothing_else(self, processor: FaceProcessor, tmp_path: Path) -> None:
        for what, options, words in [
            ("faces", {}, "'frames', 'signals' or 'video'"),
            ("signals", {"output": "expressions"}, "no such output"),
            ("signals", {"output": "landmark"}, "102 signals"),
            ("signals", {"output": "pose", "names": ["smile"]}, "smile"),
            ("signals", {"output": "pose", "path": tmp_path / "a.png"}, r"\.html"),
            ("frames", {"path": tmp_path / "a.txt"}, r"\.png"),
            ("frames", {"frames": 0}, "At least one"),
            ("video", {}, r"\.mp4"),
            ("video", {"path": processor._current().path}, "recording"),
        ]:
            with pytest.raises((ParameterError, InputError), match=words):
                processor.plot(what, **options)  # type: ignore[arg-type]
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there(self, processor: FaceProcessor, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="no folder"):
            processor.plot("video", tmp_path / "nowhere" / "a.mp4")

    def test_before_io(self) -> None:
        with pytest.raises(ParameterError, match=r"processor\.io"):
            FaceProcessor().plot()
