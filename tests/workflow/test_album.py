"""Pictures for the report are made once, show the frames they say, and cost no second decoding."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest

from bitbox.face_backend import Cache
from bitbox.report.content import Picture
from bitbox.signals import Signals
from bitbox.workflow.album import pictures

pytest.importorskip("av")
pytest.importorskip("PIL")
pytestmark = pytest.mark.video
N = 90
FPS = 30


def brightness(frame: int) -> int:
    return 20 + 2 * frame


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bitbox.video import write_video

    frames = (np.full((120, 160, 3), brightness(k), np.uint8) for k in range(N))
    return write_video(tmp_path_factory.mktemp("album") / "film.mp4", frames, FPS, crf=5)


def landmarks(lost: slice = slice(0), face: str = "largest") -> Signals:
    points = np.random.default_rng(0).uniform(40, 80, (1, 102)).repeat(N, axis=0)
    points[lost] = np.nan
    return Signals(
        points, np.arange(N) / FPS, tuple(f"{axis}{i}" for i in range(51) for axis in "xy"),
        kind="landmark", schema="ibug51", units="px", dimension=2, backend="made up",
        provenance={"source": {"sha256": "0" * 64}, "settings": {"face": face}},
    )  # fmt: skip


def frame_of(picture: Picture) -> int:
    from PIL import Image

    data = base64.b64decode(picture.uri.partition(",")[2])
    return round((np.asarray(Image.open(io.BytesIO(data))).mean() - 20) / 2)


def test_pictures_show_the_frames_of_their_times(video: Path) -> None:
    found = pictures(video, landmarks(), None, 4)
    assert len(found) == 4
    times = [picture.time for picture in found]
    assert times == sorted(set(times))
    assert [frame_of(picture) for picture in found] == pytest.approx(
        [FPS * time for time in times], abs=1
    )
    assert all(picture.found and len(picture.points) == 51 for picture in found)


def test_only_frames_in_which_the_face_was_tracked(video: Path) -> None:
    found = pictures(video, landmarks(slice(10, 80)), None, 4)
    assert all(not 10 <= round(FPS * picture.time) < 80 for picture in found)
    assert pictures(video, landmarks(slice(None)), None, 4) == []


def test_another_run_opens_no_video(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pictures(video, landmarks(), Cache(tmp_path), 4)
    (entry,) = Cache(tmp_path).entries()
    assert (entry.recording, entry.what) == ("film", "pictures")
    with monkeypatch.context() as patch:
        patch.setattr("bitbox.video.frames.open_video", lambda _: pytest.fail("decoded again"))
        assert pictures(video, landmarks(), Cache(tmp_path), 4) == first
    # other times, or another face, have other pictures
    pictures(video, landmarks(slice(0, 20)), Cache(tmp_path), 4)
    pictures(video, landmarks(face="left"), Cache(tmp_path), 4)
    assert len(Cache(tmp_path).entries()) == 3
    # a damaged file is made anew
    entry.path.write_text("[]")
    assert pictures(video, landmarks(), Cache(tmp_path), 4) == first


def test_of_a_film_with_many_key_frames_only_those_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import av

    path = tmp_path / "keys.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream(
            "libx264", rate=FPS, options={"g": "10", "sc_threshold": "0", "crf": "5"}
        )
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for k in range(N):
            image = np.full((120, 160, 3), brightness(k), np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    monkeypatch.setattr("bitbox.video.frames_at", lambda *_: pytest.fail("decoded on the way"))
    found = pictures(path, landmarks(), None, 4)
    assert [round(FPS * picture.time) % 10 for picture in found] == [0] * 4
    assert [frame_of(picture) for picture in found] == pytest.approx(
        [FPS * picture.time for picture in found], abs=1
    )
