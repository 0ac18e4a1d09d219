"""Two people in one video: gone through once, both faces tracked together."""

from __future__ import annotations

from pathlib import Path

from bitbox.errors import ParameterError
from bitbox.face_backend.recording import OUTPUTS
from bitbox.progress import Progress
from bitbox.workflow.recordings import DEFAULT, SIGNALS, is_video
from bitbox.workflow.settings import Settings


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
    if faces[0] == faces[1] or not _is_one(participant, model):
        return
    from bitbox.face_backend import FaceProcessor

    first, second = (
        FaceProcessor(face="largest" if face is None else face, progress=progress) for face in faces
    )
    for processor, path in ((first, participant), (second, model)):
        processor.io(path, cache)
    first.track_beside(second, ["landmark", choice.output])


def _is_one(participant: Path, model: Path) -> bool:
    try:
        return participant.samefile(model)
    except (OSError, ValueError):
        return False  # what is not there is told where it is read
