"""The demonstration: a model, and a participant who imitates most of what the model does."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bitbox.errors import OutputError, ParameterError
from bitbox.progress import Progress
from bitbox.synthetic.movements import EXPRESSIONS, displacements
from bitbox.synthetic.performance import Bursts, Performance, perform
from bitbox.synthetic.portrait import portrait
from bitbox.synthetic.video import Person, Scene, render_video, truth_path
from bitbox.system.scratch import tidy, unfinished

if TYPE_CHECKING:
    import pandas as pd

FPS = 30.0
DELAY = 0.4
#: Size of the participant's own movements in what it imitates, relative to the model's.
_OWN = 0.1
#: The local units that an expression moves most, and the angle of a head movement.
_TELLING = {
    "smile": ("ul_left_corner_raise", "ul_right_corner_raise"),
    "mouth_open": ("ll_jaw_drop",),
    "lip_raise": ("ul_raise",),
    "brow_raise": ("lb_inner_raise", "lb_outer_raise", "rb_inner_raise", "rb_outer_raise"),
    "pitch": ("Rx",),
    "yaw": ("Ry",),
}
#: What is imitated, and how large; None: not at all.
_GAINS: dict[str, float | None] = {
    "smile": 0.75,
    "mouth_open": 0.65,
    "lip_raise": 0.8,
    "brow_raise": None,
    "pitch": 0.7,
    "yaw": None,
}


@dataclass(frozen=True)
class DemoMovement:
    """What is true of one movement of the demonstration.

    Parameters
    ----------
    movement : str
        A facial expression, or ``pitch`` (nodding) or ``yaw`` (turning) of the head.
    signals : tuple of str
        Signals that tell it: local units, or Rx and Ry of the head pose.
    imitated : bool
        Whether the participant imitates it.
    delay : float or None
        Seconds by which the participant follows.
    gain : float or None
        Size of the imitated movement relative to the model's.
    """

    movement: str
    signals: tuple[str, ...]
    imitated: bool
    delay: float | None
    gain: float | None


@dataclass(frozen=True)
class DemoTruth:
    """What is true of the demonstration: see `DemoMovement`; and its frame rate and length."""

    movements: tuple[DemoMovement, ...]
    fps: float
    duration: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a signal: movement, imitated, delay, gain; NaN where not imitated."""
        import pandas as pd

        rows = [
            {
                "signal": signal,
                "movement": m.movement,
                "imitated": m.imitated,
                "delay": np.nan if m.delay is None else m.delay,
                "gain": np.nan if m.gain is None else m.gain,
            }
            for m in self.movements
            for signal in m.signals
        ]
        return pd.DataFrame(rows).set_index("signal")


class DemoPair(NamedTuple):
    """Two videos, and what is true of them."""

    participant: Path
    model: Path
    truth: DemoTruth


def demo_truth(duration: float = 24.0) -> DemoTruth:
    """Return what is true of the demonstration.

    Examples
    --------
    >>> from bitbox.synthetic.demo import demo_truth
    >>> demo_truth(24.0).to_frame().shape[0] > 5
    True
    """
    movements = tuple(
        DemoMovement(
            name, _TELLING[name], gain is not None, DELAY if gain is not None else None, gain
        )
        for name, gain in _GAINS.items()
    )
    return DemoTruth(movements, FPS, duration)


def demo_performances(duration: float = 24.0) -> tuple[Performance, Performance]:
    """Return what the participant and the model do.

    The participant does what the model does 0.4 s later and weaker, with small movements of its
    own. It does not imitate raising the brows and turning the head: it does both by itself, as
    often as the model.

    Parameters
    ----------
    duration : float
        Seconds, at 30 frames a second.
    """
    time = np.arange(round(duration * FPS)) / FPS
    models = {name: _alone(name, duration, 10 * number) for number, name in enumerate(_GAINS)}
    followers: dict[str, Any] = {}
    for number, (name, gain) in enumerate(_GAINS.items()):
        own = _alone(name, duration, 10 * number + 5)
        followers[name] = own if gain is None else _Sum(models[name].imitated(DELAY, gain), own)
    return _performance(time, followers), _performance(time, models)


def render_demo(
    folder: str | os.PathLike[str] | None = None,
    *,
    duration: float = 24.0,
    size: tuple[int, int] = (1280, 720),
    progress: Progress | None = None,
) -> DemoPair:
    """Render the two videos of the demonstration, or take them from the cache.

    Parameters
    ----------
    folder : path-like, optional
        Where to put ``participant.mp4`` and ``model.mp4`` with the truth beside them; made if it
        is not there. They stay in the cache unless given.
    duration : float
        Seconds, 5 at least.
    size : (int, int)
        Width and height in pixels.
    progress : Progress, optional
        Called while rendering.

    Returns
    -------
    DemoPair

    Raises
    ------
    ParameterError
        If the duration is under 5 s.
    OutputError
        If cache or folder cannot be written.

    Examples
    --------
    >>> from bitbox.synthetic.demo import render_demo
    >>> pair = render_demo('demo', duration=5, size=(320, 180))
    >>> pair.participant.name, pair.model.name
    ('participant.mp4', 'model.mp4')
    """
    if duration < 5:
        raise ParameterError("The demonstration takes 5 s at least.", got=f"{duration} s")
    scene = Scene(size=size)
    settings = {"duration": duration, "scene": asdict(scene), "code": _code_version()}
    key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:24]
    try:
        kept = _cached(cache_folder() / f"demo-{key}", duration, scene, progress)
        if folder is not None:
            kept = _copied(kept, Path(folder))
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            "The demonstration videos cannot be written.",
            got=str(error),
            todo="Set BITBOX_CACHE_DIR to a folder that can be written to and has space.",
        ) from error
    return DemoPair(kept / "participant.mp4", kept / "model.mp4", demo_truth(duration))


def cache_folder() -> Path:
    """Return the folder for rendered videos: in BITBOX_CACHE_DIR, or the user's cache."""
    chosen = os.environ.get("BITBOX_CACHE_DIR")
    if chosen:
        return Path(chosen) / "synthetic"
    import platformdirs

    return Path(platformdirs.user_cache_dir("bitbox")) / "synthetic"


class _Sum:
    """Two time courses at once."""

    def __init__(self, one: Bursts, other: Bursts) -> None:
        self._one, self._other = one, other

    def __call__(self, time: Any) -> Any:
        return self._one(time) + _OWN * self._other(time)


def _alone(name: str, duration: float, seed: int) -> Bursts:
    """Return somebody's own movement: the same style for everybody, other times."""
    if name in EXPRESSIONS:
        return Bursts.random(duration, seed, rest=0.15, size=(0.6, 1.1))
    return Bursts.random(duration, seed, length=(1.3, 2.0), rest=0.15, size=(4.0, 7.0), signed=True)


def _performance(time: Any, courses: dict[str, Any]) -> Performance:
    faces = {name: course for name, course in courses.items() if name in EXPRESSIONS}
    heads = {name: course for name, course in courses.items() if name not in EXPRESSIONS}
    return perform(time, faces, heads)


_UNFINISHED = ".demo-"


def _code_version() -> str:
    """Return a hash of the code and numbers that the videos are made with."""
    whole = hashlib.sha256()
    for package, ending in (
        ("bitbox.synthetic", (".py", ".csv")),
        ("bitbox.video", ("writing.py",)),
    ):
        for entry in sorted(resources.files(package).iterdir(), key=lambda e: e.name):
            if entry.name.endswith(ending):
                whole.update(entry.name.encode() + b"\0" + entry.read_bytes())
    return whole.hexdigest()


def _cached(folder: Path, duration: float, scene: Scene, progress: Progress | None) -> Path:
    """Return the folder of the rendered videos; it only has its name once it is complete."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    tidy(folder.parent, _UNFINISHED)
    with unfinished(folder.parent, _UNFINISHED) as place:
        part = place / "videos"
        part.mkdir()
        _render(part, duration, scene, progress)
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():  # not because somebody else was faster
                raise
    return folder


def _render(folder: Path, duration: float, scene: Scene, progress: Progress | None) -> None:
    """Render both videos at the same time, each in a thread: drawing and coding free Python."""
    portrait(), displacements()  # made once, before two threads ask for them
    participant, model = demo_performances(duration)
    people = {
        "participant.mp4": Person(participant, other=True),
        "model.mp4": Person(model),
    }
    total = sum(len(person.performance.time) for person in people.values())
    done = dict.fromkeys(people, 0)
    lock = threading.Lock()
    stopped = threading.Event()

    def render(name: str) -> None:
        def advance(task: str, count: int, _: int | None) -> None:
            del task
            if stopped.is_set():
                raise KeyboardInterrupt
            with lock:
                done[name] = count
                if progress is not None:
                    progress("Rendering the demonstration", sum(done.values()), total)

        render_video(folder / name, people[name], scene, progress=advance)

    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(render, name) for name in people]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            stopped.set()  # or Ctrl-C would wait for the other video
            raise


def _copied(kept: Path, folder: Path) -> Path:
    """Copy the videos and their truth, each under a temporary name first."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("participant.mp4", "model.mp4"):
        for source in (kept / name, truth_path(kept / name)):
            part = folder / f".{source.name}.{os.getpid()}.part"
            try:
                shutil.copyfile(source, part)
                part.replace(folder / source.name)
            finally:
                part.unlink(missing_ok=True)
    return folder
