"""Who is in a video and how it is taken: what is true of it, before anything is rendered."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError, ParameterError
from bitbox.synthetic.face import HEAD, Face
from bitbox.synthetic.movements import MOVEMENTS
from bitbox.synthetic.performance import Performance
from bitbox.synthetic.portrait import N_FACE, pupil_distance

FloatArray = NDArray[np.float64]

_FORMAT = "openbitbox-face-truth-1"


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody in a video.

    Parameters
    ----------
    performance : Performance
        What the person does.
    position : (float, float)
        Where the face is at rest, as shares of the width and height of the picture (of their half
        of it in a split screen). Put lower where the portrait would end above the lower edge.
    other : bool
        False: the portrait; True: the portrait mirrored and recoloured, as a second person.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import perform
    >>> from bitbox.synthetic.video import Person, Scene, stage
    >>> time = np.arange(3) / 30
    >>> left = Person(perform(time, {'smile': 1.0}, {'x': -80.0}))
    >>> right = Person(perform(time, {}, {'x': 80.0}), other=True)
    >>> len(stage([left, right], Scene(size=(320, 180))).faces())
    2
    """

    performance: Performance
    position: tuple[float, float] = (0.5, 0.45)
    other: bool = False


@dataclass(frozen=True)
class Scene:
    """How a video is taken.

    Parameters
    ----------
    size : (int, int)
        Width and height in pixels.
    eye_distance : float, optional
        Pixels between the pupils; 0.1 of the height unless given: with the field of view of 63
        degrees, a face half a metre from the camera.
    vertical_fov : float
        The camera's vertical field of view in degrees: how strongly perspective shows.
    split : bool
        Split screen: the first person in the left half, the second in the right one.
    noise : float
        Standard deviation of the image noise in grey levels (of 255).
    light : (float, float)
        Brightness at the beginning and at the end, as a factor; it changes evenly.
    motion_blur : float
        How long the shutter is open, as a share of the time between frames, 0 to 1.
    occluder : bool
        Whether a hand-sized patch moves to and fro before the first person's face.
    crf : int
        Compression of the video, see `bitbox.video.write_video`; above 35 blocks are seen.
    seed : int
        Where random numbers start.

    Examples
    --------
    >>> from bitbox.synthetic.video import Scene
    >>> Scene(size=(320, 180), noise=3).size
    (320, 180)
    """

    size: tuple[int, int] = (1280, 720)
    eye_distance: float | None = None
    vertical_fov: float = 63.0
    split: bool = False
    noise: float = 0.0
    light: tuple[float, float] = (1.0, 1.0)
    motion_blur: float = 0.0
    occluder: bool = False
    crf: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        fine = (
            min(self.size) >= 32
            and (self.eye_distance is None or self.eye_distance > 0)
            and self.noise >= 0
            and min(self.light) >= 0
            and 0 < self.vertical_fov < 180
            and 0 <= self.motion_blur <= 1
        )
        if not fine:
            raise ParameterError("A scene like this cannot be taken.", got=repr(self))

    @property
    def zoom(self) -> float:
        """Pixels of the picture that a pixel of the portrait takes."""
        wanted = self.eye_distance if self.eye_distance is not None else 0.1 * self.size[1]
        return wanted / pupil_distance()


@dataclass(frozen=True, eq=False)
class FaceTruth:
    """What is true of a rendered video.

    Parameters
    ----------
    people : tuple of Person
        Who is in it and what they do; the first is drawn first, so later ones pass before it.
    scene : Scene
        How it was taken.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import perform
    >>> from bitbox.synthetic.video import Scene, stage
    >>> truth = stage(perform(np.arange(3) / 30, {'smile': 1.0}), Scene(size=(320, 180)))
    >>> truth.mesh().shape
    (3, 468, 3)
    """

    people: tuple[Person, ...]
    scene: Scene
    _faces: list[Face] = field(default_factory=list, init=False, repr=False)

    @property
    def time(self) -> FloatArray:
        """Presentation time of each frame in seconds, shape (T,)."""
        return self.people[0].performance.time

    def movement(self, name: str, person: int = 0) -> FloatArray:
        """Return the amplitude of a single movement over time, shape (T,)."""
        return self.people[person].performance.drives[:, MOVEMENTS.index(name)]

    def head(self, name: str, person: int = 0) -> FloatArray:
        """Return yaw, pitch, roll (degrees), x, y (mm) or approach over time, shape (T,)."""
        return self.people[person].performance.head[:, HEAD.index(name)]

    def mesh(self, person: int = 0) -> FloatArray:
        """Return where the 468 face points are in each frame, shape (T, 468, 3), in pixels.

        For somebody `other` the points are those of the mirrored portrait: point 33, say, is at
        the subject's left eye.
        """
        performance = self.people[person].performance
        face = self.faces()[person]
        offset = np.array([self.left_edge(person), 0.0, 0.0])
        rows = zip(performance.drives, performance.head, strict=True)
        return np.stack([face.points(drives, head)[:N_FACE] + offset for drives, head in rows])

    def occluder(self) -> FloatArray:
        """Return the centre of the hand-sized patch in each frame, shape (T, 2), in pixels."""
        face = self.faces()[0]
        seconds = self.time - self.time[0]
        # to and fro across the face in 6 s, from well outside on either side
        x = face.centre[0] + 130 * face.pixels_per_mm * np.cos(2 * np.pi * seconds / 6)
        y = face.centre[1] + 25 * face.pixels_per_mm * np.sin(2 * np.pi * seconds / 2.7)
        return np.column_stack([x, y])

    def faces(self) -> list[Face]:
        """Return the renderers, one a person."""
        if not self._faces:
            width, height = self.scene.size
            size = (width // 2, height) if self.scene.split else (width, height)
            self._faces.extend(
                Face(
                    size,
                    self.scene.zoom,
                    person.position,
                    other_person=person.other,
                    vertical_fov=self.scene.vertical_fov,
                )
                for person in self.people
            )
        return self._faces

    def left_edge(self, person: int) -> int:
        """Return where the part of the picture that shows somebody begins, in pixels."""
        return person * (self.scene.size[0] // 2) if self.scene.split else 0

    def to_dict(self) -> dict[str, Any]:
        """Return the truth as plain values."""
        people = [
            {"position": list(p.position), "other": p.other, **p.performance.to_dict()}
            for p in self.people
        ]
        return {"format": _FORMAT, "scene": asdict(self.scene), "people": people}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the truth as JSON."""
        path = Path(path)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps(self.to_dict()), encoding="utf-8")
        part.replace(path)
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FaceTruth:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is none of ours.
        """
        try:
            plain = json.loads(Path(path).read_text(encoding="utf-8"))
            known = plain["format"] == _FORMAT
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} holds no truth about a video.", got=str(error)) from error
        if not known:
            raise InputError(f"{path} holds no truth about a video.", got=str(plain["format"]))
        scene = plain["scene"]
        scene["size"], scene["light"] = tuple(scene["size"]), tuple(scene["light"])
        people = []
        for p in plain["people"]:
            time = np.array(p["time"])
            drives = np.zeros((len(time), len(MOVEMENTS)))
            head = np.zeros((len(time), len(HEAD)))
            for name, course in p["movements"].items():
                drives[:, MOVEMENTS.index(name)] = course
            for name, course in p["head"].items():
                head[:, HEAD.index(name)] = course
            performance = Performance(time, drives, head)
            people.append(Person(performance, tuple(p["position"]), p["other"]))
        return cls(tuple(people), Scene(**scene))


def truth_path(video: str | os.PathLike[str]) -> Path:
    """Return where the truth about a video is kept: beside it, as ``name.truth.json``."""
    return Path(video).with_suffix(".truth.json")


def stage(people: Person | Performance | Sequence[Person], scene: Scene | None = None) -> FaceTruth:
    """Return the truth about a scene without rendering it.

    Raises
    ------
    ParameterError
        If there is nobody, or the times of two people differ.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.performance import perform
    >>> from bitbox.synthetic.video import Scene, stage
    >>> truth = stage(perform(np.arange(3) / 30, {}, {'yaw': 10.0}), Scene(size=(320, 180)))
    >>> truth.head('yaw')
    array([10., 10., 10.])
    """
    if isinstance(people, Performance):
        people = Person(people)
    if isinstance(people, Person):
        people = [people]
    if not people:
        raise ParameterError("There must be somebody in the video.")
    for person in people[1:]:
        if not np.array_equal(person.performance.time, people[0].performance.time):
            raise ParameterError("All people in a video need the same frame times.")
    return FaceTruth(tuple(people), scene or Scene())
