"""Two people in one recording: not the same one twice; both faces of a video tracked together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError, ParameterError
from bitbox.face_backend.recording import OUTPUTS
from bitbox.progress import Progress
from bitbox.signals import Signals
from bitbox.workflow.recordings import DEFAULT, SIGNALS, Recording, is_video
from bitbox.workflow.settings import Settings

#: Two faces whose middles are no further apart than this share of their size are one.
_SAME_FACE = 0.25
#: Two people who are one in more than this share of what is seen of both are one.
_SAME_ROWS = 0.5


def require_two(settings: Settings, path: Path) -> None:
    """Refuse one recording alone in which it is not said who is who.

    Raises
    ------
    ParameterError
    """
    faces = settings.participant_face, settings.model_face
    people = settings.participant_person, settings.model_person
    if is_video(path) and (None in faces or faces[0] == faces[1]):
        raise ParameterError(
            f"{path.name} is the only recording, and it is not said which two people in it are "
            "compared.",
            expected="a second recording, or two faces of this one",
            got=", ".join(map(repr, faces)).replace("None", "none named"),
            todo="Name both, for example participant_face='left' model_face='right'.",
        )
    if not is_video(path) and (None in people or people[0] == people[1]):
        raise ParameterError(
            f"{path.name} is the only recording, and it is not said which two people in it are "
            "compared.",
            expected="a second recording, or two people of this one",
            got=", ".join(map(repr, people)).replace("None", "none named"),
            todo="Name both with `participant_person` and `model_person`.",
        )


def track_both(
    participant: Path,
    model: Path,
    cache: Path | None,
    settings: Settings,
    progress: Progress | None,
) -> None:
    """Track both faces of one video in one go; what is measured then is found in the cache.

    Does nothing where there are two videos, where nothing is kept, or where it was done before.
    """
    choice = SIGNALS[settings.signals or DEFAULT]
    faces = settings.participant_face, settings.model_face
    if cache is None or choice.output not in OUTPUTS or not is_video(participant):
        return
    if faces[0] == faces[1] or not is_one(participant, model):
        return
    from bitbox.face_backend import FaceProcessor

    first, second = (
        FaceProcessor(face="largest" if face is None else face, progress=progress) for face in faces
    )
    for processor, path in ((first, participant), (second, model)):
        processor.io(path, cache)
    first.track_beside(second, ["landmark", choice.output])


def require_two_faces(participant: Recording, model: Recording) -> None:
    """Refuse to compare a face or body with itself, which would look like perfect imitation.

    Parameters
    ----------
    participant, model : Recording

    Raises
    ------
    InputError
        If both trace the same face, or body, of the same video, or hold the same of one file.
    """
    if not (participant.is_video or model.is_video):
        _require_two_people(participant, model)
        return
    if participant.sha256 is None or participant.sha256 != model.sha256:
        return
    seen = [
        landmarks for landmarks in (participant.landmarks, model.landmarks) if landmarks is not None
    ]
    if len(seen) < 2:
        return
    points = [_places(landmarks) for landmarks in seen]
    both = np.isfinite(points[0]).all(axis=(1, 2)) & np.isfinite(points[1]).all(axis=(1, 2))
    if not both.any():
        return
    mine, other = points[0][both], points[1][both]
    away = np.linalg.norm(mine.mean(axis=1) - other.mean(axis=1), axis=1)
    same = away < _SAME_FACE * np.ptp(mine, axis=1).max(axis=1)
    if same.mean() > _SAME_ROWS:
        what = "body" if seen[0].kind == "body" else "face"
        raise InputError(
            f"Participant and model are the same {what} of the same video, "
            f"{participant.path.name}.",
            expected="two people" if what == "body" else "two faces",
            got=f"the same one in {same.sum()} of the {both.sum()} frames in which both are seen",
            todo="Choose two: for example with --participant-face left --model-face right.",
        )


def _require_two_people(participant: Recording, model: Recording) -> None:
    """Refuse signals of the same person from one file; a copy under another name is meant."""
    if not is_one(participant.path, model.path):
        return
    if participant.signals.names != model.signals.names:
        return
    mine, other = participant.signals.values, model.signals.values
    if mine.shape != other.shape:
        return
    both = np.isfinite(mine).any(axis=1) & np.isfinite(other).any(axis=1)
    same = both & ((mine == other) | (np.isnan(mine) & np.isnan(other))).all(axis=1)
    if same.sum() > _SAME_ROWS * both.sum():
        raise InputError(
            f"Participant and model are the same person of the same file, {participant.path.name}.",
            expected="two people",
            got=f"the same values in {same.sum()} of the {both.sum()} rows in which both are known",
            todo="Name another file; or, where this one tells people apart, two of them, for "
            "example with --participant-person 0 --model-person 1.",
        )


def is_one(participant: Path, model: Path) -> bool:
    """Tell whether two names are of one file or folder."""
    try:
        return participant.samefile(model)
    except (OSError, ValueError):
        return False  # what is not there is told where it is read


def _places(landmarks: Signals) -> NDArray[np.float64]:
    """Return the points in the picture by which a face or body is told from another."""
    if landmarks.kind == "body":
        trunk = ("nose", "left_shoulder", "right_shoulder")
        landmarks = landmarks.select([f"{joint}_{axis}" for joint in trunk for axis in "xy"])
    return np.asarray(landmarks.values.reshape(len(landmarks.values), -1, 2))
