"""A manifest proposed from the names of files, for a person to look through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitbox.errors import InputError, ParameterError

if TYPE_CHECKING:
    import pandas as pd

#: Endings of recordings.
ENDINGS = (
    *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mts", ".wmv"),
    *(".parquet", ".csv", ".tsv"),
)
#: Names after the Brain Imaging Data Structure: sub-01_ses-02_task-dance_video.mp4.
_BIDS = re.compile(r"(?:^|_)(?P<key>sub|ses|task|acq|run|desc)-(?P<value>[A-Za-z0-9]+)")
_BIDS_COLUMNS = {"sub": "id", "ses": "session"}
#: What a pattern's parts in braces may be called.
PARTS = ("id", "group", "condition", "session", "role")
_PARTICIPANT = "participant"
_MODELS = ("model", "therapist", "adult", "stimulus", "target")


def propose(folder: str | Path, pattern: str | None = None) -> pd.DataFrame:
    """Propose a manifest for the recordings in a folder and the folders in it.

    Parameters
    ----------
    folder : path
        Where the recordings are.
    pattern : str, optional
        How files are called, with parts in braces: ``{id}_{session}_{role}`` finds
        ``anna_1_participant.mp4``. `role` tells participants from models; parts are `id`, `group`,
        `condition`, `session`, `role`. None: names like those of BIDS
        (``sub-01_ses-02_task-dance_video.mp4``), or, without these, the whole name as `id`.

    Returns
    -------
    DataFrame
        One row a participant's recording; names relative to the folder. ``model`` is the file of
        a model whose parts agree where it has any, and empty where none or several do: fill it in.

    Raises
    ------
    InputError
        There is no recording in the folder, or none is called so.
    ParameterError
        The pattern has a part that is not known.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bitbox.study import propose
    >>> for name in ('anna_participant.mp4', 'ben_participant.mp4', 'model.mp4'):
    ...     _ = Path(name).write_bytes(b'')
    >>> propose('.', '{id}_{role}')[['id', 'participant', 'model']].values.tolist()
    [['anna', 'anna_participant.mp4', 'model.mp4'], ['ben', 'ben_participant.mp4', 'model.mp4']]
    """
    import pandas as pd

    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files:
        raise InputError(
            f"There is no recording in {folder}.",
            expected="files that end in " + ", ".join(ENDINGS),
        )
    shape = None if pattern is None else _expression(pattern)
    participants: list[tuple[Path, dict[str, str]]] = []
    models: list[tuple[Path, dict[str, str]]] = []
    for path in files:
        parts = _parts(path.stem, shape)
        if _is_model(path.relative_to(folder), parts or {}):
            models.append((path, parts or {}))
        elif parts is not None:
            participants.append((path, parts))
    if not participants:
        raise InputError(
            f"No recording of a participant is called so in {folder}.",
            expected="names such as " + (pattern or "sub-01_task-dance_video.mp4"),
            got=", ".join(path.name for path in files[:3]),
            todo="Give another pattern.",
        )
    rows = []
    for path, parts in participants:
        model = _model_of(parts, models)
        row = {name: parts.get(name, "") for name in ("id", "group", "condition", "session")}
        row["participant"] = path.relative_to(folder).as_posix()
        row["model"] = "" if model is None else model.relative_to(folder).as_posix()
        rows.append(row)
    table = pd.DataFrame(rows)
    empty = [name for name in ("group", "condition", "session") if not table[name].any()]
    return table.drop(columns=empty)


def _expression(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w*)\}", pattern)
    expression = ""
    for k, piece in enumerate(pieces):
        if k % 2 == 0:
            expression += re.escape(piece)
        elif piece not in PARTS or f"(?P<{piece}>" in expression:
            raise ParameterError(
                f"The pattern has a part {{{piece}}} that is not known, or twice.",
                expected=", ".join(f"{{{part}}}" for part in PARTS),
                got=pattern,
            )
        else:
            expression += f"(?P<{piece}>[^_]+?)" if k < len(pieces) - 2 else f"(?P<{piece}>.+?)"
    return re.compile(expression)


def _parts(name: str, shape: re.Pattern[str] | None) -> dict[str, str] | None:
    """Return the parts of a name; None where it is not called so."""
    if shape is not None:
        match = shape.fullmatch(name)
        return None if match is None else match.groupdict()
    found = {m["key"]: m["value"] for m in _BIDS.finditer(name)}
    if not found:
        return {"id": name}
    parts = {_BIDS_COLUMNS[key]: found.pop(key) for key in ("sub", "ses") if key in found}
    rest = [found[key] for key in ("task", "acq", "run", "desc") if key in found]
    return {**parts, "condition": "-".join(rest)} if rest else parts


def _is_model(path: Path, parts: dict[str, str]) -> bool:
    role = parts.get("role", "").lower()
    words = re.split(r"[^a-z]+", f"{path.parent.name} {path.stem}".lower())
    return role in _MODELS or (role != _PARTICIPANT and any(word in _MODELS for word in words))


def _model_of(parts: dict[str, str], models: Sequence[tuple[Path, dict[str, str]]]) -> Path | None:
    """Return the model that agrees in most parts and contradicts none; None: none or several."""
    agreeing: dict[int, list[Path]] = {}
    for path, other in models:
        said = {name: value for name, value in other.items() if name != "role"}
        if set(said) == {"id"} and path.stem == said["id"]:
            said = {}  # the whole name says only that it is a model
        shared = [name for name in said if name in parts]
        if any(said[name] != parts[name] for name in shared if name != "id" or len(said) > 1):
            continue
        agreeing.setdefault(len(shared), []).append(path)
    best = agreeing.get(max(agreeing, default=0), [])
    return best[0] if len(best) == 1 else None
