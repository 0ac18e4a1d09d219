"""Parts of pictures: the same as parts of the whole image, whatever way they are stored."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bitbox.video import Image, Picture, read_frames, write_video
from bitbox.video.picture import frame_picture
from bitbox.video.sampling import resampled

av = pytest.importorskip("av")
cv2 = pytest.importorskip("cv2")
pytestmark = pytest.mark.video

PLAIN = ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le"]
OTHER = ["gray", "rgb24", "gbrp", "nv12", "yuv420p12le"]


def smooth(height: int, width: int, low: float, high: float, seed: int) -> Any:
    """A plane without edges, between two values."""
    coarse = np.random.default_rng(seed).uniform(low, high, (5, 7))
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(low, high)


def scene(height: int = 180, width: int = 240) -> Image:
    planes = [smooth(height, width, 40, 215, seed) for seed in range(3)]
    return np.rint(np.stack(planes, axis=-1)).astype(np.uint8)


def planar(name: str, colorspace: int, color_range: int) -> Any:
    """A frame whose planes are filled with legal values."""
    frame = av.VideoFrame(240, 180, name)
    frame.colorspace, frame.color_range = colorspace, color_range
    scale, kind = (4, "<u2") if name.endswith("10le") else (1, "u1")
    for number, plane in enumerate(frame.planes):
        limits = (90, 166) if number else (30, 225)
        values = np.rint(smooth(plane.height, plane.width, *limits, number) * scale)
        lines = np.zeros((plane.height, plane.line_size // np.dtype(kind).itemsize), kind)
        lines[:, : plane.width] = values
        plane.update(lines.tobytes())
    return frame


def as_it_is(frame: Any, **changes: Any) -> Picture:
    info = {"width": frame.width, "height": frame.height, "rotation": 0, "mirrored": False}
    return frame_picture(frame, SimpleNamespace(**info | changes))  # type: ignore[arg-type]


def is_taken_apart(picture: Picture) -> bool:
    return picture._stored is not None


def away(one: Image, other: Image) -> tuple[float, float]:
    """Mean and largest difference, in grey levels."""
    difference = np.abs(one.astype(int) - other)
    return float(difference.mean()), float(difference.max())


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("colorspace", [1, 2, 5, 6, 9])
@pytest.mark.parametrize("color_range", [0, 1, 2])
def test_colours_are_those_of_the_whole_image(name: str, colorspace: int, color_range: int) -> None:
    picture = as_it_is(planar(name, colorspace, color_range))
    assert is_taken_apart(picture)
    mean, most = away(picture.window((0, 0, 240, 180), (240, 180)), picture.image)
    assert mean < 2  # the decoder library's own conversion is up to 1.5 levels too dark
    assert most <= 8  # and takes the nearest stored colour


def test_colours_are_exact_where_the_decoder_library_is() -> None:
    picture = as_it_is(planar("yuv444p", 1, 1))
    mean, most = away(picture.window((0, 0, 240, 180), (240, 180)), picture.image)
    assert mean < 0.3
    assert most <= 2


@pytest.mark.parametrize("name", OTHER)
def test_other_formats_are_converted_as_a_whole(name: str) -> None:
    frame = av.VideoFrame.from_ndarray(scene(), format="rgb24").reformat(format=name)
    picture = as_it_is(frame)
    assert not is_taken_apart(picture)
    part = picture.crop((120, 90), 100, 0.3, 64)
    np.testing.assert_array_equal(part, Picture.of(picture.image).crop((120, 90), 100, 0.3, 64))


def test_unknown_colours_are_left_to_the_decoder_library() -> None:
    assert not is_taken_apart(as_it_is(planar("yuv420p", 7, 1)))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3), Fraction(8, 9)])
def test_parts_are_upright_with_square_pixels(
    tmp_path: Path, rotation: int, mirrored: bool, aspect: Fraction
) -> None:
    path = write_video(
        tmp_path / "a.mp4",
        [scene()] * 2,
        30,
        rotation=rotation,
        mirrored=mirrored,
        pixel_aspect=aspect,
        crf=5,
    )
    for frame in read_frames(path):
        assert is_taken_apart(frame.picture)
        whole = Picture.of(frame.image)
        assert (whole.width, whole.height) == (frame.picture.width, frame.picture.height)
        for centre, side, angle, size in [((100, 90), 80, 0.4, 64), ((60, 130), 150, -2.0, 48)]:
            mean, most = away(
                frame.crop(centre, side, angle, size), whole.crop(centre, side, angle, size)
            )
            assert mean < 3
            assert most < 12


def test_odd_sizes_and_sizes_that_change(tmp_path: Path) -> None:
    (frame,) = read_frames(write_video(tmp_path / "odd.mp4", [scene(91, 127)], 30, crf=5))
    mean, _ = away(
        frame.crop((60, 40), 70, 0.2, 64), Picture.of(frame.image).crop((60, 40), 70, 0.2, 64)
    )
    assert mean < 3
    large = as_it_is(planar("yuv420p", 1, 1), width=120, height=90)
    mean, _ = away(
        large.crop((60, 40), 50, 0.2, 64),
        as_it_is(planar("yuv420p", 1, 1)).crop((120, 80), 100, 0.2, 64),
    )
    assert mean < 0.5


@pytest.mark.parametrize("size", [32, 64, 200])
@pytest.mark.parametrize("angle", [0.0, 0.5, -2.2])
def test_a_crop_shows_what_is_at_its_place(angle: float, size: int) -> None:
    """A ramp to the right in red and a ramp down in green tell where each pixel is from."""
    y, x = np.mgrid[0:250, 0:250]
    image = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    centre, side = (130.0, 110.0), 100.0
    part = Picture.of(image).crop(centre, side, angle, size).astype(float)
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    expected_x = centre[0] + side * (math.cos(angle) * u - math.sin(angle) * v) - 0.5
    expected_y = centre[1] + side * (math.sin(angle) * u + math.cos(angle) * v) - 0.5
    np.testing.assert_allclose(part[..., 0], expected_x, atol=1.5)
    np.testing.assert_allclose(part[..., 1], expected_y, atol=1.5)
    assert abs((part[..., 0] - expected_x).mean()) < 0.9


@pytest.mark.parametrize("step", [0.3, 1.0, 1.4, 2.7, 4.1])
@pytest.mark.parametrize("angle", [0.0, 0.02, 0.5, -2.2])
def test_resampling_is_exact_to_parts_of_a_pixel(angle: float, step: float) -> None:
    y, x = np.mgrid[0:250, 0:250].astype(np.float32) + np.float32(0.5)
    a, b = step * math.cos(angle), step * math.sin(angle)
    way = np.array([[a, -b, 125 - (a - b) * 16], [b, a, 125 - (b + a) * 16]])
    v, u = np.mgrid[0:32, 0:32] + 0.5
    for smoothly in (False, True):
        found = [resampled(plane, way, (32, 32), smoothly) for plane in (x, y)]
        for row, plane in zip(way, found, strict=True):
            np.testing.assert_allclose(plane, row[0] * u + row[1] * v + row[2], atol=0.08)


@pytest.mark.parametrize("side", [20, 60, 200, 900])
def test_outside_the_picture_its_edge_is_repeated(side: float) -> None:
    picture = Picture.of(np.full((60, 80, 3), 77, np.uint8))
    for centre in [(0, 0), (80, 60), (-500, 30), (40, 1000)]:
        np.testing.assert_array_equal(picture.crop(centre, side, 0.3, 32), 77)


def test_a_picture_of_a_few_pixels_is_seen_from_far_away() -> None:
    picture = Picture.of(np.full((2, 3, 3), 77, np.uint8))
    np.testing.assert_array_equal(picture.crop((1, 1), 600, 0.3, 32), 77)


@pytest.mark.parametrize("shrink", [2, 3, 5, 8])
def test_what_is_scaled_down_is_averaged(shrink: int) -> None:
    noise = np.random.default_rng(0).normal(128, 20, (64 * shrink, 64 * shrink, 1))
    image = np.repeat(noise.clip(0, 255), 3, axis=2).astype(np.uint8)
    side = 64 * shrink
    part = Picture.of(image).window((0, 0, side, side), (64, 64))[2:-2, 2:-2]
    assert float(part.std()) < 1.25 * 20 / shrink


def test_only_what_is_looked_at_is_converted() -> None:
    frame = planar("yuv420p", 1, 1)
    calls = []
    plain = as_it_is(frame)

    def convert() -> Image:
        calls.append(1)
        return plain.image

    picture = Picture(240, 180, convert, plain._stored)
    picture.crop((100, 100), 50, 0.0, 32)
    picture.window((0, 0, 240, 180), (48, 36))
    picture.spots()
    assert calls == []
    assert picture.image is picture.image
    assert calls == [1]


@pytest.mark.parametrize("size", [(180, 240), (20, 30), (1, 1)])
def test_spots_are_points_of_the_picture(size: tuple[int, int]) -> None:
    image = scene(*size)
    spots = Picture.of(image).spots()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    assert spots.shape == (min(32, size[0]), min(32, size[1]))
    assert (spots[0, 0], spots[-1, -1]) == (grey[0, 0], grey[-1, -1])


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("color_range", [1, 2])
def test_brightness_is_that_of_the_whole_image(name: str, color_range: int) -> None:
    plain = as_it_is(planar(name, 5, color_range))  # brightness as OpenCV defines it
    grey = cv2.cvtColor(plain.image, cv2.COLOR_RGB2GRAY)
    bright = plain.brightness()
    difference = np.abs(bright.grey(bright.plane).astype(int) - grey)
    assert difference.mean() < 2  # see above: the decoder library is too dark
    assert np.percentile(difference, 90) <= 3
    mean, _ = away(plain.spots(), Picture.of(plain.image).spots())
    assert mean < 2
    whole = Picture.of(plain.image).brightness()
    np.testing.assert_array_equal(whole.grey(whole.plane), grey)


def test_interlaced_pictures_are_cut_from_one_field(tmp_path: Path) -> None:
    comb = np.zeros((96, 128, 3), np.uint8)
    comb[0::2] = 200
    frame = av.VideoFrame.from_ndarray(comb, format="rgb24").reformat(format="yuv420p")
    interlaced = SimpleNamespace(
        format=frame.format,
        colorspace=frame.colorspace,
        interlaced_frame=True,
        to_ndarray=frame.to_ndarray,
        width=128,
        height=96,
    )
    part = as_it_is(interlaced).crop((64, 48), 40, 0.0, 40)
    assert np.ptp(part.astype(int)) <= 4
