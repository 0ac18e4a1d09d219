"""The offset of two files: from their sound or flashes, or the movements measured in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bitbox.progress import Progress
from bitbox.sync import Offset, compare
from bitbox.workflow.recordings import Role, load_recording


def compare_files(
    participant: Path,
    model: Path,
    how: Any,
    faces: tuple[str | int | None, str | int | None] = (None, None),
    *,
    not_for_testing: bool = False,
    progress: Progress | None = None,
) -> Offset:
    """Return what is found of the offset of two files, sure or not.

    Parameters
    ----------
    participant, model : Path
        Recordings; for 'movement' also files of signals.
    how, not_for_testing, progress
        As for :func:`bitbox.sync.offset`.
    faces : (face, face)
        Whose movements, where there are several.

    Raises
    ------
    BitboxError
        A file cannot be used, or what is asked for is refused.
    """
    if how != "movement" or not not_for_testing:
        return compare(
            participant, model, how=how, not_for_testing=not_for_testing, progress=progress
        )
    roles: tuple[Role, Role] = ("participant", "model")
    signals = [
        load_recording(path, role, face=face, progress=progress).signals
        for path, role, face in zip((participant, model), roles, faces, strict=True)
    ]
    return compare(*signals, how="movement", not_for_testing=True, progress=progress)
