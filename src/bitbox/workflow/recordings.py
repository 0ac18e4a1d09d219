"""One person's recording for the main job: a video, or signals that were measured before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bitbox.errors import BitboxError, InputError, NoClockError, ParameterError
from bitbox.face_backend import Cache
from bitbox.files import reason
from bitbox.findings import Finding
from bitbox.progress import Progress
from bitbox.provenance import hash_file
from bitbox.report.content import Picture
from bitbox.signals import Signals
from bitbox.system.cores import beside_others
from bitbox.workflow.album import pictures

Role = Literal["participant", "model"]


@dataclass(frozen=True)
class Choice:
    """A set of signals that the command can analyse: output, kind, rotation or translation."""

    output: str
    kind: str
    angular: bool = True
    word: str = ""  # of the schema, where signals of one kind differ

    @property
    def of_body(self) -> bool:
        """Whether it is measured of the body, and not of the face."""
        return self.kind == "body"


#: What ``--signals`` accepts.
SIGNALS: Mapping[str, Choice] = {
    "expression-local": Choice("expression-local", "expression", word="-local-"),
    "expression-global": Choice("expression-global", "expression", word="-global-"),
    "landmarks": Choice("landmark", "landmark"),
    "landmarks-3d": Choice("landmark-can", "landmark-can"),
    "pose": Choice("pose", "pose"),
    "position": Choice("pose", "pose", angular=False),
    "body-angles": Choice("angles", "body", word="-angles"),
    "body-joints": Choice("joints-can", "body", word="-joints-can"),
    "hands": Choice("hands", "body", word="-hands"),
    "motion": Choice("motion", "body", word="-motion"),
}
#: What is measured in a video unless something else is asked for.
DEFAULT = "expression-local"

#: Endings of what the readers tell to save as text.
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods")
#: Endings of what `bitbox.readers` understands; everything else is taken for a video.
_SIGNAL_FILES = (
    *(".parquet", ".csv", ".tsv", ".tab", ".txt", ".json", ".3di", ".3dil"),
    *_SPREADSHEETS,
)


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
        Points in the picture, where it was a video: of the face, or the joints of the body.
    findings : tuple of Finding
        What was noticed while measuring.
    sha256 : str or None
        Hash of the file's content when it was read; None for a folder.
    cache : Cache or None
        Where what was measured is kept, and pictures beside it.
    flipped : bool
        Whether its picture was flipped by the camera; `signals` are turned back.
    """

    role: Role
    path: Path
    signals: Signals
    landmarks: Signals | None = None
    findings: tuple[Finding, ...] = ()
    sha256: str | None = None
    cache: Cache | None = None
    flipped: bool = False

    @property
    def is_video(self) -> bool:
        """Whether it was measured in a video, and not read from a file of signals."""
        return self.landmarks is not None

    def pictures(self, count: int = 4) -> list[Picture]:
        """Return a few pictures of the person, spread over the frames with somebody in them."""
        if self.landmarks is None:
            return []
        return pictures(self.path, self.landmarks, self.cache, count)


def is_video(path: Path) -> bool:
    """Whether a file is to be treated as a video: anything not named like a file of signals."""
    return not os.path.isdir(path) and path.suffix.lower() not in _SIGNAL_FILES


def is_table(path: Path) -> bool:
    """Whether a file is to be treated as another program's output, of which more can be stated."""
    return not is_video(path) and path.suffix.lower() != ".parquet"


def load_recording(
    path: str | Path,
    role: Role,
    choice: str | None = None,
    *,
    face: str | int | None = None,
    common_fps: float | None = None,
    body_fps: float | None = None,
    stated: Mapping[str, Any] | None = None,
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
        Which signals to measure, one of `SIGNALS`; a file of signals must hold these. None:
        `DEFAULT` for a video, and whatever a file of signals holds.
    face : {'largest', 'left', 'right'} or int, optional
        Which face, or body, of a video to follow; None: the largest.
    common_fps : float, optional
        Frame rate at which two recordings are compared: that of a file without times, too, unless
        another is stated.
    body_fps : float, optional
        Look at no more than so many frames a second for the body; None: at all. Faces are always
        looked at in all.
    stated : mapping, optional
        What the user says of a file of signals: ``fps``, ``person``, ``time_unit`` and
        ``angle_unit``, as for :func:`bitbox.readers.read_signals`.
    cache : Path, optional
        Folder in which measured signals are kept.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Raises
    ------
    InputError
        If the file cannot be used; VideoError where it is a video.
    ParameterError
        If something is chosen or stated that a file of its sort has not.
    """
    path = Path(path)
    try:
        _require(path, role)
        if is_video(path):
            refuse_stated(path, stated or {})
            if SIGNALS[choice or DEFAULT].of_body:
                return _measure_body(path, role, choice or DEFAULT, face, body_fps, cache, progress)
            return _measure(path, role, choice, face, cache, progress)
        return _read(path, role, choice, face, stated or {}, common_fps)
    except BitboxError as error:
        error.role = role
        raise


def load_beside(busy: int, progress: Progress | None, **arguments: Any) -> Recording:
    """Do what `load_recording` does, as one of so many recordings that are loaded at once."""
    with beside_others(busy):
        return load_recording(**arguments, progress=progress)


def is_measured(
    path: Path,
    choice: str | None,
    cache: Path | None,
    *,
    face: str | int | None = None,
    body_fps: float | None = None,
) -> bool:
    """Tell whether a video was measured before and that is kept; parameters: `load_recording`."""
    if cache is None or not cache.is_dir():
        return False
    wanted, whom = SIGNALS[choice or DEFAULT], "largest" if face is None else face
    if wanted.of_body:
        from bitbox.body_backend import BodyProcessor

        body = BodyProcessor(person=whom, fps=body_fps)
        body.io(path, cache)
        return body.holds(["joints", wanted.output])
    from bitbox.face_backend import FaceProcessor

    processor = FaceProcessor(face=whom)
    processor.io(path, cache)
    return processor.holds(["landmark", wanted.output], False)


def _require(path: Path, role: Role) -> None:
    """Raise an error if there is nothing of that name."""
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


def _measure(
    path: Path,
    role: Role,
    choice: str | None,
    face: str | int | None,
    cache: Path | None,
    progress: Progress | None,
) -> Recording:
    from bitbox.face_backend import FaceProcessor

    wanted = SIGNALS[choice or DEFAULT]
    processor = FaceProcessor(face="largest" if face is None else face, progress=progress)
    processor.io(path, cache)
    # Not normalised: correlation doesn't depend on scale, and the gain compares millimetres.
    landmarks = processor.detect_landmarks()
    output = wanted.output
    if output == "landmark":
        signals = landmarks
    elif output == "expression-local":
        signals = processor.localized_expressions(normalize=False)
    else:
        names = ("expression-global", "pose", "landmark-can")
        signals = processor.fit(normalize=False)[names.index(output)]
    digest = str(signals.provenance["source"]["sha256"])
    return Recording(role, path, signals, landmarks, processor.findings, digest, processor.cache)


def _measure_body(
    path: Path,
    role: Role,
    choice: str,
    whom: str | int | None,
    fps: float | None,
    cache: Path | None,
    progress: Progress | None,
) -> Recording:
    from bitbox.body_backend import BodyProcessor

    wanted, person = SIGNALS[choice], "largest" if whom is None else whom
    processor = BodyProcessor(person=person, fps=fps, progress=progress)
    processor.io(path, cache)
    joints = processor.detect_joints()
    if wanted.output == "motion":
        signals = processor.motion()
    elif wanted.output == "hands":
        signals = processor.detect_hands()
    else:
        signals = processor.fit()[("joints-can", "angles").index(wanted.output)]
    digest = str(signals.provenance["source"]["sha256"])
    return Recording(role, path, signals, joints, processor.findings, digest, processor.cache)


def refuse_stated(path: Path, stated: Mapping[str, Any], taken_for: str = "a video") -> None:
    """Raise an error if something is stated of a file that only a file of signals needs."""
    for name, value in stated.items():
        raise ParameterError(
            f"{path.name} is taken for {taken_for}, which needs nothing stated.",
            expected="a file of signals",
            got=f"{name}={value!r}",
            todo=f"Leave `{name}` out.",
        )


def _read(
    path: Path,
    role: Role,
    choice: str | None,
    face: str | int | None,
    stated: Mapping[str, Any],
    common_fps: float | None,
) -> Recording:
    from bitbox.readers import read_signals

    if face is not None:
        raise ParameterError(
            f"{path.name} is taken for a file of signals, in which no face can be chosen.",
            expected="a video",
            got=f"face={face!r}",
            todo="Leave `face` out.",
        )
    wanted = None if choice is None else SIGNALS[choice]
    kind = None if wanted is None else wanted.kind
    digest = hash_file(path) if path.is_file() else None
    findings: tuple[Finding, ...] = ()
    try:
        signals = read_signals(path, kind=kind, **stated)
    except NoClockError:
        if common_fps is None:
            raise
        signals = read_signals(path, kind=kind, **{**stated, "fps": common_fps})
        findings = (
            Finding(
                "fps-for-times",
                "info",
                f"{path.name} holds no times: its frames were counted at {common_fps:g} a second, "
                "the rate that both recordings are compared at.",
                "If it was recorded at another rate, give that as `fps` of this file.",
            ),
        )
    if wanted is not None and wanted.word not in signals.schema:
        raise InputError(
            f"{path.name} holds other signals than {choice!r}.",
            expected=f"signals measured as {choice!r} are",
            got=f"{signals.kind} signals of the schema {signals.schema!r}",
            todo="Leave `choice` out to compare what the file holds, or measure the video again.",
        )
    return Recording(role, path, signals, findings=findings, sha256=digest)
