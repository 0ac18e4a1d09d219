"""The demonstration of bodies: a figure that moves arms, legs and trunk, and one that imitates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import OutputError, ParameterError
from bitbox.files import reason
from bitbox.progress import Progress
from bitbox.synthetic.body import render_body
from bitbox.synthetic.demo import DemoMovement, DemoPair, DemoTruth
from bitbox.synthetic.performance import Bursts

FloatArray = NDArray[np.float64]

FPS = 20.0
DELAY = 0.5
SIZE = (270, 360)


class _Move(NamedTuple):
    """A movement: angles that make it, how far it goes (degrees), and its gain; None: not imitated.

    `at_rest` is where it begins.
    """

    angles: tuple[str, ...]
    size: tuple[float, float]
    gain: float | None
    at_rest: float = 0.0


#: All of them lie in the picture plane, where one camera sees them well.
_MOVES = {
    "left arm raised": _Move(("left_shoulder_elevation",), (40.0, 100.0), 0.8, 12.0),
    "right arm raised": _Move(("right_shoulder_elevation",), (40.0, 100.0), 0.7, 12.0),
    "trunk bent sideways": _Move(("trunk_bend",), (8.0, 18.0), 0.75),
    "legs spread": _Move(("left_hip_abduction", "right_hip_abduction"), (8.0, 18.0), None, 4.0),
}
# Size of the participant's own movements in what it imitates, relative to the model's.
_OWN = 0.1


def body_demo_truth(duration: float = 60.0) -> DemoTruth:
    """Return what is true of the demonstration of bodies.

    Examples
    --------
    >>> from bitbox.synthetic.demo_body import body_demo_truth
    >>> body_demo_truth().to_frame()['imitated'].tolist()
    [True, True, True, False, False]
    """
    movements = tuple(
        DemoMovement(name, m.angles, m.gain is not None, DELAY if m.gain else None, m.gain)
        for name, m in _MOVES.items()
    )
    return DemoTruth(movements, FPS, duration)


def body_demo_poses(duration: float) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return the poses of participant and model, frame by frame, in degrees."""
    time = np.arange(round(duration * FPS)) / FPS
    mine: dict[str, FloatArray] = {}
    theirs: dict[str, FloatArray] = {}
    for number, move in enumerate(_MOVES.values()):
        signed = "trunk_bend" in move.angles
        model, own = (
            Bursts.random(
                duration, seed, length=(1.4, 2.2), rest=0.4, size=move.size, signed=signed
            )
            for seed in (10 * number + 3, 10 * number + 7)
        )
        course = own(time)
        if move.gain is not None:
            course = model.imitated(DELAY, move.gain)(time) + _OWN * course
        for angle in move.angles:
            theirs[angle] = move.at_rest + model(time)
            mine[angle] = move.at_rest + course
    return tuple(  # type: ignore[return-value]
        [{name: float(course[k]) for name, course in courses.items()} for k in range(len(time))]
        for courses in (mine, theirs)
    )


def render_body_demo(
    folder: str | os.PathLike[str], *, duration: float = 60.0, progress: Progress | None = None
) -> DemoPair:
    """Render two videos of a figure, of which one imitates the other, half a second later.

    Parameters
    ----------
    folder : path-like
        Where to put ``participant-body.mp4`` and ``model-body.mp4``; made if it is not there.
    duration : float
        Seconds, 5 at least, at 20 frames a second.
    progress : callable, optional
        Called while rendering.

    Raises
    ------
    ParameterError
        If the duration is under 5 s.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> from bitbox.synthetic.demo_body import render_body_demo
    >>> render_body_demo('demo', duration=5).model.name
    'model-body.mp4'
    """
    if duration < 5:
        raise ParameterError("The demonstration takes 5 s at least.", got=f"{duration} s")
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The demonstration videos cannot be written to {folder}: {reason(error)}.",
            todo="Choose a folder that you may write to, with -o.",
        ) from error
    paths = folder / "participant-body.mp4", folder / "model-body.mp4"
    both = body_demo_poses(duration)
    for number, (path, poses) in enumerate(zip(paths, both, strict=True)):
        if progress is not None:
            progress("Rendering the demonstration", number * len(poses), 2 * len(poses))
        render_body(poses, path, fps=FPS, size=SIZE, seed=number)
    return DemoPair(*paths, body_demo_truth(duration))
