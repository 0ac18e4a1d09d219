"""What a worker does: measure one recording, or compare one pair and leave what it found.

A finished pair is a folder with ``scorecard.csv``, ``pair.json`` and, where there are trials,
``trials.csv``; on request also ``report.html``.
``pair.json`` is written last and holds the key of all that decides the result, so that a pair is
done where the key is right, whoever did it and whenever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.errors import BitboxError, InputError, OutputError
from bitbox.files import reason, replacing, require_folder
from bitbox.provenance import environment, hash_file
from bitbox.system.harmless import cells
from bitbox.workflow.finished_run import one_list
from bitbox.workflow.recordings import Role, load_recording
from bitbox.workflow.settings import Settings
from bitbox.workflow.unforeseen import unforeseen

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.analysis.result import ImitationQuality
    from bitbox.analysis.trial_result import ImitationTrials
    from bitbox.workflow.finished_run import Run

RECORD, CARD, TRIALS, REPORT = "pair.json", "scorecard.csv", "trials.csv", "report.html"
#: What of a test in trials stands beside the scorecard, and as what.
_IN_TRIALS = {"z": "trial_z", "p": "trial_p", "p_fwer": "trial_p_fwer", "gain": "trial_gain"}
#: A stretch of a half, in widths of a window; stretches go to the two halves in turn.
_STRETCH = 5


@dataclass(frozen=True)
class Job:
    """A pair to be compared.

    Attributes
    ----------
    name : str
        Name of the pair.
    participant, model : Path
        The recordings.
    settings : Settings
        How they are compared.
    sources : mapping
        SHA-256 of each role's file, and of the ``trials``, if there are any.
    folder : Path
        Where the result goes.
    cache : Path
        Where what is measured in videos is kept.
    report : bool
        Whether the pair gets a report of its own.
    """

    name: str
    participant: Path
    model: Path
    settings: Settings
    sources: Mapping[str, str]
    folder: Path
    cache: Path
    report: bool = False

    @property
    def key(self) -> str:
        """Hash of everything that decides the result."""
        content = {
            "settings": stated(self.settings),
            "sources": dict(self.sources),
            "files": [self.participant.name, self.model.name],
            "code": _code(),
            "versions": environment(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def recordings(self) -> tuple[tuple[Path, Role], tuple[Path, Role]]:
        """Return both files and whose they are."""
        return (self.participant, "participant"), (self.model, "model")

    def record(self) -> dict[str, Any] | None:
        """Return what was found, if this very pair was compared before; else None."""
        try:
            found = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if found.get("key") != self.key or not (self.folder / CARD).is_file():
            return None
        more = [(self.report, REPORT), (self.settings.trials is not None, TRIALS)]
        if any(wanted and not (self.folder / name).is_file() for wanted, name in more):
            return None
        return dict(found)


def stated(settings: Settings) -> dict[str, Any]:
    """Return settings for a record: of a file only its name."""
    trials = None if settings.trials is None else Path(settings.trials).name
    return {**asdict(settings), "trials": trials}


@cache
def _code() -> str:
    """Return a hash of this program: another version may find something else."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted([*root.rglob("*.py"), *root.rglob("data/**/*")]):
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def measure(job: Job, role: Role) -> dict[str, Any]:
    """Measure the recording of one role, so that it is in the cache; return what `ended` does.

    Only for videos; whatever is wrong with it is told by every pair that needs it.
    """
    path = job.participant if role == "participant" else job.model
    try:
        load_recording(
            path, role, job.settings.signals, cache=job.cache, **job.settings.loading(role)
        )
    except Exception as error:  # noqa: BLE001 - told in the table of failures
        return ended(job.name, error)
    return ended(job.name)


def compare(job: Job, *measured: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a pair and write what was found to its folder.

    Parameters
    ----------
    job : Job
        The pair.
    *measured : mapping
        What `measure` returned of its videos.

    Returns
    -------
    dict
        See `ended`.
    """
    failed = [one for one in measured if one["error"] is not None]
    if failed:
        return {**failed[0], "name": job.name}
    try:
        _compare(job)
    except Exception as error:  # noqa: BLE001 - told in the table of failures
        return ended(job.name, error)
    return ended(job.name)


def ended(name: str, error: Exception | None = None) -> dict[str, Any]:
    """Return what a worker tells of a task that is over.

    Returns
    -------
    dict
        ``name`` of the pair; ``error``: a sentence, or None; ``unwritable``: where nothing can be
        written any more, so that there is no use in going on, what cannot, or None.
    """
    unwritable = error.what if isinstance(error, OutputError) else None
    told = None if error is None else sentence(error)
    return {"name": name, "error": told, "unwritable": unwritable}


def sentence(error: Exception) -> str:
    """Return what is told of an error in a table."""
    if isinstance(error, OSError | MemoryError | ImportError) and not isinstance(
        error, BitboxError
    ):
        error = unforeseen(error)
    if isinstance(error, BitboxError):
        return " ".join(str(error).split())
    return f"openbitbox has a defect: {type(error).__name__} ({reason(error)})."


def require_unchanged(path: Path, before: str, now: str | None) -> None:
    """Refuse a recording that is another one than when the study began.

    Parameters
    ----------
    path : Path
        The file.
    before, now : str
        SHA-256 of its content; None of a folder, of which it is not known.

    Raises
    ------
    InputError
    """
    if now not in (None, before):
        raise InputError(
            f"{path.name} was changed while the study ran.",
            todo="Run the study again: what is not affected is not done again.",
        )


def _compare(job: Job) -> None:
    from bitbox.workflow.run import analyse_files
    from bitbox.workflow.run_report import write_run_report

    run = analyse_files(
        job.participant, job.model, replace(job.settings, windows=False), cache=job.cache, threads=1
    )
    for person in (run.participant, run.model):
        require_unchanged(person.path, job.sources[person.role], person.sha256)
    if job.settings.trials is not None:
        trials = Path(job.settings.trials)
        require_unchanged(trials, job.sources["trials"], hash_file(trials))
    require_folder(job.folder)
    with replacing(job.folder / CARD) as place:
        card = run.quality.scorecard.join(_halves(run.quality))
        if run.trials is not None:
            card = card.join(run.trials.scorecard[list(_IN_TRIALS)].rename(columns=_IN_TRIALS))
        cells(card).to_csv(place, index_label="signal", float_format="%.9g")
    if run.trials is not None:
        with replacing(job.folder / TRIALS) as place:
            cells(_trials(run.trials)).to_csv(place, index=False, float_format="%.9g")
    if job.report:
        with replacing(job.folder / REPORT) as place:
            write_run_report(run, place)
    with replacing(job.folder / RECORD) as place:
        text = json.dumps(_record(job, run), indent=1, ensure_ascii=False, default=str)
        place.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _record(job: Job, run: Run) -> dict[str, Any]:
    """Return all that is known of a pair; nothing of when or how long, which would never repeat."""
    quality, headline = run.quality, run.quality.headline
    specific = quality.specificity
    return {
        "key": job.key,
        "settings": stated(job.settings),
        "inputs": {
            role: {"file": path.name, "sha256": job.sources[role]}
            for path, role in job.recordings()
        },
        "headline": {
            "text": str(headline),
            "imitated": headline.imitated,
            "tested": headline.tested,
            "share": _or_none(headline.share),
            "median_z": _or_none(headline.median_z),
            "specific_p": None if specific is None else _or_none(specific.p),
            "seconds": _or_none(headline.seconds),
            "too_short": headline.too_short,
        },
        "recordings": {
            person.role: {
                "fps": _or_none(person.signals.rate),
                "seconds": _or_none(float(person.signals.time[-1] - person.signals.time[0])),
                "coverage": _or_none(float(np.mean(person.signals.coverage))),
            }
            for person in (run.participant, run.model)
        },
        "clocks": run.clocks.to_dict(),
        "stretch": [float(quality.aligned.model.time[k]) for k in (0, -1)],
        "analysis": dict(quality.provenance["parameters"]),
        "trials": None if run.trials is None else _in_trials(run.trials),
        "methods": one_list(run.analyses()),
        "findings": [finding.to_dict() for finding in run.findings],
        **environment(),
    }


def _or_none(value: float) -> float | None:
    return round(float(value), 9) if np.isfinite(value) else None


def _halves(quality: ImitationQuality) -> pd.DataFrame:
    """Return the shape of each signal in two halves that have no frame in common.

    Stretches of five windows' widths belong to the halves in turn, so that people who tire are not
    taken for two; windows that reach into both are left out.
    """
    import pandas as pd

    windows = quality.windows[quality.windows["counts"]]
    width = quality.plan.window / quality.plan.fps
    reach = width / 2 + float(np.abs(quality.plan.lags).max()) / quality.plan.fps
    place = (windows["time"] - quality.windows["time"].min()) / (_STRETCH * width)
    first, last = (np.floor(place + side * reach / (_STRETCH * width)) for side in (-1, 1))
    strength = windows["r"].abs() if quality.provenance["parameters"]["polarity"] else windows["r"]
    found = {
        f"half_{name}": strength[(first == last) & (first % 2 == k)]
        .groupby(windows["signal"])
        .mean()
        .reindex(quality.scorecard.index)
        for k, name in enumerate("ab")
    }
    return pd.DataFrame(found)


def _trials(found: ImitationTrials) -> pd.DataFrame:
    """Return one row a trial and signal."""
    table = found.trials.reset_index(drop=True)
    said: dict[str, Any] = {
        "trial": table.index + 1,
        "trial_onset": table["onset"],
        "trial_offset": table["offset"],
        "trial_label": table["label"],
        "trial_hit": table["hit"].astype("Int64"),
        "latency": table["latency"],
        "gain": table["gain"],
    }
    wide = found.scores.reset_index(drop=True).assign(**said)
    long = wide.melt(id_vars=list(said), var_name="signal", value_name="trial_score")
    return long.sort_values("trial", kind="stable", ignore_index=True)


def _in_trials(found: ImitationTrials) -> dict[str, Any]:
    hits = found.trials["hit"].dropna()
    return {
        "text": found.headline,
        "overall_z": _or_none(found.overall_z),
        "overall_p": _or_none(found.overall_p),
        "used": len(hits),
        "hits": int(hits.sum()),
    }
