"""The scores of right and wrong pairings: what a worker does, and what it leaves.

A wrong pairing is compared as the right one was, from where that begins: the stretch of the
participant's recording that was compared, with the stretch of the other model's that was compared
with its own participant. The score is z against circular shifts (`bitbox.analysis.quick_z`), of
right and wrong pairings alike.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import BitboxError
from bitbox.files import replacing, require_folder
from bitbox.study.pair import Job, ended, require_unchanged, sentence
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.fitting import fitted
from bitbox.workflow.recordings import Recording, Role, load_recording
from bitbox.workflow.settings import Settings

#: What of the analysis of the right pairing decides how the others are compared.
_HOW = (
    *("width", "step", "lag", "causality", "polarity", "angular", "components"),
    *("min_valid", "max_gap", "mirror"),
)
#: What of the settings belongs to the model.
_OF_MODEL = ("face", "flipped", "fps", "person", "time_unit", "angle_unit")
_SLACK = 1e-6  # seconds by which a stretch is wider, so that rounding cuts off no frame


@dataclass(frozen=True)
class Shown:
    """A model, as it was compared with its own participant.

    Attributes
    ----------
    name : str
        Of the pair.
    path : Path
        The recording.
    source : str
        Its SHA-256.
    settings : mapping
        How it is read.
    stretch : (float, float)
        What was compared of it: seconds of its own clock.
    """

    name: str
    path: Path
    source: str
    settings: Mapping[str, Any]
    stretch: tuple[float, float]

    @classmethod
    def of(cls, job: Job, record: Mapping[str, Any]) -> Shown:
        """Return the model of a pair that was compared."""
        settings = {f"model_{name}": getattr(job.settings, f"model_{name}") for name in _OF_MODEL}
        first, last = record["stretch"]
        return cls(job.name, job.model, job.sources["model"], settings, (first, last))


@dataclass(frozen=True)
class Row:
    """A participant's recording, and all models that it is compared with.

    Attributes
    ----------
    job : Job
        The pair that it belongs to.
    record : mapping
        What was found of that.
    models : tuple of Shown
        Its own among them.
    path : Path
        Where the scores go.
    """

    job: Job
    record: Mapping[str, Any]
    models: tuple[Shown, ...]
    path: Path

    def keys(self) -> dict[str, str]:
        """Return for each model the hash of all that decides the score."""
        own = self.job.key, self.record["stretch"], self.record["clocks"]
        found = {}
        for shown in self.models:
            content = [*own, shown.source, dict(shown.settings), shown.stretch]
            text = json.dumps(content, sort_keys=True, default=str)
            found[shown.name] = hashlib.sha256(text.encode()).hexdigest()
        return found

    def kept(self) -> dict[str, dict[str, Any]]:
        """Return what is on the disk, whether it is wanted or not."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def is_done(self) -> bool:
        """Return whether all scores are there, and no others."""
        keys, kept = self.keys(), self.kept()
        return list(keys.items()) == [(name, one.get("key")) for name, one in kept.items()]


def score(row: Row) -> dict[str, Any]:
    """Compare a participant's recording with all models, and write the scores.

    Both recordings of a pairing were read before, each with its own partner. Where one of them
    cannot be read any more that is no score: it is told, and tried again when the study is.

    Returns
    -------
    dict
        See `bitbox.study.pair.ended`.
    """
    kept, found, trouble = row.kept(), {}, []
    try:
        for shown, key in zip(row.models, row.keys().values(), strict=True):
            before = kept.get(shown.name, {})
            try:
                known = before.get("key") == key
                found[shown.name] = before if known else {"key": key, **_scored(row, shown)}
            except Exception as error:  # noqa: BLE001 - told in the table of failures
                trouble.append(error)
        require_folder(row.path.parent)
        with replacing(row.path) as place:
            place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except Exception as error:  # noqa: BLE001 - told in the table of failures
        trouble.insert(0, error)
    return ended(row.job.name, *trouble[:1])


def _scored(row: Row, shown: Shown) -> dict[str, Any]:
    """Return the scores of one pairing, and why there are none.

    Raises
    ------
    BitboxError
        A recording cannot be read any more, or is another one.
    """
    if _is_same_person(row.job, shown):
        return {"z": {}, "error": "It is the same person in the same recording."}
    from bitbox.analysis.options import Options
    from bitbox.analysis.quick_z import quick_z

    settings = _settings(row, shown)
    how = {name: row.record["analysis"][name] for name in _HOW}
    options = Options(**how, fps=settings.fps, offset=float(settings.offset), threads=1)
    participant = _loaded(row.job.participant, "participant", row.job, settings)
    model = _loaded(shown.path, "model", row.job, settings, shown.source)
    participant = Clocks.from_dict(row.record["clocks"]).steadied(participant)
    try:
        first, second = fitted((participant, model), settings, options.offset)
        found = quick_z(first.signals, second.signals, options, settings.only)
    except BitboxError as error:
        return {"z": {}, "error": sentence(error)}
    known = {name: float(f"{v:.9g}") for name, v in found.items() if np.isfinite(v)}
    return {"z": known, "error": ""}


def _is_same_person(job: Job, shown: Shown) -> bool:
    settings = job.settings
    own = job.sources["participant"], settings.participant_face, settings.participant_person
    other = shown.source, shown.settings["model_face"], shown.settings["model_person"]
    return _named(*own) == _named(*other)


def _named(source: str, face: str | int | None, person: str | None) -> tuple[Any, ...]:
    return source, "largest" if face is None else face, person


def _settings(row: Row, shown: Shown) -> Settings:
    """Return the settings of a pairing, right or wrong: both stretches begin together."""
    offset = row.record["clocks"]["offset"]
    first, last = (moment - offset for moment in row.record["stretch"])
    start, end = shown.stretch
    return replace(
        row.job.settings,
        **shown.settings,
        offset=start - first,
        start=first - _SLACK,
        end=last + _SLACK,
        model_start=start - _SLACK,
        model_end=end + _SLACK,
    )


def _loaded(
    path: Path, role: Role, job: Job, settings: Settings, source: str | None = None
) -> Recording:
    loading = json.dumps(settings.loading(role), sort_keys=True)
    content = source or job.sources[role]
    return _load(path, role, settings.signals, loading, job.cache, content)


def _load(
    path: Path, role: Role, choice: str | None, loading: str, cache: Path, content: str
) -> Recording:
    """Return the signals of a recording, read or as they were read before."""

    def read() -> Recording:
        found = load_recording(path, role, choice, cache=cache, **json.loads(loading))
        require_unchanged(path, content, found.sha256)
        return replace(found, landmarks=None, cache=None)  # which are large, and not needed here

    try:
        status = path.stat()
    except OSError:
        return read()  # which says what is wrong
    mark = status.st_size, status.st_mtime_ns
    return _shelf.get((path, role, choice, loading, cache, content, mark), read)


class _Shelf:
    """Recordings that were read lately; most are needed again by the next participant.

    Parameters
    ----------
    most : int
        Bytes of their signals that are held, at most; the last two are in any case.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Recording] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], Recording]) -> Recording:
        """Return what is held under a key, or read it."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        found = read()
        with self._lock:
            self._held[key] = found
            while len(self._held) > 2 and sum(map(_size, self._held.values())) > self._most:
                self._held.popitem(last=False)
        return found


def _size(recording: Recording) -> int:
    return recording.signals.values.nbytes + recording.signals.time.nbytes


_shelf = _Shelf(200_000_000)
