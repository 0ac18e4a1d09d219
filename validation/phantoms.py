"""Measure what is taken for a face and is none, and whether any real face is taken for a drawn one.

``python -m validation.phantoms --write`` makes drawn faces and lettering, compressed, blurred and
noisy at random, and films the development people in hard light and bad pictures; all are tracked,
and the table goes between the marks in ``docs/validation/robustness.md``: one table for the models
that MediaPipe brings along, one for newer versions. ``--emoji FONT`` adds faces of a font of
coloured pictures, 136 pixels wide; ``--photos FOLDER`` all faces found in photographs, moved a
little and spoilt as well.

What counts as painted was worked out with ``--seed 1`` and other people. The tables are of the
seed that is used unless another is named.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time, thread_time
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from validation.drawn import STYLES, emoji, film, lettering
from validation.humans.people import Person, of
from validation.humans.performance import all_at_once
from validation.humans.render import LIGHTS, Camera, Light, Renderer, as_seen
from validation.page import put_tables

from bitbox.errors import VideoError
from bitbox.face_backend.mediapipe import chosen_model, open_runtime, track_mesh
from bitbox.face_backend.painted import MOST_EVEN, Paint
from bitbox.measuring.models import brings_models
from bitbox.synthetic.performance import perform
from bitbox.synthetic.video import Scene, render_frames, stage
from bitbox.video import Picture, write_video

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]
Image = NDArray[np.uint8]

PAGE = Path(__file__).parents[1] / "docs" / "validation" / "robustness.md"
FPS, FRAMES = 15.0, 16
CAMERA = Camera(63.0, (320, 320), 60.0)
#: Lights that leave skin without shade, or half of it without light.
HARD = (
    Light("soft", (0.0, -0.2, -0.95), (0.0, 0.2, -0.95), (0.35, 0.15, 0.6), shadow=0.0),
    Light("half", (-0.95, -0.1, -0.2), (0.7, 0.0, -0.7), (0.9, 0.0, 0.02), shadow=1.0),
    Light("ring", (0.0, 0.0, -1.0), (0.0, -0.05, -1.0), (0.6, 0.3, 0.15), shadow=0.0),
)


@dataclass(frozen=True)
class Spoilt:
    """What happens to pictures of people.

    Parameters
    ----------
    name : str
    crf : int
        Compression, see `bitbox.video.write_video`.
    bright : float
        Light there is, as a share of the right amount.
    noise : float
        Grey levels.
    size : float
        Pixels that one becomes, along both sides.
    smooth : int
        How often skin is smoothed as programs for calls do.
    blur : float
        Pixels.
    """

    name: str
    crf: int = 18
    bright: float = 1.0
    noise: float = 0.0
    size: float = 1.0
    smooth: int = 0
    blur: float = 0.0


SPOILT = (
    Spoilt("without noise, crf 18"),
    Spoilt("crf 28", crf=28, noise=1.5),
    Spoilt("noisy webcam, crf 32", crf=32, noise=4.0),
    Spoilt("crf 36", crf=36),
    Spoilt("crf 40", crf=40),
    Spoilt("dark", crf=23, bright=0.015, noise=5.0),
    Spoilt("dark, without noise, crf 36", crf=36, bright=0.03),
    Spoilt("dim, crf 36", crf=36, bright=0.1),
    Spoilt("too bright, twice", crf=23, bright=2.0, noise=1.5),
    Spoilt("too bright, four times", crf=28, bright=4.0),
    Spoilt("40 pixels between the eyes, crf 32", crf=32, noise=1.5, size=2 / 3),
    Spoilt("25 pixels between the eyes, crf 28", crf=28, size=25 / 60),
    Spoilt("smoothed skin, crf 28", crf=28, bright=1.2, smooth=2),
    Spoilt("out of focus, crf 32", crf=32, blur=2.0),
)


@dataclass
class Row:
    """What was made of some films.

    Attributes
    ----------
    films, taken, told : int
        How many; in how many a face is measured; in how many of those it is said to be drawn.
    frames, missing : int
        Of all frames, in how many nothing is measured.
    most : float
        The largest share of a face that is even.
    """

    films: int = 0
    taken: int = 0
    told: int = 0
    frames: int = 0
    missing: int = 0
    most: float = 0.0

    def add(self, images: Sequence[Image], crf: int, folder: Path) -> None:
        """Write a film, track the face in it, and count."""
        path = write_video(folder / "film.mp4", images, FPS, crf=crf)
        told, seen = False, 0
        even: list[float] = []

        def is_painted(paint: Paint) -> bool | None:
            found = paint.evenness()
            even.append(found or 0.0)
            return None if found is None else found > MOST_EVEN

        with mock.patch.object(Paint, "is_painted", is_painted):
            try:
                track = track_mesh(path)
            except VideoError:
                track = None
        if track is not None:
            seen = int((track.confidence > 0).sum())
            told = any(finding.code == "drawn" for finding in track.findings)
        self.films += 1
        self.taken += seen > 0
        self.told += told
        self.frames += len(images)
        self.missing += len(images) - seen
        self.most = max(self.most, *even, 0.0)


# --- what is no face -----------------------------------------------------------------------------


def noisy(images: Sequence[Image], noise: float, blur: float, seed: int) -> list[Image]:
    """Return pictures out of focus and with noise."""
    import cv2

    random = np.random.default_rng(seed)
    shown = []
    for image in images:
        now = image.astype(np.float32)
        if blur > 0:
            now = np.asarray(cv2.GaussianBlur(now, (0, 0), blur))
        if noise > 0:
            now = now + np.float32(noise) * random.standard_normal(now.shape, dtype=np.float32)
        shown.append(np.clip(now + 0.5, 0, 255).astype(np.uint8))
    return shown


def phantoms(seed: int, count: int, font: Path | None, folder: Path) -> dict[str, Row]:
    """Measure what is no face: so many of each style, and five times as many titles."""
    styles = (*STYLES, *(["emoji"] if font else []), *["lettering"] * 5)
    rows = {style: Row() for style in styles}
    for number in range(count):
        for place, style in enumerate(styles):
            own = 100_000 * seed + 100 * number + place
            random = np.random.default_rng(own + 50)
            size, crf = random.uniform(40, 125), int(random.choice([18, 23, 28, 32, 36]))
            noise, blur = random.choice([0, 0, 1.5, 4]), random.choice([0, 0, 0.8, 1.5])
            if style == "lettering":
                images = [lettering(own)] * 6
            elif style == "emoji" and font is not None:
                images = emoji(own, FRAMES, size, font)
            else:
                images = film(own, FRAMES, style, size)
            rows[style].add(noisy(images, noise, blur, own), crf, folder)
        print(f"{number + 1} of {count} of each kind", flush=True)
    return rows


# --- people --------------------------------------------------------------------------------------


def spoil(lights: Sequence[Float32], how: Spoilt, seed: int) -> list[Image]:
    """Return pictures from linear light, shape (height, width, 3) each."""
    import cv2

    shown = []
    for light in lights:
        if how.size < 1:
            height, width = (2 * round(side * how.size / 2) for side in light.shape[:2])
            light = cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA)
        image = as_seen(how.bright * light)
        for _ in range(how.smooth):
            image = np.asarray(cv2.bilateralFilter(image, 9, 40, 9), dtype=np.uint8)
        shown.append(image)
    return noisy(shown, how.noise, how.blur, seed)


def filmed(person: Person, light: Light, seed: int) -> list[Float32]:
    """Return linear light of somebody who moves."""
    performance = all_at_once(9000 + 100 * person.seed + seed, True, FRAMES / 8, 8.0)
    renderer = Renderer(person, CAMERA, light)
    acts = zip(performance.drives, performance.turns, performance.time, strict=True)
    return [renderer.picture(*act) for act in acts]


def portrait() -> list[Float32]:
    """Return linear light of the portrait, smiling."""
    time = np.arange(FRAMES) / FPS
    truth = stage(perform(time, {"smile": lambda t: 3 * t}, {"yaw": 5.0}), Scene(size=(480, 360)))
    return [_linear(image) for image in render_frames(truth)]


def photographed(folder: Path) -> Iterator[list[Float32]]:
    """Yield linear light of each face in the photographs of a folder, moved a little."""
    import cv2

    with open_runtime(chosen_model()) as runtime:
        for path in sorted(folder.iterdir()):
            found = cv2.imread(str(path))
            if found is None:
                continue
            image = np.ascontiguousarray(found[..., ::-1])
            for face in runtime.find(Picture.of(image), closely=True):
                side = min(320.0, max(160.0, 2 * face.size))
                scale = side / (2.6 * face.size)
                if scale < 0.7:
                    source = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.45 / scale))
                else:
                    source = image
                yield [
                    _linear(_moved(source, face.centre, scale, round(side), number))
                    for number in range(FRAMES)
                ]


def _moved(image: Image, centre: FloatArray, scale: float, side: int, number: int) -> Image:
    """Return a square around a face that sways."""
    import cv2

    tilt, near = 0.04 * np.sin(0.5 * number), scale * (1 + 0.03 * np.sin(0.3 * number))
    c, s = near * np.cos(tilt), near * np.sin(tilt)
    turn = np.array([[c, -s], [s, c]])
    middle = np.array([side / 2 + 4 * np.sin(0.4 * number), side / 2])
    way = np.column_stack([turn, middle - turn @ centre])
    return np.asarray(
        cv2.warpAffine(image, way, (side, side), flags=3, borderMode=cv2.BORDER_REPLICATE)
    )


def _linear(image: Image) -> Float32:
    return np.asarray((image / np.float32(255)) ** np.float32(2.2), dtype=np.float32)


def people(seed: int, photos: Path | None, folder: Path) -> dict[str, Row]:
    """Measure real faces, each of them spoilt in all ways."""
    rows = {how.name: Row() for how in SPOILT}

    def measure(lights: list[Float32], name: str) -> None:
        for how in SPOILT:
            rows[how.name].add(spoil(lights, how, seed), how.crf, folder)
        print(f"{name}: measured", flush=True)

    measure(portrait(), "the portrait")
    for number, person in enumerate(of("development" if seed != 1 else "calibration")):
        for light in (list(LIGHTS.values())[number % len(LIGHTS)], HARD[number % len(HARD)]):
            measure(filmed(person, light, seed), f"{person.name}, {light.name}")
    for number, lights in enumerate(photographed(photos) if photos else []):
        measure(lights, f"photograph {number}")
    return rows


# --- what it costs -------------------------------------------------------------------------------


def cost(folder: Path) -> float:
    """Return which share of the processor time of tracking is spent on looking for paint."""
    time = np.arange(150) / 30
    truth = stage(perform(time, {"smile": lambda t: t}), Scene(size=(640, 480), noise=2.0))
    path = write_video(folder / "portrait.mp4", list(render_frames(truth)), 30)
    spent = 0.0

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            nonlocal spent
            start = thread_time()
            try:
                return method(*given)
            finally:
                spent += thread_time() - start

        return run

    track_mesh(path)  # what is computed once is computed
    with (
        mock.patch.object(Paint, "add", timed(Paint.add)),
        mock.patch.object(Paint, "is_painted", timed(Paint.is_painted)),
    ):
        start = process_time()
        track_mesh(path)
        return spent / (process_time() - start)


# --- the page ------------------------------------------------------------------------------------


def tables(none: dict[str, Row], real: dict[str, Row], share: float) -> list[str]:
    """Return the tables as lines of Markdown."""
    lines = [
        "| no face | films | taken for a face | of these said to be drawn |",
        "|---|---|---|---|",
    ]
    for name, row in none.items():
        lines.append(f"| {name} | {row.films} | {row.taken} | {row.told} |")
    lines += [
        "",
        f"| real faces | films | frames missing | said to be drawn | most even, of {MOST_EVEN} |",
        "|---|---|---|---|---|",
    ]
    for name, row in real.items():
        cells = f"{row.films} | {row.missing} of {row.frames} | {row.told} | {row.most:.3f}"
        lines.append(f"| {name} | {cells} |")
    lines += ["", f"Looking for paint takes {100 * share:.1f} % of the processor time of tracking."]
    return lines


def write(lines: list[str]) -> None:
    """Put the tables on the page."""
    put_tables(PAGE, "phantoms" if brings_models() else "phantoms, newer models", lines)


def main() -> None:
    """Make, measure, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--count", type=int, default=30, help="drawn faces of each style")
    parser.add_argument("--emoji", type=Path, help="a font of coloured pictures")
    parser.add_argument("--photos", type=Path, help="a folder of photographs of people")
    parser.add_argument("--write", action="store_true", help="into the docs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        none = phantoms(given.seed, given.count, given.emoji, Path(name))
        real = people(given.seed, given.photos, Path(name))
        share = cost(Path(name))
    lines = tables(none, real, share)
    print("\n".join(lines))
    if given.write:
        write(lines)


if __name__ == "__main__":
    main()
