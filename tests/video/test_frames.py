"""Frames and their true times, from every kind of file that people bring."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import BitboxError, OutputError, ParameterError, VideoError
from bitbox.video import Image, frames_at, probe, read_frames, write_video
from bitbox.video.clock import FrameClock

av = pytest.importorskip("av")
cv2 = pytest.importorskip("cv2")
data = pytest.importorskip("skimage.data")
pytestmark = pytest.mark.video

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def corners(count: int, height: int = 96, width: int = 128) -> list[Image]:
    """Red, green, blue and black quarters: top left, top right, bottom left, bottom right."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    return [image] * count


def numbered(count: int) -> list[Image]:
    """Frames whose grey level tells their number."""
    return [np.full((48, 64, 3), 20 + 2 * k, np.uint8) for k in range(count)]


def textured(count: int) -> list[Image]:
    """Frames that do not compress, so that a cut in the file is a cut in time."""
    base = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    return [np.roll(base, k, 1) for k in range(count)]


def swaying(count: int, new: Sequence[int], fps: float) -> Iterator[Image]:
    """A photograph that sways before a camera that is noisy; how many frames are new pictures."""
    photo = cv2.resize(data.astronaut(), (480, 480), interpolation=cv2.INTER_AREA)
    random = np.random.default_rng(0)
    for k in range(count):
        if k == 0 or new[k % len(new)]:
            t = k / fps
            x = 60 + 25 * np.sin(2.6 * t) + 4 * np.sin(9 * t)
            y = 20 + 8 * np.sin(4.1 * t)
            seen = cv2.warpAffine(photo, np.array([[1, 0, -x], [0, 1, -y]]), (320, 180))
            noisy = seen + 2 * random.standard_normal(seen.shape) + 0.5
            last = np.clip(noisy, 0, 255).astype(np.uint8)
        yield last


def quarters(image: Image) -> list[tuple[int, ...]]:
    h, w = image.shape[:2]
    points = itertools.product((h // 4, 3 * h // 4), (w // 4, 3 * w // 4))
    return [tuple(int(v > 128) * 255 for v in image[y, x]) for y, x in points]


def codes(path: Path) -> tuple[int, list[str]]:
    with read_frames(path) as frames:
        count = sum(1 for _ in frames)
        return count, [finding.code for finding in frames.findings]


def remux(source: Path, target: Path, pts: Any = None) -> Path:
    """Copy packets into another file, front index left out, presentation times changed."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        track = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is None:
                continue
            if pts is not None:
                packet.pts = pts(packet)
            packet.stream = track
            new.mux(packet)
    return target


def test_every_frame_comes_once_in_order_at_its_time(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(40), 25, crf=5)
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == list(range(40))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(40) / 25, atol=1e-5)
    grey = [float(frame.image.mean()) for frame in frames]
    np.testing.assert_allclose(grey, 20 + 2 * np.arange(40), atol=1.5)
    assert frames[0].image.flags.c_contiguous
    assert frames[0].image.dtype == np.uint8


@pytest.mark.parametrize("fps", [24, 29.97, 30000 / 1001, 60, 12.345])
def test_frame_rates_are_written_and_read_exactly(tmp_path: Path, fps: float) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(30), fps)
    info = probe(path)
    assert info.fps == pytest.approx(fps, rel=1e-4)
    assert info.n_frames == 30
    assert info.duration == pytest.approx(30 / fps, abs=1e-3)
    times = [frame.time for frame in read_frames(path)]
    np.testing.assert_allclose(times, np.arange(30) / fps, atol=2e-5)


@pytest.mark.parametrize(
    ("rotation", "mirrored", "expected"),
    [
        (0, False, [RED, GREEN, BLUE, BLACK]),
        (90, False, [BLUE, RED, BLACK, GREEN]),
        (180, False, [BLACK, BLUE, GREEN, RED]),
        (270, False, [GREEN, BLACK, RED, BLUE]),
        (0, True, [GREEN, RED, BLACK, BLUE]),
        (90, True, [BLACK, GREEN, BLUE, RED]),
    ],
)
def test_rotation_and_mirroring_are_applied(
    tmp_path: Path, rotation: int, mirrored: bool, expected: list[tuple[int, ...]]
) -> None:
    path = write_video(tmp_path / "a.mp4", corners(5), 30, rotation=rotation, mirrored=mirrored)
    frames = list(read_frames(path))
    info = probe(path)
    assert (info.rotation, info.mirrored) == (rotation, mirrored)
    assert len(frames) == 5
    assert frames[0].image.shape == (info.height, info.width, 3)
    assert (info.width, info.height) == ((96, 128) if rotation % 180 else (128, 96))
    assert quarters(frames[-1].image) == expected


def test_turn_agrees_with_the_decoder_library(tmp_path: Path) -> None:
    """PyAV tells the turn counter-clockwise; ours is clockwise."""
    path = write_video(tmp_path / "a.mp4", corners(2), 30, rotation=90)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation % 360 == 270


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [
        (Fraction(4, 3), 0, (171, 96)),
        (Fraction(8, 9), 0, (128, 108)),
        (Fraction(4, 3), 90, (96, 171)),
    ],
)
def test_pixels_become_square_without_losing_any(
    tmp_path: Path, aspect: Fraction, rotation: int, size: tuple[int, int]
) -> None:
    path = write_video(tmp_path / "a.mp4", corners(3), 30, pixel_aspect=aspect, rotation=rotation)
    info = probe(path)
    assert (info.width, info.height) == size
    assert info.pixel_aspect == pytest.approx(float(aspect))
    frames = list(read_frames(path))
    assert [frame.image.shape for frame in frames] == [(size[1], size[0], 3)] * 3


def test_variable_rate_keeps_true_times(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.09, 50))
    times -= times[0]
    path = write_video(tmp_path / "a.mp4", numbered(50), 30, times=times)
    np.testing.assert_allclose([frame.time for frame in read_frames(path)], times, atol=2e-5)
    assert codes(path) == (50, [])


def with_sound(path: Path, picture_at: float, sound_at: float, count: int = 20) -> Path:
    """A film at 25 frames a second and its sound track, each with its own start."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 90000)
        track = container.add_stream("mp2", rate=48000)
        for number, image in enumerate(numbered(count)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round((picture_at + number / 25) * 90000)
            frame.time_base = Fraction(1, 90000)
            container.mux(picture.encode(frame))
        for number in range(round(count / 25 * 48000 / 1152)):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), layout="mono")
            sound.rate = 48000
            sound.pts = round(sound_at * 48000) + 1152 * number
            sound.time_base = Fraction(1, 48000)
            container.mux(track.encode(sound))
        container.mux([*picture.encode(None), *track.encode(None)])
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "mov"])
def test_times_count_from_the_start_of_the_file(tmp_path: Path, ending: str) -> None:
    """The same film has the same times, whatever the clock of its container shows."""
    path = write_video(tmp_path / "a.mp4", numbered(20), 30, start=1.5)
    if ending != "mp4":
        path = remux(path, tmp_path / f"b.{ending}")
    times = [frame.time for frame in read_frames(path)]
    np.testing.assert_allclose(times, np.arange(20) / 30, atol=2e-5 if ending == "mp4" else 1e-3)
    info = probe(path)
    assert times[0] == info.start_time == 0
    assert float(info.clock_start) == pytest.approx(1.5, abs=1e-3)
    assert info.duration == pytest.approx(20 / 30, abs=2e-3)
    assert info.fps == pytest.approx(30, rel=0.01)
    assert codes(path) == (20, ["clock-start"])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("start", [0.0, 10.0])
def test_picture_that_sets_in_later_than_the_sound_keeps_its_offset(
    tmp_path: Path, ending: str, start: float
) -> None:
    path = with_sound(tmp_path / f"a.{ending}", start + 0.6, start)
    times = [frame.time for frame in read_frames(path)]
    # the coder of the sound begins 481 samples early, 10 ms, which some containers keep
    np.testing.assert_allclose(times, 0.6 + np.arange(20) / 25, atol=0.012)
    assert probe(path).start_time == times[0]
    image = frames_at(path, [times[13]])[0]
    assert float(image.mean()) == pytest.approx(20 + 2 * 13, abs=1.5)


def test_sound_that_sets_in_later_shifts_nothing(tmp_path: Path) -> None:
    path = with_sound(tmp_path / "a.mp4", 0.0, 0.4)
    times = [frame.time for frame in read_frames(path)]
    np.testing.assert_allclose(times, np.arange(20) / 25, atol=1e-4)


@pytest.mark.parametrize(
    ("pixel_format", "stored", "grey"),
    [
        ("yuv420p10le", "yuv420p10le", False),
        ("gray", "yuv420p", True),
        ("yuv444p", "yuv444p", False),
    ],
)
def test_other_pixel_formats_become_rgb(
    tmp_path: Path, pixel_format: str, stored: str, grey: bool
) -> None:
    path = write_video(tmp_path / "a.mp4", corners(6), 30, pixel_format=pixel_format)
    assert probe(path).pixel_format == stored or pixel_format == "gray"
    frames = list(read_frames(path))
    assert len(frames) == 6
    if grey:
        spread = np.ptp(frames[0].image.astype(int), axis=2)
        assert spread.max() <= 2
    else:
        assert quarters(frames[0].image) == [RED, GREEN, BLUE, BLACK]


def test_interlaced_frames_show_one_moment(tmp_path: Path) -> None:
    """Two fields of different moments: only the first shall be seen, without combing."""
    combed = []
    for k in range(8):
        image = np.zeros((96, 128, 3), np.uint8)
        image[0::2, 10 + 8 * k : 30 + 8 * k] = 255
        image[1::2, 14 + 8 * k : 34 + 8 * k] = 255
        combed.append(image)
    path = write_video(
        tmp_path / "a.mp4", combed, 25, crf=5, encoder_options={"x264-params": "tff=1"}
    )
    assert probe(path).interlaced
    frames = list(read_frames(path))
    assert len(frames) == 8
    lines = frames[3].image[..., 1].astype(int)
    assert abs(lines[40] - lines[41]).max() < 40
    assert lines[41, 36] > 200  # the bar as in the first field
    assert lines[41, 56] < 60  # and not as in the second
    assert codes(path) == (8, ["interlaced-video"])


def test_odd_sizes(tmp_path: Path) -> None:
    padded = write_video(tmp_path / "a.mp4", corners(3, 97, 129), 30)
    assert (probe(padded).width, probe(padded).height) == (130, 98)
    whole = write_video(tmp_path / "b.mp4", corners(3, 97, 129), 30, pixel_format="yuv444p")
    assert [frame.image.shape for frame in read_frames(whole)] == [(97, 129, 3)] * 3


def test_uhd(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", corners(3, 2160, 3840), 30, preset="ultrafast")
    frames = list(read_frames(path))
    assert [frame.image.shape for frame in frames] == [(2160, 3840, 3)] * 3
    assert quarters(frames[2].image) == [RED, GREEN, BLUE, BLACK]


def test_one_frame_is_decoded(tmp_path: Path) -> None:
    assert codes(write_video(tmp_path / "a.mp4", corners(1), 30)) == (1, [])


def test_every_container(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", numbered(25), 25)
    for ending in ("mkv", "mov", "ts"):
        times = [f.time for f in read_frames(remux(source, tmp_path / f"b.{ending}"))]
        np.testing.assert_allclose(np.diff(times), 1 / 25, atol=1e-3)
        assert len(times) == 25


def test_tags_in_another_encoding_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Mueller"
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for image in numbered(5):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(picture.encode(None))
    tagged = path.read_bytes()
    assert tagged.count(b"Mueller") == 1
    path.write_bytes(tagged.replace(b"Mueller", "Mü\xa0ller".encode("latin-1")))
    assert codes(path) == (5, [])


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), layout="mono")
        sound.rate = 44100
        for packet in [*track.encode(sound), *track.encode(None)]:
            container.mux(packet)
    with pytest.raises(VideoError, match=r"song\.mp4 has no video track.*only audio"):
        probe(path)


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        track = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), layout="mono")
        sound.rate = 44100
        image = av.VideoFrame.from_ndarray(numbered(1)[0]).reformat(format="yuvj420p")
        container.mux([*cover.encode(image), *cover.encode(None)])
        container.mux([*track.encode(sound), *track.encode(None)])
    with av.open(str(path)) as container:
        assert container.streams.video[0].disposition == av.stream.Disposition.attached_pic
    with pytest.raises(VideoError, match=r"song\.mp4 has no video track.*only audio"):
        probe(path)


def test_cuts_keep_every_frame(tmp_path: Path) -> None:
    shots: list[Image] = [*numbered(7), *(np.invert(image) for image in numbered(7))]
    path = write_video(tmp_path / "a.mp4", shots * 3, 30, crf=5)
    grey = [float(frame.image.mean()) for frame in read_frames(path)]
    np.testing.assert_allclose(grey, [float(image.mean()) for image in shots * 3], atol=1.5)


def test_sound_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), layout="mono")
        sound.rate = 44100
        for image in numbered(5):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image)))
        container.mux([*picture.encode(None), *track.encode(sound), *track.encode(None)])
    assert probe(path).has_audio
    assert codes(path) == (5, [])


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.mp4", b"", r"empty\.mp4 is empty \(0 bytes\)"),
        ("text.mp4", b"dear diary\n" * 200, "got a text file"),
        ("text.txt", b"dear diary\n" * 200, "got a text file"),
        ("noise.mp4", np.random.default_rng(2).bytes(5000), "no known video format"),
        (
            "list.mp4",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nb.ts\n#EXT-X-ENDLIST\n",
            r"list\.mp4 ",
        ),
    ],
)
def test_files_that_are_no_video(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=sentence):
        probe(tmp_path / name)


@pytest.fixture
def two_films(tmp_path: Path) -> tuple[Path, Path]:
    film = write_video(tmp_path / "film.mp4", numbered(10), 25)
    return film, remux(film, tmp_path / "part.ts")


@pytest.mark.parametrize("name", ["list.mp4", "list.ffconcat", "list.m3u8", "list.txt"])
@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile part.ts\n",
        "ffconcat version 1.0\nfile film.mp4\nfile film.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\npart.ts\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{itself}\n#EXT-X-ENDLIST\n",
    ],
)
def test_list_of_other_files_is_no_video(
    tmp_path: Path, two_films: tuple[Path, Path], name: str, content: str
) -> None:
    """It would be hashed and kept as itself, whatever became of the files that it names."""
    (tmp_path / name).write_text(content.format(itself=name))
    with pytest.raises(VideoError, match="got a list that names other files"):
        probe(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "sentence"), [("still%d.png", "There is no file"), ("still1.png", "single picture")]
)
def test_pattern_for_names_is_no_video(tmp_path: Path, name: str, sentence: str) -> None:
    for number in (1, 2):
        image = av.VideoFrame.from_ndarray(numbered(1)[0], format="rgb24")
        image.save(str(tmp_path / f"still{number}.png"))
    with pytest.raises(VideoError, match=sentence):
        probe(tmp_path / name)


def test_file_named_like_a_pattern_is_only_itself(tmp_path: Path) -> None:
    for number in (1, 2):
        image = av.VideoFrame.from_ndarray(numbered(1)[0], format="rgb24")
        image.save(str(tmp_path / f"still{number}.png"))
    (tmp_path / "still%d.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    with pytest.raises(VideoError, match="single picture"):
        probe(tmp_path / "still%d.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipes_and_devices_are_no_videos(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to("pipe.mp4")
    for path, kind in (("pipe.mp4", "pipe"), ("link.mp4", "pipe"), (os.devnull, "device")):
        with pytest.raises(VideoError, match=f"is not a file.*got a {kind}.*Save"):
            probe(tmp_path / path)


@pytest.mark.parametrize("ending", ["avi", "webm", "flv", "mpg", "wmv", "ogv", "gif"])
def test_containers_that_people_have_are_opened(tmp_path: Path, ending: str) -> None:
    codec = {"webm": "libvpx", "ogv": "libtheora", "gif": "gif", "mpg": "mpeg2video"}
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as container:
        name = codec.get(ending, "mpeg4" if ending in ("avi", "wmv") else "flv")
        if name not in av.codecs_available:
            pytest.skip(f"PyAV comes without {name}")
        track = container.add_stream(name, rate=25)
        track.width, track.height = 64, 48
        track.pix_fmt = "rgb8" if ending == "gif" else "yuv420p"
        for image in numbered(10):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(track.encode(frame.reformat(format=track.pix_fmt)))
        container.mux(track.encode(None))
    times = [frame.time for frame in read_frames(path)]
    np.testing.assert_allclose(times, np.arange(10) / 25, atol=2e-3)


def test_names_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="There is no file"):
        read_frames(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="got a folder"):
        read_frames(tmp_path)


def test_odd_file_names_are_only_names(tmp_path: Path) -> None:
    for name in ("a:b.mp4", "http:x.mp4", "concat:a|b.mp4", "50 % <b>.mp4", "-i.mp4", "%03d.mp4"):
        assert probe(write_video(tmp_path / name, numbered(3), 30)).n_frames == 3


def test_recording_without_index_is_explained(tmp_path: Path) -> None:
    whole = remux(write_video(tmp_path / "a.mp4", textured(20), 30), tmp_path / "b.mp4")
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    with pytest.raises(VideoError, match="never finished"):
        probe(whole)


@pytest.mark.parametrize("share", [0.4, 0.7, 0.995])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_truncated_file_is_read_and_said_to_be_truncated(
    tmp_path: Path, share: float, ending: str
) -> None:
    path = write_video(tmp_path / f"a.{ending}", textured(60), 30, preset="ultrafast")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * (share if ending == "mp4" else min(share, 0.7)))])
    count, found = codes(path)
    assert 0 < count < 60
    assert "truncated-video" in found


def test_findings_count_only_what_was_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(60), 30)
    with read_frames(path) as frames:
        next(frames)
        assert frames.findings == ()
    assert list(frames) == []


def test_damage_in_the_middle_is_reported(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", textured(60), 30, preset="ultrafast")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 30000] = bytes(30000)
    path.write_bytes(data)
    with read_frames(path) as frames:
        times = [frame.time for frame in frames]
        found = [finding.code for finding in frames.findings]
    assert 30 < len(times) <= 60
    assert times[-1] == pytest.approx(59 / 30, abs=1e-3)  # what is behind the damage keeps its time
    assert found == ["stalled-video", "damaged-video"]


def test_repeated_times_are_moved_apart(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", numbered(20), 25, encoder_options={"bf": "0"})

    def pairs(packet: Any) -> int:
        step = 2 * int(packet.duration)
        return -(-int(packet.dts) // step) * step

    path = remux(source, tmp_path / "b.ts", pts=pairs)
    with read_frames(path) as frames:
        times = np.array([frame.time for frame in frames])
        found = [finding.code for finding in frames.findings]
    assert (np.diff(times) > 0).all()
    assert len(times) == 20
    assert found == ["repeated-times"]


def test_clock_never_stands_or_runs_back() -> None:
    clock = FrameClock(25.0)
    stored = [0.0, 0.04, 0.04, 0.04, 0.02, 0.12, None, 0.2, -5.0, -4.96, -4.9]
    times = np.array([clock.next(time) for time in stored])
    assert (np.diff(times) > 0).all()
    np.testing.assert_allclose(times[[0, 1, 5, 6, 7]], [0, 0.04, 0.12, 0.16, 0.2])
    np.testing.assert_allclose(times[8:], [0.24, 0.28, 0.34])
    assert times[4] < 0.041
    assert [f.code for f in clock.findings()] == [
        "missing-times",
        "repeated-times",
        "clock-set-back",
    ]


def test_size_that_changes_is_scaled_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    parts = []
    for number, size in enumerate([(96, 128), (48, 64)]):
        part = write_video(tmp_path / f"{number}.mp4", corners(10, *size), 25, start=number * 0.4)
        parts.append(remux(part, tmp_path / f"{number}.ts").read_bytes())
    path.write_bytes(b"".join(parts))
    with read_frames(path) as frames:
        shapes = [frame.image.shape for frame in frames]
        found = [finding.code for finding in frames.findings]
    assert shapes == [(96, 128, 3)] * 20
    assert "size-changes" in found


def handles(path: Path) -> int:
    """Return how often this process holds a file open."""
    held = 0
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the handle that reads the folder is gone by now
            held += os.path.samefile(handle, path)
    return held


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed in /proc")
def test_file_is_closed_early_and_at_the_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(10), 30)
    assert handles(path) == 0
    for frame in read_frames(path):
        if frame.index == 3:
            assert handles(path) == 1
            break
    assert handles(path) == 0
    reader = read_frames(path)
    next(reader)
    assert handles(path) == 1
    reader.close()
    assert handles(path) == 0
    reader.close()
    with read_frames(path) as reader:
        next(reader)
        assert handles(path) == 1
    assert handles(path) == 0
    reader = read_frames(path)
    assert len(list(reader)) == 10
    assert handles(path) == 0, "a reader that has come to the end holds nothing"
    frames_at(path, [0.1])
    probe(path)
    assert handles(path) == 0


def test_writing_checks_its_arguments(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    cases: list[tuple[str, list[Image], dict[str, Any]]] = [
        ("no image", [], {}),
        ("differs in size", [*numbered(1), *corners(1)], {}),
        ("no RGB image", [np.zeros((8, 8), np.uint8)], {}),
        ("not after", numbered(2), {"times": [0.0, 0.0]}),
        ("more images than times", numbered(2), {"times": [0.0]}),
        ("3 times, but only 2", numbered(2), {"times": [0.0, 0.1, 0.2]}),
        ("rotation", numbered(2), {"rotation": 45}),
    ]
    for sentence, images, options in cases:
        with pytest.raises(ParameterError, match=sentence):
            write_video(target, images, 30, **options)
    with pytest.raises(ParameterError, match="fps"):
        write_video(target, numbered(2), 0)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_writing_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = write_video(tmp_path / "a.mp4", numbered(4), 30)
    before = target.read_bytes()

    def broken() -> Any:
        yield from numbered(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(target, broken(), 30)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert target.read_bytes() == before


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written") as caught:
        write_video(tmp_path / "none" / "a.mp4", numbered(2), 30)
    assert isinstance(caught.value, BitboxError)


def test_file_starts_playing_before_it_is_loaded(tmp_path: Path) -> None:
    """The index comes before the pictures."""
    data = write_video(tmp_path / "a.mp4", numbered(10), 30).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("start", [0.0, 1.5])
def test_single_frames_are_found_by_their_times(tmp_path: Path, start: float) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(100), 30, start=start, crf=5)
    with read_frames(path) as frames:
        truth = {k: (f.time, f.image) for k, f in enumerate(frames) if k in (0, 13, 57, 99)}
    images = frames_at(path, [time for time, _ in truth.values()])
    for image, (_, expected) in zip(images, truth.values(), strict=True):
        np.testing.assert_array_equal(image, expected)


def test_single_frames_are_those_of_decoding_all(tmp_path: Path) -> None:
    """Where a file can only be searched by guessing, or its times were mended, all is decoded."""
    options = {"g": "12", "bf": "3"}
    film = write_video(tmp_path / "a.mp4", numbered(60), 25, crf=5, encoder_options=options)
    late = write_video(tmp_path / "late.mp4", numbered(60), 25, start=7, crf=5)
    copies = [remux(film, tmp_path / f"b.{ending}") for ending in ("mkv", "mov", "ts")]
    glued = tmp_path / "glued.ts"
    glued.write_bytes(remux(late, tmp_path / "late.ts").read_bytes() + copies[2].read_bytes())
    for path in (film, *copies, glued):
        with read_frames(path) as frames:
            whole = [(frame.time, frame.image) for frame in frames]
        chosen = [whole[k] for k in (59, 0, 30, 12, 11, 58, 30)]
        images = frames_at(path, [time for time, _ in chosen])
        for image, (_, expected) in zip(images, chosen, strict=True):
            np.testing.assert_array_equal(image, expected)
    between, beyond = frames_at(film, [0.99, 70.0])
    np.testing.assert_allclose([between.mean(), beyond.mean()], [70, 138], atol=1.5)


def test_stall_is_told(tmp_path: Path) -> None:
    times = np.r_[np.arange(20), 20 + 30 * 1.5 + np.arange(20)] / 30
    with read_frames(write_video(tmp_path / "a.mp4", numbered(40), 30, times=times)) as frames:
        assert len(list(frames)) == 40
        (found,) = frames.findings
    assert found.code == "stalled-video"
    assert "for up to 1.53 s (1 stalls of more than 0.5 s, first at 0.63 s)" in found.message


def test_repeated_pictures_are_told(tmp_path: Path) -> None:
    film = textured(90)
    held = [film[k // 3 * 3] for k in range(90)]
    with read_frames(write_video(tmp_path / "a.mp4", held, 30)) as frames:
        assert len(list(frames)) == 90
        (found,) = frames.findings
    assert found.code == "repeated-pictures"
    assert "about 10 new ones a second" in found.message
    assert codes(write_video(tmp_path / "b.mp4", film, 30)) == (90, [])


@pytest.mark.parametrize(
    ("fps", "new", "said"),
    [
        (30, (1, 0), "50 % of the frames of a.mp4 repeat the picture before: there are about 15"),
        (
            30,
            (1, 0, 0),
            "67 % of the frames of a.mp4 repeat the picture before: there are about 10",
        ),
        (25, (1, 0), "50 % of the frames of a.mp4 repeat the picture before: there are about 12"),
        (30, (1, 1, 1, 1, 0), "20 % of the frames of a.mp4 repeat the picture before: there are"),
        (30, (1,), ""),
    ],
)
@pytest.mark.parametrize("coder", [{}, {"bf": "0", "g": "15"}])
def test_repeats_are_told_through_bad_compression(
    fps: int, new: tuple[int, ...], said: str, coder: dict[str, str], tmp_path: Path
) -> None:
    """A recorder compresses repeats anew, so none is the same; and key frames change a picture."""
    path = tmp_path / "a.mp4"
    write_video(path, swaying(150, new, fps), fps, crf=36, encoder_options=coder)
    with read_frames(path) as frames:
        assert len(list(frames)) == 150
        messages = [f.message for f in frames.findings if f.code == "repeated-pictures"]
    assert len(messages) == bool(said)
    assert "".join(messages).startswith(said)


def test_repeats_without_a_period_are_told(tmp_path: Path) -> None:
    new = np.random.default_rng(1).integers(0, 2, 150)
    assert codes(write_video(tmp_path / "a.mp4", swaying(150, new, 30), 30))[1] == [
        "repeated-pictures"
    ]


def test_picture_that_stands_still_is_told(tmp_path: Path) -> None:
    film = textured(90)
    frozen = [film[k if k < 30 else max(30, k - 45)] for k in range(90)]
    with read_frames(write_video(tmp_path / "a.mp4", frozen, 30, crf=0)) as frames:
        assert len(list(frames)) == 90
        (found,) = frames.findings
    assert found.code == "picture-stands-still"
    assert "for up to 1.5 s (1 times" in found.message


def test_half_a_frame_missing_is_no_break(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered(50), 25)
    for share, told in ((0.5, False), (0.9, False), (1.0, True)):
        with read_frames(path) as frames:
            info = frames.info
            longer = {"duration": info.duration + share / 25, "n_frames": 51}
            frames.info = dataclasses.replace(info, **longer)
            assert len(list(frames)) == 50
            assert ("truncated-video" in {f.code for f in frames.findings}) == told
