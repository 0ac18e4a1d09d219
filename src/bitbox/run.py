"""The main job: two recordings in; scorecard, tables, report and provenance on disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bitbox.errors import OutputError
from bitbox.progress import Progress
from bitbox.provenance import environment, hash_file
from bitbox.quality import Finding
from bitbox.recordings import Recording, load_recording
from bitbox.results import PAIR_COLUMNS, PAIR_TEST_COLUMNS
from bitbox.run_report import write_run_report
from bitbox.scorecard import ALPHA, imitation_quality
from bitbox.settings import Settings
from bitbox.suggest import LATENCY, suggest

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.scorecard import ImitationQuality
    from bitbox.suggest import Suggestion

T = TypeVar("T")

#: Folder for measured signals inside the results folder, so that the next run is quick.
CACHE = "cache"


@dataclass(frozen=True)
class Run:
    """A finished analysis: what it found and where it wrote it."""

    participant: Recording
    model: Recording
    quality: ImitationQuality
    settings: Settings
    findings: tuple[Finding, ...]
    timings: Mapping[str, float]
    folder: Path
    files: tuple[Path, ...]


def imitate_files(
    participant: str | Path,
    model: str | Path,
    output: str | Path,
    settings: Settings | None = None,
    *,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Measure how closely a participant imitates a model, and write everything to a folder.

    Parameters
    ----------
    participant, model : path
        Videos, or files of signals.
    output : path
        Folder for the results; made if need be. Results of an earlier run are replaced, other
        files are left alone.
    settings : Settings, optional
        What to compare and how.
    cache : path, optional
        Folder for measured signals; None: ``cache`` inside the results folder.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    Run

    Raises
    ------
    BitboxError
        If the analysis cannot be done. Then no result has been written.

    Notes
    -----
    Results appear under their names all at once, after the last computation.
    """
    settings = settings or Settings()
    started = time.perf_counter()
    with _results_folder(Path(output)) as staging:
        folder = staging.parent
        kept = folder / CACHE if cache is None else Path(cache)
        people = _load_both(Path(participant), Path(model), kept, settings, progress)
        loaded = time.perf_counter()
        quality = imitation_quality(
            people[0].signals,
            people[1].signals,
            every_window=settings.windows,
            progress=progress,
            **settings.analysis(),
        )
        analysed = time.perf_counter()
        timings = {"measuring": loaded - started, "analysis": analysed - loaded}
        findings = _findings(people, quality)
        run = Run(*people, quality, settings, findings, timings, folder, ())
        _write(run, staging)
        return replace(run, files=_publish(staging, folder))


def suggest_for_files(
    participant: str | Path,
    model: str | Path,
    settings: Settings | None = None,
    *,
    latency: float = LATENCY,
    multiverse: bool = False,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[Suggestion, pd.DataFrame | None]:
    """Propose settings for two recordings; see :func:`bitbox.suggest.suggest`.

    Parameters
    ----------
    participant, model, settings, cache, progress
        As for :func:`imitate_files`; nothing is stored unless a cache is named.
    latency : float
        How late imitation is expected, in seconds.
    multiverse : bool
        Also repeat the analysis with other settings.

    Returns
    -------
    suggestion : Suggestion
    table : DataFrame or None
        The headline for each of some settings around the proposed ones.
    """
    from bitbox.suggest import multiverse as try_settings

    settings = settings or Settings()
    kept = None if cache is None else Path(cache)
    people = _load_both(Path(participant), Path(model), kept, settings, progress)
    signals = people[0].signals, people[1].signals
    angular = settings.analysis()["angular"]
    clock: dict[str, Any] = {"fps": settings.fps, "offset": settings.offset}
    found = suggest(*signals, latency=latency, angular=angular, **clock)
    if not multiverse:
        return found, None
    table = try_settings(
        *signals,
        widths=sorted({round(found.width * factor, 2) for factor in (0.5, 1, 2)}),
        lags=sorted({round(found.lag * factor, 2) for factor in (0.5, 1, 2)}),
        seed=settings.seed,
        angular=angular,
        progress=progress,
        **clock,
    )
    return found, _headlines(table)


def _headlines(table: pd.DataFrame) -> pd.DataFrame:
    """Return the headline of each setting of a multiverse table."""
    beyond = table.assign(imitated=table["p_fwer"] <= ALPHA, tested=table["p_fwer"].notna())
    groups = beyond.groupby(["width", "lag"], as_index=False)
    return groups.agg(
        imitated=("imitated", "sum"),
        tested=("tested", "sum"),
        median_z=("z", "median"),
        least=("least_p_fwer", "max"),
    )


@contextlib.contextmanager
def _results_folder(folder: Path) -> Iterator[Path]:
    """Make the folder and a hidden one inside it to prepare the files in."""
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    except OSError as error:
        raise OutputError(
            f"Results cannot be written to {folder}: {error.strerror or error}.",
            todo="Choose a folder that you may write to, with -o.",
        ) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for made in [folder / CACHE] if existed else [folder / CACHE, folder]:
            with contextlib.suppress(OSError):  # not empty: the results, or what they are made of
                made.rmdir()


def _load_both(
    participant: Path,
    model: Path,
    cache: Path | None,
    settings: Settings,
    progress: Progress | None,
) -> tuple[Recording, Recording]:
    def job(path: Path, role: Any, face: str | int) -> Callable[[Progress], Recording]:
        return lambda told: load_recording(
            path, role, settings.signals, face=face, fps=settings.fps, cache=cache, progress=told
        )

    first, second = _side_by_side(
        [
            job(participant, "participant", settings.participant_face),
            job(model, "model", settings.model_face),
        ],
        progress,
    )
    return first, second


class _StoppedError(Exception):
    """Another job failed, or the user interrupted."""


def _side_by_side(jobs: Sequence[Callable[[Progress], T]], progress: Progress | None) -> list[T]:
    """Run jobs in threads; when one fails or Ctrl-C comes, stop the others at their next frame."""
    stop = threading.Event()

    def told(task: str, done: int, total: int | None) -> None:
        if stop.is_set():
            raise _StoppedError
        if progress is not None:
            progress(task, done, total)

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(job, told) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
    failures = [f.exception() for f in futures]
    for failure in failures:
        if failure is not None and not isinstance(failure, _StoppedError):
            raise failure
    return [future.result() for future in futures]


def _findings(
    people: tuple[Recording, Recording], quality: ImitationQuality
) -> tuple[Finding, ...]:
    """All findings, each naming whose recording it is about."""
    found = []
    for person in people:
        for finding in person.findings:
            message = f"{person.role.capitalize()}: {finding.message}"
            found.append(Finding(finding.code, finding.severity, message, finding.todo))
    told = {finding.code for finding in quality.findings}
    same = hash_file_or_none(people[0].path) == hash_file_or_none(people[1].path) is not None
    if same and "same-recording" not in told:
        found.append(
            Finding(
                "same-recording",
                "warning",
                "Participant and model are the same recording.",
                "If two faces of one video are compared, check that two different ones are "
                "chosen (--participant-face, --model-face).",
            )
        )
    if not _can_report():
        found.append(
            Finding(
                "no-report",
                "warning",
                "The report was not written, because Plotly, Jinja or Pillow is not installed.",
                "For the report: pip install 'openbitbox[report]', and run the command again.",
            )
        )
    return (*found, *quality.findings)


def _can_report() -> bool:
    """Whether the libraries of the report extra are there."""
    return all(find_spec(name) is not None for name in ("plotly", "jinja2", "PIL"))


def hash_file_or_none(path: Path) -> str | None:
    """Return the hash of a file's content, or None for a folder."""
    return hash_file(path) if path.is_file() else None


def _write(run: Run, staging: Path) -> None:
    """Prepare every result file."""
    quality = run.quality
    quality.scorecard.to_csv(staging / "scorecard.csv", index_label="signal", float_format="%.9g")
    _pairs(quality).to_csv(staging / "pairs.csv", index=False, float_format="%.9g")
    _columns(quality).to_csv(staging / "columns.csv", index=False)
    (staging / "methods.txt").write_text(quality.methods() + "\n", encoding="utf-8")
    for person in (run.participant, run.model):
        person.signals.to_parquet(staging / f"{person.role}.parquet")
    if run.settings.windows:
        quality.matrix.to_xarray().to_netcdf(staging / "windows.nc", engine="h5netcdf")
    if _can_report():
        write_run_report(run, staging / "report.html")
    text = json.dumps(_record(run), indent=2, ensure_ascii=False, default=str)
    (staging / "run.json").write_text(text + "\n", encoding="utf-8")


def _pairs(quality: ImitationQuality) -> pd.DataFrame:
    """Return the table of all pairs, with their test against chance where it was asked for."""
    table = quality.matrix.to_frame()
    if quality.pairs is None:
        return table
    keys = ["participant_signal", "model_signal"]
    return table.merge(quality.pairs.to_frame(), on=keys, how="left", suffixes=("", "_tested"))


def _columns(quality: ImitationQuality) -> pd.DataFrame:
    """Return what every column of every table means."""
    import pandas as pd

    card = quality.data_dictionary.assign(table="scorecard.csv")
    explained = PAIR_COLUMNS if quality.pairs is None else PAIR_COLUMNS + PAIR_TEST_COLUMNS
    pairs = pd.DataFrame(explained, columns=["column", "meaning", "unit", "values"])
    tables = pd.concat([card, pairs.assign(table="pairs.csv")], ignore_index=True)
    return tables[["table", "column", "meaning", "unit", "values"]]


def _record(run: Run) -> dict[str, Any]:
    """Everything that is needed to repeat the run."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": asdict(run.settings),
        "inputs": {
            person.role: {"file": person.path.name, "sha256": hash_file_or_none(person.path)}
            for person in (run.participant, run.model)
        },
        "analysis": dict(run.quality.provenance),
        "seconds": {name: round(value, 3) for name, value in run.timings.items()},
        "findings": [finding.to_dict() for finding in run.findings],
        **environment(),
    }


def _publish(staging: Path, folder: Path) -> tuple[Path, ...]:
    """Move the prepared files to their names; run.json last, so that it stands for the rest."""
    files = sorted(staging.iterdir(), key=lambda path: (path.name == "run.json", path.name))
    for file in files:
        os.replace(file, folder / file.name)
    return tuple(folder / file.name for file in files)
