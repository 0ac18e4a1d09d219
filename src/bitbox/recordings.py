"""One person's recording for the main job: a video, or signals that were measured before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError
from bitbox.files import reason
from bitbox.progress import Progress
from bitbox.provenance import hash_file
from bitbox.quality import Finding
from bitbox.signals import Signals

Role = Literal["participant", "model"]


@dataclass(frozen=True)
class Choice:
    """A set of signals that the command can analyse: output, kind, rotation or translation."""

    output: str
    kind: str
    angular: bool = True


#: What ``--signals`` accepts.
SIGNALS: Mapping[str, Choice] = {
    "expression-local": Choice("expression-local", "expression"),
    "expression-global": Choice("expression-global", "expression"),
    "landmarks": Choice("landmark", "landmark"),
    "landmarks-3d": Choice("landmark-can", "landmark-can"),
    "pose": Choice("pose", "pose"),
    "position": Choice("pose", "pose", angular=False),
}
#: What is measured in a video unless something else is asked for.
DEFAULT = "expression-local"

#: Endings of what `bitbox.readers` understands; everything else is taken for a video.
_SIGNAL_FILES = (".parquet", ".csv", ".tsv", ".txt", ".json", ".3di", ".3dil")


@dataclass(frozen=True)
class Recording:
    """One person's signals and where they come from.

    Attributes
    ----------
    role : {'participant', 'model'}
        Who it is.
    path : Path
        The file.
    signals : Signals
        What is analysed.
    landmarks : Signals or None
        Points in the picture, where it was a video.
    findings : tuple of Finding
        What was noticed while measuring.
    sha256 : str or None
        Hash of the file's content when it was read; None for a folder.
    """

    role: Role
    path: Path
    signals: Signals
    landmarks: Signals | None = None
    findings: tuple[Finding, ...] = ()
    sha256: str | None = None

    def pictures(self, count: int = 4) -> list[tuple[float, NDArray[np.uint8], NDArray[Any]]]:
        """Return a few frames in which the face was tracked: (time, image, points (51, 2))."""
        if self.landmarks is None:
            return []
        from bitbox.video import frames_at

        tracked = np.flatnonzero(np.isfinite(self.landmarks.values).all(axis=1))
        if not len(tracked):
            return []
        chosen = tracked[np.linspace(0, len(tracked) - 1, count + 2).astype(int)[1:-1]]
        points = self.landmarks.values.reshape(len(self.landmarks.time), -1, 2)
        images = frames_at(self.path, list(self.landmarks.time[chosen]))
        return [
            (float(self.landmarks.time[row]), image, points[row])
            for row, image in zip(chosen, images, strict=True)
        ]


def is_video(path: Path) -> bool:
    """Whether a file is to be treated as a video: anything not named like a file of signals."""
    return not os.path.isdir(path) and path.suffix.lower() not in _SIGNAL_FILES


def load_recording(
    path: str | Path,
    role: Role,
    choice: str | None = None,
    *,
    face: str | int = "largest",
    fps: float | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Measure a video, or read signals that were measured before.

    Parameters
    ----------
    path : path
        A video, a Parquet file of Signals, or a file that `bitbox.readers` understands.
    role : {'participant', 'model'}
        Whose recording it is.
    choice : str, optional
        Which signals to measure, one of `SIGNALS`; a file of signals must hold this kind. None:
        `DEFAULT` for a video, and whatever a file of signals holds.
    face : {'largest', 'left', 'right'} or int
        Which face of a video to follow.
    fps : float, optional
        Frame rate of a table that has no times.
    cache : Path, optional
        Folder in which measured signals are kept.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Raises
    ------
    InputError
        If the file cannot be used; VideoError where it is a video.
    """
    path = Path(path)
    try:
        path.stat()
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise InputError(
            f"There is no file called {path}."
            if missing
            else f"{str(path)!r} cannot be opened ({reason(error)}).",
            todo=f"Check the name of the {role}'s recording.",
        ) from None
    if not is_video(path):
        return _read(path, role, choice, fps)
    from bitbox.face_backend import FaceProcessor

    processor = FaceProcessor(face=face, progress=progress)
    processor.io(path, cache)
    # Not normalised: correlation doesn't depend on scale, and the gain compares millimetres.
    landmarks = processor.detect_landmarks()
    output = SIGNALS[choice or DEFAULT].output
    if output == "landmark":
        signals = landmarks
    elif output == "expression-local":
        signals = processor.localized_expressions(normalize=False)
    else:
        names = ("expression-global", "pose", "landmark-can")
        signals = processor.fit(normalize=False)[names.index(output)]
    digest = str(signals.provenance["source"]["sha256"])
    return Recording(role, path, signals, landmarks, processor.findings, digest)


def _read(path: Path, role: Role, choice: str | None, fps: float | None) -> Recording:
    from bitbox.readers import read_signals

    kind = None if choice is None else SIGNALS[choice].kind
    digest = hash_file(path) if path.is_file() else None
    return Recording(role, path, read_signals(path, fps=fps, kind=kind), sha256=digest)
