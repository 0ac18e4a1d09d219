"""Videos of faces in motion, with the truth about them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.progress import Progress
from bitbox.synthetic.face import backdrop
from bitbox.synthetic.performance import Performance
from bitbox.synthetic.portrait import as_image
from bitbox.synthetic.staging import FaceTruth, Person, Scene, stage, truth_path
from bitbox.video import write_video

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

__all__ = ["FaceTruth", "Person", "Scene", "render_frames", "render_video", "stage", "truth_path"]

_BLUR_STEPS = 4


def render_video(
    path: str | os.PathLike[str],
    people: Person | Performance | Sequence[Person],
    scene: Scene | None = None,
    *,
    rotation: int = 0,
    progress: Progress | None = None,
) -> FaceTruth:
    """Render people in motion to an H.264 file, and write the truth beside it as JSON.

    Parameters
    ----------
    path : path-like
        The video to write.
    people : Person or Performance, or sequence of Person
        Who is seen and what they do. All performances have the same times, which become the
        presentation times of the frames, also where they are irregular or do not begin at 0.
    scene : Scene, optional
        How it is taken.
    rotation : {0, 90, 180, 270}
        Store the picture turned, with the metadata that turn it back clockwise, as phones do.
    progress : Progress, optional
        Called after each frame.

    Returns
    -------
    FaceTruth

    Raises
    ------
    ParameterError
        If there is nobody, or the times of two people differ.
    OutputError
        If the video cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import perform
    >>> from bitbox.synthetic.video import Scene, render_video
    >>> performance = perform(np.arange(5) / 30, {'smile': lambda t: 6 * t})
    >>> truth = render_video('smile.mp4', performance, Scene(size=(320, 180)))
    >>> truth.movement('ul_left_corner_raise').round(1)
    array([0. , 0.2, 0.4, 0.6, 0.8])
    """
    truth = stage(people, scene)
    path = Path(path)
    time = truth.time
    fps = 1 / float(np.median(np.diff(time))) if len(time) > 1 else 30.0
    images = _shown(truth, path.name, progress)
    if rotation:
        images = (np.ascontiguousarray(np.rot90(image, rotation // 90)) for image in images)
    write_video(path, images, fps, times=time, crf=truth.scene.crf, rotation=rotation)
    truth.save(truth_path(path))
    return truth


def render_frames(truth: FaceTruth) -> Iterator[Image]:
    """Yield the frames of a scene as RGB images of shape (height, width, 3).

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import perform
    >>> from bitbox.synthetic.video import Scene, render_frames, stage
    >>> truth = stage(perform(np.arange(3) / 30, {'smile': 1.0}), Scene(size=(320, 180)))
    >>> [image.shape for image in render_frames(truth)]
    [(180, 320, 3), (180, 320, 3), (180, 320, 3)]
    """
    scene = truth.scene
    wall = backdrop(scene.size)
    rng = np.random.default_rng(scene.seed)
    grain = _grain(scene, rng)
    patch = truth.occluder() if scene.occluder else None
    light = np.linspace(*scene.light, len(truth.time))
    for number in range(len(truth.time)):
        image = _exposed(truth, wall, number)
        if patch is not None:
            _hand(image, patch[number], truth.faces()[0].pixels_per_mm)
        if light[number] != 1:
            image = as_image(image * light[number])
        if grain is not None:
            image = _with_grain(image, grain, rng)
        yield image


def _shown(truth: FaceTruth, name: str, progress: Progress | None) -> Iterator[Image]:
    for number, image in enumerate(render_frames(truth)):
        yield image
        if progress is not None:
            progress(f"Rendering {name}", number + 1, len(truth.time))


def _exposed(truth: FaceTruth, wall: Image, number: int) -> Image:
    """Return one frame, averaged over the time that the shutter is open."""
    shutter = truth.scene.motion_blur
    if shutter == 0:
        return _drawn(truth, wall, float(number))
    # half before and half after the frame's time, so that the blur does not shift it
    moments = number + shutter * ((np.arange(_BLUR_STEPS) + 0.5) / _BLUR_STEPS - 0.5)
    total = np.zeros(wall.shape, np.float32)
    for moment in moments:
        total += _drawn(truth, wall, float(np.clip(moment, 0, len(truth.time) - 1)))
    return as_image(total / _BLUR_STEPS)


def _drawn(truth: FaceTruth, wall: Image, moment: float) -> Image:
    """Return the picture at a moment, counted in frames; between frames things move evenly."""
    canvas = wall.copy()
    first = int(moment)
    share = moment - first
    for number, (person, face) in enumerate(zip(truth.people, truth.faces(), strict=True)):
        performance = person.performance
        after = min(first + 1, len(performance.time) - 1)
        drives, head = (
            (1 - share) * course[first] + share * course[after]
            for course in (performance.drives, performance.head)
        )
        if truth.scene.split:
            left = truth.left_edge(number)
            half = np.ascontiguousarray(canvas[:, left : left + face.size[0]])
            face.draw(half, drives, head)
            canvas[:, left : left + face.size[0]] = half
        else:
            face.draw(canvas, drives, head)
    return canvas


def _hand(image: Image, centre: FloatArray, pixels_per_mm: float) -> None:
    """Draw a hand-sized patch of skin (85 x 180 mm with a thumb), changing the image."""
    import cv2

    def at(x: float, y: float) -> tuple[int, int]:
        return round(float(centre[0]) + x * pixels_per_mm), round(
            float(centre[1]) + y * pixels_per_mm
        )

    def size(x: float, y: float) -> tuple[int, int]:
        return max(1, round(x * pixels_per_mm)), max(1, round(y * pixels_per_mm))

    skin, edge = (214, 160, 130), (170, 118, 92)
    for colour, grow in ((edge, 2.0), (skin, 0.0)):
        cv2.ellipse(
            image, at(0, 30), size(42 + grow, 55 + grow), 0, 0, 360, colour, -1, cv2.LINE_AA
        )
        for x, length in ((-30, 58), (-10, 68), (10, 66), (30, 54)):
            where = at(x, -length + 30)
            cv2.ellipse(
                image, where, size(9.5 + grow, 48 + grow), 0, 0, 360, colour, -1, cv2.LINE_AA
            )


def _grain(scene: Scene, rng: np.random.Generator) -> NDArray[np.int16] | None:
    if scene.noise == 0:
        return None
    width, height = scene.size
    field_ = rng.standard_normal((height + 97, width + 89, 3), dtype=np.float32)
    grain: NDArray[np.int16] = np.round(scene.noise * field_).astype(np.int16)
    return grain


def _with_grain(image: Image, grain: NDArray[np.int16], rng: np.random.Generator) -> Image:
    """Add image noise: a large field of it, shifted and turned anew for each frame."""
    height, width = image.shape[:2]
    top, left = int(rng.integers(97)), int(rng.integers(89))
    noise = grain[top : top + height, left : left + width]
    noise = noise[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))]
    return as_image(image.astype(np.int16) + noise)
